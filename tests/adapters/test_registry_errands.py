"""Questions to a registry on threads of their own: nobody waits for them, and none is asked twice."""

import functools
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, NumberDataPoint

from consumer.adapters.registry import errands as module
from consumer.adapters.registry.errands import WANTED_FOR_S, Errands
from consumer.adapters.registry.memory import SCHEMAS_MAX, Memory, Refusal
from consumer.backoff import endless
from consumer.errors import Awaited, DeadLetterReason, Unavailable, Undecodable
from consumer.waiting import AHEAD_MAX

DEADLINE_S = 10.0


class Desk:
    """A registry that answers when told to, a memory of its answers, and errands that ask it."""

    def __init__(self, stack: ExitStack) -> None:
        self.now_s = 100.0
        self.asked: list[str] = []
        self.named: set[tuple[str, str]] = set()
        self.answers: dict[str, Any] = {}
        self.answering = threading.Event()
        backoff = endless(first_s=2.0, longest_s=8.0, chance=random.Random(1))
        self.errands = stack.enter_context(Errands(backoff=backoff, clock=lambda: self.now_s, threads_max=2))
        self._memory = Memory(
            unknown_for_s=30.0, clock=lambda: self.now_s, asking=functools.partial(self.errands.send, "registry")
        )
        stack.callback(self.answering.set)

    def want(self, name: str) -> str:
        """The schema, or what is said in its place."""
        try:
            return self._memory.schema(name, lambda: self._answer(name))
        except Awaited as awaited:
            self.named.add((awaited.what, awaited.schema))
            return awaited.code
        except Undecodable as problem:
            return problem.reason

    def want_until(self, so: Callable[[str], bool], name: str = "7") -> str:
        deadline_s = time.monotonic() + DEADLINE_S
        while not so(found := self.want(name)):
            assert time.monotonic() < deadline_s, f"still {found!r}"
            time.sleep(0.002)
        return found

    def _answer(self, name: str) -> str | Refusal | None:
        self.asked.append(name)
        self.answering.wait(DEADLINE_S)
        answer = self.answers.get(name)
        if isinstance(answer, Exception):
            raise answer
        assert answer is None or isinstance(answer, (str, Refusal))
        return answer


@pytest.fixture
def desk() -> Iterator[Desk]:
    with ExitStack() as stack:
        yield Desk(stack)
    for thread in threads():
        thread.join(DEADLINE_S)


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("registry-")]


def test_nobody_waits_and_however_many_want_a_schema_it_is_asked_for_once(desk: Desk) -> None:
    desk.answers["7"] = "{}"

    assert [desk.want("7") for _ in range(5)] == ["no_answer"] * 5
    desk.answering.set()

    assert desk.want_until(lambda found: found != "no_answer") == "{}"
    assert desk.asked == ["7"]
    assert desk.named == {("registry", "7")}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [(None, DeadLetterReason.UNKNOWN_SCHEMA), (Refusal("not Avro"), DeadLetterReason.SCHEMA_REFUSED)],
)
def test_that_there_is_no_schema_is_an_answer_too_and_remembered(
    desk: Desk, answer: Refusal | None, reason: DeadLetterReason
) -> None:
    desk.answers["7"] = answer
    desk.answering.set()

    assert desk.want_until(lambda found: found != "no_answer") == reason
    assert [desk.want("7") for _ in range(3)] == [reason] * 3
    assert desk.asked == ["7"]


def test_what_is_unknown_is_asked_for_again_after_a_while(desk: Desk) -> None:
    desk.answering.set()
    desk.want_until(lambda found: found == DeadLetterReason.UNKNOWN_SCHEMA)
    desk.answers["7"] = "{}"
    desk.now_s += 31

    assert desk.want("7") == "no_answer"
    assert desk.want_until(lambda found: found != "no_answer") == "{}"


