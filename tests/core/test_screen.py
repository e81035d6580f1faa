"""What the screen keeps away, and what it must let through."""

from decimal import Decimal

import msgspec
import pytest

from consumer.core.catalogue import Catalogue
from consumer.core.event import Channel, Direction, Event, Money, TransactionPosted, TransactionStatus
from consumer.core.preferences import Filters, Preferences
from consumer.core.record import Fetched
from consumer.core.rules import RULES, Compared, Rule
from consumer.core.screen import Glance, Screen, Screened, Word, heading, screened
from tests.avro import experienced, fields_of, our_bytes
from tests.builders import balance, euros, preferences, record, transaction
from tests.deciding import CATALOGUE, catalogue_with, only, wishing

DECODER = experienced()


def glance(event: Event) -> Glance:
    seen = glanced(event)
    assert seen is not None
    return seen


def glanced(event: Event) -> Glance | None:
    return DECODER.glances(Fetched([record(value=our_bytes(type(event).__name__, fields_of(event)))]))[0]


def passes(event: Event, customer: Preferences | None, kinds: Catalogue = CATALOGUE) -> bool:
    seen = glanced(event)
    return seen is None or must_be_read(seen, [Screen(kinds).word(customer)])


def must_be_read(seen: Glance, words: list[Word]) -> bool:
    return bool(screened([seen], words).unread)


def test_nothing_of_a_customer_with_nothing_on_is_read() -> None:
    assert not passes(transaction(amount=euros("9999.00")), only())
    assert not passes(balance(available=euros("-5.00")), only())


def test_of_a_suspended_customer_only_what_is_mandatory_is_read() -> None:
    suspended = only("large_debit").after_unreadable()

    assert not passes(transaction(amount=euros("9999.00")), suspended)
    assert passes(transaction(), suspended, catalogue_with("large_debit", mandatory=True))


def test_a_stranger_is_told_of_what_is_mandatory_only() -> None:
    mandatory = catalogue_with("large_debit", mandatory=True)

    assert not passes(transaction(), None)
    assert passes(transaction(amount=euros("100.00")), None, mandatory)
    assert not passes(transaction(amount=euros("99.99")), None, mandatory)


@pytest.mark.parametrize(("amount", "passed"), [("99.99", False), ("100.00", True), ("99.9999", False)])
def test_a_payment_is_read_from_the_threshold_on(amount: str, passed: bool) -> None:
    assert passes(transaction(amount=euros(amount)), only("large_debit")) is passed


def test_a_threshold_finer_than_a_ten_thousandth_lets_too_much_through() -> None:
    asked = wishing("large_debit", threshold=euros("99.99995"))

    assert passes(transaction(amount=euros("99.9999")), asked)
    assert not passes(transaction(amount=euros("99.9998")), asked)


def test_a_huge_threshold_is_not_rounded_up() -> None:
    asked = wishing("large_debit", threshold=euros("123456789012345678901234567890.99999"))

    assert Screen(CATALOGUE).word(asked).by_currency["EUR"][2] == 1234567890123456789012345678909999


def test_the_lowest_threshold_of_all_kinds_counts() -> None:
    cheaper = msgspec.structs.replace(CATALOGUE.kind("large_debit"), name="any_debit", thresholds={"EUR": Decimal(5)})
    kinds = Catalogue(version="2", kinds=(*CATALOGUE.kinds, cheaper))
    both = only("large_debit")
    both = msgspec.structs.replace(both, alerts={**both.alerts, "any_debit": both.alerts["large_debit"]})

    assert passes(transaction(amount=euros("5.00")), both, kinds)
    assert not passes(transaction(amount=euros("4.99")), both, kinds)


def test_a_currency_without_a_threshold_is_screened_and_the_customers_own_is_not() -> None:
    in_yen = transaction(amount=Money(amount=Decimal(90_000), currency="JPY"))

    assert not passes(in_yen, only("large_debit"))
    assert passes(in_yen, wishing("large_debit", threshold=Money(amount=Decimal(50_000), currency="JPY")))


@pytest.mark.parametrize("status", [TransactionStatus.AUTHORISED, TransactionStatus.POSTED])
def test_a_kind_that_compares_nothing_is_read_at_any_amount_by_its_channel(status: TransactionStatus) -> None:
    asked = only("atm_withdrawal")

    assert passes(transaction(channel=Channel.ATM, status=status, amount=euros("0.01")), asked)
    assert not passes(transaction(channel=Channel.TRANSFER, status=status), asked)
    assert not passes(transaction(channel=Channel.ATM, status=status, direction=Direction.CREDIT), asked)


def test_a_stage_that_no_kind_tells_is_screened() -> None:
    assert not passes(transaction(status=TransactionStatus.DECLINED), preferences())


def test_a_reversal_always_passes_because_it_takes_back_what_was_to_be_told() -> None:
    assert passes(transaction(status=TransactionStatus.REVERSED), only())
    assert passes(transaction(status=TransactionStatus.REVERSED), None)


