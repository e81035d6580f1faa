from collections.abc import Sequence

import msgspec
import pytest

from consumer.adapters.registry import Registered, RegistrationRefused, Registry, register
from consumer.errors import Unavailable
from tests.registries import Asked, Behaviour, ScriptedRegistry, json_reply


def _registered(answers: Sequence[Behaviour]) -> tuple[list[Asked], list[Registered] | Exception]:
    """What is asked, and what comes of it, when two versions are registered with a registry that answers so."""
    left = list(answers)
    with (
        ScriptedRegistry(lambda _: left.pop(0)) as server,
        Registry(server.url, timeout_s=5, sleep=lambda _: None) as registry,
    ):
        try:
            return server.asked, register(registry, {"bank.transactions.v1": ["one", "two"]})
        except (RegistrationRefused, Unavailable) as problem:
            return server.asked, problem


def test_versions_are_registered_in_their_order_under_the_topics_subject() -> None:
    asked, registered = _registered([json_reply({"id": 3}), json_reply({"id": 8})])

    assert [one.path for one in asked] == ["/apis/ccompat/v7/subjects/bank.transactions.v1-value/versions"] * 2
    assert [msgspec.json.decode(one.body) for one in asked] == [{"schema": "one"}, {"schema": "two"}]
    assert registered == [
        Registered(subject="bank.transactions.v1-value", version=1, schema_id=3),
        Registered(subject="bank.transactions.v1-value", version=2, schema_id=8),
    ]


def test_an_outage_half_way_is_tried_again() -> None:
    answers = [json_reply({"id": 3}), json_reply({}, 503), json_reply({"id": 8})]

    asked, registered = _registered(answers)

    assert len(asked) == 3
    assert isinstance(registered, list)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (
            json_reply({"error_code": 409, "message": "+393401234567"}, 409),
            "bank.transactions.v1-value: the registry finds v2 incompatible with what it has; look at",
        ),
        (
            json_reply({"error_code": 42201}, 422),
            "bank.transactions.v1-value: the registry does not take v2 (code 42201)",
        ),
        (json_reply({}, 404), "bank.transactions.v1-value: the registry does not take v2 (code 404)"),
        (json_reply({}, 401), "registry is unavailable (unauthorized)"),
        (json_reply({"version": 2}), "registry is unavailable (not_a_registry)"),
    ],
)
def test_a_refusal_says_which_version_and_what_to_look_at(answer: Behaviour, problem: str) -> None:
    _, outcome = _registered([json_reply({"id": 3}), answer])

    assert str(outcome).startswith(problem)
    assert "+39" not in repr(outcome)