def test_what_was_asked_for_again_is_remembered_as_long_as_what_is_new(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consumer.adapters.registry.memory.SCHEMAS_MAX", 3)
    desk.answering.set()
    for name in "789":
        desk.want_until(lambda found: found == DeadLetterReason.UNKNOWN_SCHEMA, name)
    desk.now_s += 31
    for name in "7a":
        desk.want_until(lambda found: found == DeadLetterReason.UNKNOWN_SCHEMA, name)

    assert desk.want("7") == DeadLetterReason.UNKNOWN_SCHEMA
    assert desk.asked == ["7", "8", "9", "7", "a"]


def test_there_is_room_for_all_that_is_asked_for_ahead() -> None:
    assert min(module.ERRANDS_MAX, SCHEMAS_MAX) >= 2 * AHEAD_MAX


def test_an_outage_is_named_and_asked_again_only_after_its_back_off_and_only_if_somebody_asks(desk: Desk) -> None:
    desk.answers["7"] = Unavailable("registry", "timeout")
    desk.answering.set()

    desk.want_until(lambda found: found == "timeout")
    desk.now_s += 0.9
    desk.want("7")
    asked_in_between = list(desk.asked)
    desk.now_s += 1.2
    asked_by_itself = list(desk.asked)
    desk.answers["7"] = "{}"

    assert desk.want("7") == "timeout"
    assert desk.want_until(lambda found: found != "timeout") == "{}"
    assert asked_in_between == asked_by_itself == ["7"]
    assert desk.asked == ["7", "7"]


def test_the_waits_between_two_questions_grow_up_to_a_limit_and_never_end_white_box(desk: Desk) -> None:
    desk.answers["7"] = Unavailable("registry", "timeout")
    desk.answering.set()
    desk.want("7")

    for longest_s in (2, 4, 8, 8, 8):
        errand = desk.errands._errands["registry", "7"]
        desk.want_until(lambda _, errand=errand: not errand.under_way)  # type: ignore[misc]
        assert longest_s / 2 <= errand.again_at_s - desk.now_s <= longest_s
        desk.now_s += longest_s
        desk.want("7")


def test_one_that_hangs_holds_up_no_other(desk: Desk) -> None:
    desk.answers |= {"7": "{}", "8": "{}"}
    desk.want("7")

    desk.want("8")
    desk.want_until(lambda _: "8" in desk.asked, "8")

    assert desk.want("7") == desk.want("8") == "no_answer"


def test_no_more_are_asked_at_once_than_there_are_threads(desk: Desk) -> None:
    desk.answers |= dict.fromkeys("3456789", "{}")
    for name in "3456789":
        desk.want(name)
    desk.want_until(lambda _: len(desk.asked) == 2)

    running, asked = len(threads()), len(desk.asked)
    desk.answering.set()

    assert all(desk.want_until(lambda found: found != "no_answer", name) == "{}" for name in "3456789")
    assert (running, asked) == (2, 2)


def test_what_nobody_asks_for_any_more_does_not_stand_before_what_somebody_needs(desk: Desk) -> None:
    desk.answers |= dict.fromkeys("12345", "{}")
    for name in "1234":
        desk.want(name)
    desk.want_until(lambda _: len(desk.asked) == 2, "1")
    desk.now_s += WANTED_FOR_S - 1.0
    desk.want("4")
    desk.now_s += 2.0
    desk.want("5")

    desk.answering.set()
    for name in "45":
        desk.want_until(lambda found: found == "{}", name)

    assert sorted(desk.asked) == ["1", "2", "4", "5"]
    desk.want_until(lambda found: found == "{}", "3")


def test_a_defect_reaches_the_thread_that_asks(desk: Desk) -> None:
    desk.answers["7"] = ZeroDivisionError()
    desk.answering.set()

    with pytest.raises(ZeroDivisionError):
        desk.want_until(lambda _: False)


def test_their_number_is_limited_and_what_was_given_up_makes_room(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ERRANDS_MAX", 1)
    desk.answers |= {"7": Unavailable("registry", "timeout"), "8": "{}"}
    desk.want("7")

    refused = desk.want("8")
    begun = list(desk.errands._errands)
    desk.answering.set()
    desk.want_until(lambda found: found == "timeout")

    assert (refused, begun) == ("no_answer", [("registry", "7")])
    assert desk.want_until(lambda found: found != "no_answer", "8") == "{}"


def test_what_another_has_learned_meanwhile_is_not_asked_for_again() -> None:
    questions: list[str] = []

    def twice(_: str, ask: Callable[[], str | Refusal]) -> str | Refusal:
        ask()
        return ask()

    def answer() -> str:
        questions.append("7")
        return "{}"

    assert Memory(unknown_for_s=30.0, clock=lambda: 0.0, asking=twice).schema("7", answer) == "{}"
    assert questions == ["7"]


def test_closing_waits_for_no_answer_and_begins_no_more(desk: Desk) -> None:
    desk.answers |= dict.fromkeys("789", "{}")
    for name in "789":
        desk.want(name)
    desk.want_until(lambda _: len(desk.asked) == 2)
    started_s = time.monotonic()

    desk.errands.__exit__()

    assert time.monotonic() - started_s < DEADLINE_S / 2
    desk.answering.set()
    for thread in threads():
        thread.join(DEADLINE_S)
    assert sorted(desk.asked) == ["7", "8"]


def test_outages_are_counted(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = InMemoryMetricReader()
    provider = MeterProvider(metric_readers=[reader])
    monkeypatch.setattr(module, "REGISTRY_ERRORS", provider.get_meter("test").create_counter("errors"))
    desk.answers["7"] = Unavailable("registry", "http_503")
    desk.answering.set()

    desk.want_until(lambda found: found == "http_503")

    data = reader.get_metrics_data()
    provider.shutdown()
    assert data is not None
    [point] = data.resource_metrics[0].scope_metrics[0].metrics[0].data.data_points
    assert isinstance(point, NumberDataPoint)
    assert (point.value, point.attributes) == (1, {"what": "registry", "code": "http_503"})