def test_filters_by_direction_and_channel_are_applied_and_those_further_behind_are_not() -> None:
    by_channel = wishing("large_debit", filters=Filters(channels=frozenset({Channel.ATM})))
    by_direction = wishing("large_debit", filters=Filters(directions=frozenset({Direction.CREDIT})))
    by_country = wishing("large_debit", filters=Filters(countries=frozenset({"DE"})))

    assert not passes(transaction(channel=Channel.TRANSFER), by_channel)
    assert passes(transaction(channel=Channel.ATM), by_channel)
    assert not passes(transaction(), by_direction)
    assert passes(transaction(), by_country)


def test_no_filter_of_a_customer_narrows_what_is_mandatory() -> None:
    kinds = catalogue_with("large_debit", mandatory=True)

    assert passes(transaction(), wishing("large_debit", filters=Filters(channels=frozenset({Channel.ATM}))), kinds)


@pytest.mark.parametrize(("wanted", "least", "less"), [("500.00", "100.00", "99.99"), ("50.00", "50.00", "49.99")])
def test_no_threshold_of_a_customer_narrows_what_is_mandatory_and_a_lower_one_widens_it(
    wanted: str, least: str, less: str
) -> None:
    kinds, asked = catalogue_with("large_debit", mandatory=True), wishing("large_debit", threshold=euros(wanted))

    assert passes(transaction(amount=euros(least)), asked, kinds)
    assert not passes(transaction(amount=euros(less)), asked, kinds)


def test_a_comfortable_balance_passes_for_whoever_wants_to_hear_of_low_ones() -> None:
    """It re-arms the alert, and without it a late and lower one would look like news."""
    comfortable = balance(available=euros("5000.00"))

    assert passes(comfortable, only("low_balance"))
    assert passes(comfortable, only("overdrawn"))
    assert not passes(comfortable, only("large_debit"))


def test_a_balance_in_a_currency_that_only_the_customer_named_an_amount_in_passes() -> None:
    in_yen = balance(available=Money(amount=Decimal(900), currency="JPY"))

    assert not passes(in_yen, only("low_balance"))
    assert passes(in_yen, wishing("low_balance", threshold=Money(amount=Decimal(1000), currency="JPY")))


def test_a_balance_in_a_currency_without_a_threshold_passes_only_for_a_rule_that_needs_none() -> None:
    in_yen = balance(available=Money(amount=Decimal(1), currency="JPY"), booked=None)

    assert not passes(in_yen, only("low_balance"))
    assert passes(in_yen, only("overdrawn"))


def test_one_of_several_customers_is_enough() -> None:
    screen = Screen(CATALOGUE)
    seen = glance(transaction(customer_ids=("cust-1", "cust-2")))

    assert must_be_read(seen, [screen.word(only()), screen.word(only("large_debit"))])
    assert must_be_read(seen, [screen.word(only("large_debit")), screen.word(only())])
    assert not must_be_read(seen, [screen.word(only()), screen.word(None)])


@pytest.mark.parametrize(
    ("name", "currency", "symbols"),
    [
        ("TransactionPosted", "euro", ("DEBIT", "POSTED", "ATM")),
        ("TransactionPosted", "EUR", ("SIDEWAYS", "POSTED", "ATM")),
        ("TransactionPosted", "EUR", ()),
        ("BalanceChanged", "euro", ()),
    ],
)
def test_no_heading_is_what_no_event_begins_with(name: str, currency: str, symbols: tuple[str, ...]) -> None:
    assert heading(name, currency, symbols) is None


def test_nobody_is_held_against_the_word_of_another() -> None:
    silent = Screen(CATALOGUE).word(only())

    with pytest.raises(AssertionError, match="a word too many"):
        screened([glance(transaction())], [silent, silent])


def test_each_event_is_held_against_the_words_of_its_own_customers_and_those_screened_are_counted() -> None:
    screen = Screen(CATALOGUE)
    asks, silent = screen.word(only("large_debit")), screen.word(only())
    joint, single = glance(transaction(customer_ids=("cust-1", "cust-2"))), glance(transaction())
    balances = glance(balance())

    found = screened([joint, None, single, single, balances], [silent, silent, asks, silent, silent])

    assert found == Screened(unread=[1, 2], events={"TransactionPosted": 2, "BalanceChanged": 1}, customers=4)


def test_a_rule_that_looks_further_behind_is_never_screened(monkeypatch: pytest.MonkeyPatch) -> None:
    def paid_abroad(event: TransactionPosted) -> bool:
        return event.direction is Direction.DEBIT and event.counterparty.country != "IT"

    monkeypatch.setitem(
        RULES,
        "paid_abroad",
        Rule(
            event_type="TransactionPosted",
            concerns=paid_abroad,
            compared=Compared.NOTHING,
            stages=frozenset({TransactionStatus.POSTED}),
        ),
    )
    kind = msgspec.structs.replace(CATALOGUE.kind("atm_withdrawal"), name="abroad", rule="paid_abroad", mandatory=True)
    kinds = Catalogue(version="2", kinds=(kind,))

    assert passes(transaction(), None, kinds)
    assert not passes(transaction(direction=Direction.CREDIT), None, kinds)


def test_customers_who_asked_for_the_same_share_one_word() -> None:
    screen = Screen(CATALOGUE)

    assert screen.word(only("large_debit")) is screen.word(only("large_debit", language="it"))


def test_a_glance_prints_nothing_private() -> None:
    assert repr(glance(transaction())) == "Glance(event_type='TransactionPosted')"
