"""What holds of every decision, whatever the event, the customer and the bank's catalogue."""

from datetime import datetime

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from consumer.core.candidate import unwanted
from consumer.core.catalogue import AlertKind, Catalogue
from consumer.core.decision import Decision, Notify, Suppress, decide
from consumer.core.event import Event, event_type
from consumer.core.preferences import AlertPreference, Preferences
from consumer.core.rules import RULES
from consumer.core.standing import Memory
from consumer.core.timing import quiet_until
from consumer.core.weighing import questions, weigh
from tests.builders import PSEUDONYMS
from tests.deciding import CATALOGUE, empty
from tests.properties.deciding_strategies import INSTANTS, catalogues, customers, events

LAW = settings(max_examples=60, deadline=None)


def judged(
    event: Event, customer: Preferences | None, kinds: Catalogue, now: datetime, memory: Memory | None = None
) -> Decision:
    return decide(weigh(event, "cust-1", customer, kinds, PSEUDONYMS), memory or empty(), now)


@given(events(), st.none() | customers(), catalogues(), INSTANTS)
@LAW
def test_the_same_question_has_the_same_answer_and_changes_nothing(
    event: Event, customer: Preferences | None, kinds: Catalogue, now: datetime
) -> None:
    memory = empty()

    assert judged(event, customer, kinds, now, memory) == judged(event, customer, kinds, now, memory)
    assert memory == empty()


@given(events(), st.none() | customers(), catalogues(), INSTANTS)
@LAW
def test_a_notice_is_about_the_first_of_its_kinds_and_all_of_them_are_wanted(
    event: Event, customer: Preferences | None, kinds: Catalogue, now: datetime
) -> None:
    decision = judged(event, customer, kinds, now)

    if isinstance(decision, Notify):
        told = [kinds.kind(name) for name in (decision.kind, *decision.also)]
        assert told == sorted(told, key=lambda kind: (kind.alert_class.rank, kinds.kinds.index(kind)))
        assert len(set(decision.also) | {decision.kind}) == len(told)
        assert all(unwanted(kind, customer) is None and RULES[kind.rule].concerns(event) for kind in told)
        assert all(kind.event_type == event_type(event) for kind in told)


@given(events(), st.none() | customers(), catalogues(), INSTANTS)
@LAW
def test_a_notice_never_falls_into_quiet_hours_and_ends_with_its_freshness(
    event: Event, customer: Preferences | None, kinds: Catalogue, now: datetime
) -> None:
    decision = judged(event, customer, kinds, now)

    if isinstance(decision, Notify):
        kind = kinds.kind(decision.kind)
        assert decision.stale_at == event.occurred_at + kind.freshness
        assert decision.not_before >= now
        assert kind.bypasses_quiet_hours or quiet_until(decision.not_before, customer) is None
        assert decision.not_before < decision.stale_at or decision.stale_at <= now


@given(events(), customers(), catalogues(), INSTANTS)
@LAW
def test_whoever_switched_everything_off_hears_only_what_is_mandatory(
    event: Event, customer: Preferences, kinds: Catalogue, now: datetime
) -> None:
    off = {kind.name: AlertPreference(enabled=False) for kind in kinds.kinds}

    decision = judged(event, msgspec.structs.replace(customer, alerts=off), kinds, now)

    if isinstance(decision, Notify):
        assert all(kinds.kind(name).mandatory for name in (decision.kind, *decision.also))


@given(events(), catalogues(), INSTANTS)
@LAW
def test_a_stranger_hears_only_what_is_mandatory(event: Event, kinds: Catalogue, now: datetime) -> None:
    decision = judged(event, None, kinds, now)

    if isinstance(decision, Notify):
        assert all(kinds.kind(name).mandatory for name in (decision.kind, *decision.also))


@given(events(), customers(), INSTANTS, st.sampled_from(CATALOGUE.kinds))
@LAW
def test_asking_for_more_never_silences(event: Event, customer: Preferences, now: datetime, more: AlertKind) -> None:
    asked = {**customer.alerts, more.name: AlertPreference(enabled=True)}

    before = judged(event, customer, CATALOGUE, now)
    after = judged(event, msgspec.structs.replace(customer, alerts=asked), CATALOGUE, now)

    assert isinstance(before, Suppress) or isinstance(after, Notify) or more.name in customer.alerts


@given(events(), customers(), catalogues(), INSTANTS)
@LAW
def test_what_a_decision_changes_and_keeps_is_what_it_asked_about(
    event: Event, customer: Preferences, kinds: Catalogue, now: datetime
) -> None:
    asked = questions([weigh(event, "cust-1", customer, kinds, PSEUDONYMS)])

    decision = judged(event, customer, kinds, now)

    assert {change.key for change in decision.standings} <= asked.standings
    assert all(change.after.sequence == event.order for change in decision.standings)
    if isinstance(decision, Notify):
        assert {occurrence.key for occurrence in decision.occurrences} <= asked.occurrences
