"""The millions of records that are put together from pieces are what an ordinary writer would write."""

from collections.abc import Mapping

from consumer.adapters import resources
from consumer.sandbox.encoding import SingleObjects
from tests.benchmarks.customers import PREFERENCES, Customers, customer_id, fields
from tests.benchmarks.population import ORDINARY, Mixture, Sort


def test_a_record_from_pieces_is_the_one_that_is_encoded_as_a_whole() -> None:
    encode = SingleObjects(resources.schemas())

    records = list(Customers(count=12).records("preferences"))

    assert [record.value for record in records] == [encode(PREFERENCES, fields(number)) for number in range(12)]
    assert [record.key for record in records] == [customer_id(number) for number in range(12)]


def test_no_two_customers_have_one_id() -> None:
    assert len({customer_id(number) for number in range(100_000)}) == 100_000


def test_the_ordinary_mixture_is_the_one_of_the_promise() -> None:
    assert _per_mille(ORDINARY) == {Sort.NOTHING_ON: 500, Sort.MISSED: 360, Sort.COMFORTABLE: 90, Sort.TOLD: 50}


def test_every_mixture_makes_a_thousand() -> None:
    assert all(sum(_per_mille(Mixture(told=told)).values()) == 1000 for told in range(1001))


def _per_mille(mixture: Mixture) -> Mapping[Sort, int]:
    deck = mixture.deck()
    return {sort: deck.count(sort) for sort in Sort}
