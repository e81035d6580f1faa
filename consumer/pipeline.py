"""What happens to one record: screen, event, one decision per customer, the change it makes in the outbox."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import assert_never

import msgspec

from consumer.core.catalogue import Catalogue
from consumer.core.decision import Notify, Suppress, cancellation, decide, is_reversal
from consumer.core.event import Event, TransactionPosted, event_type
from consumer.core.masking import masked_values
from consumer.core.notice import Change, EventKey, Notice
from consumer.core.preferences import DetailLevel, Preferences
from consumer.core.pseudonym import Pseudonyms
from consumer.core.record import Fetched, Record
from consumer.core.screen import screened
from consumer.core.standing import Memory, Questions, StandingChange
from consumer.core.weighing import Weighed, questions, weigh
from consumer.errors import Awaited, Undecodable
from consumer.ports import DeadLetter, EventDecoder, PreferenceTable
from consumer.telemetry import Span, point

TURN_CASES_MAX = 1000
NOTIFY = "notify"
DUPLICATE = "duplicate"


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One event and one customer entitled to hear of it, weighed by what they asked for as it stands now."""

    record: Record
    event: Event
    customer_id: str
    weighed: Weighed

    @property
    def preferences(self) -> Preferences | None:
        """What the customer asked for; None if nothing."""
        return self.weighed.preferences


def turns(cases: Iterable[Case]) -> list[list[Case]]:
    """The cases in an order that can be judged, all of a turn together: nobody's reversal has anything of theirs behind it.

    What a reversal gives back depends on what was begun to be sent meanwhile, which only the outbox knows: so what comes
    after it is judged once it is recorded. Customers have nothing in common, so one's reversal does not hold up another. And
    no turn is so long that whoever settles what was sent has to wait for it to be written.
    """
    found: list[list[Case]] = [[]]
    reversals: dict[str, int] = {}
    for case in cases:
        turn = reversals.get(case.customer_id, 0)
        if turn == len(found):
            found.append([])
        found[turn].append(case)
        if is_reversal(case.event):
            reversals[case.customer_id] = turn + 1
    return [turn[start : start + TURN_CASES_MAX] for turn in found for start in range(0, len(turn), TURN_CASES_MAX)]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a case comes to. `change` is None where nothing changes.

    `reason` is `notify`, `duplicate` where the outbox has the event already, or why nothing is told.
    """

    reason: str
    change: Change | None


class Screening(msgspec.Struct, frozen=True, kw_only=True):
    """What is left to be read, and of what was dropped how many events there were of each type, for how many customers."""

    unread: Sequence[Record] = ()
    events: Mapping[str, int] = {}
    customers: int = 0


class Pipeline(msgspec.Struct, frozen=True, kw_only=True):
    """record -> screen -> event -> decision -> notice, without waiting for anything."""

    decoder: EventDecoder
    preferences: PreferenceTable
    catalogue: Catalogue
    pseudonyms: Pseudonyms
    tenant: str

    def screen(self, records: Fetched) -> Screening:
        """Which of them have something to tell or remember; the others can concern nobody."""
        glances = self.decoder.glances(records)
        words = self.preferences.words([one for glance in glances if glance is not None for one in glance.customers])
        found = screened(glances, words)
        return Screening(
            unread=[records[place] for place in found.unread], events=found.events, customers=found.customers
        )

    def read(self, record: Record) -> Event | DeadLetter:
        """What the record tells of, or the dead letter that it is. Raises Awaited where its schema is still to come."""
        try:
            return self.decoder.decode(record)
        except Undecodable as problem:
            return DeadLetter(record=record, reason=problem.reason, detail=problem.detail, schema=problem.schema)

    def cases(self, happened: Iterable[tuple[Record, Event]]) -> Sequence[Case]:
        """Each event for everybody entitled to hear of it, in order; all of them as they stand at one moment."""
        entitled = [(record, event, customer_id) for record, event in happened for customer_id in event.customer_ids]
        asked = self.preferences.get_many(customer_id for _, _, customer_id in entitled)
        return [
            Case(
                record=record,
                event=event,
                customer_id=customer_id,
                weighed=weigh(event, customer_id, preferences, self.catalogue, self.pseudonyms),
            )
            for (record, event, customer_id), preferences in zip(entitled, asked, strict=True)
        ]

    def awaited(self, record: Record) -> Awaited | None:
        """What the record still waits for; None where it can be read now, if only as a dead letter."""
        return self.decoder.awaited(record)

    def questions(self, cases: Iterable[Case]) -> Questions:
        """What must be remembered before these cases can be judged."""
        return questions(case.weighed for case in cases)

    def judge(self, case: Case, memory: Memory, known: set[EventKey], now: datetime) -> Verdict:
        """Decide one case, and let `memory` and `known` learn from it for the cases after it.

        An event that is among the `known` tells nothing any more, whatever preferences say by now. It still takes back: an
        earlier stage that was silent may be told now, because what silenced it was taken back.
        """
        decision = decide(case.weighed, memory, now)
        match decision:
            case Suppress():
                memory.learn(decision.standings, ())
                return Verdict(reason=decision.reason.value, change=self._change(case, decision.standings, None))
            case Notify():
                key = self._key(case)
                if key in known:
                    return Verdict(reason=DUPLICATE, change=self._change(case, (), None))
                memory.learn(decision.standings, decision.occurrences)
                known.add(key)
                notice = self._notice(case, key, decision, now)
                point(Span.PROCESS, traceparent=notice.traceparent, attributes={"avviso.kind": decision.kind})
                return Verdict(reason=NOTIFY, change=self._change(case, decision.standings, notice))
            case _:
                assert_never(decision)

    def _key(self, case: Case) -> EventKey:
        return EventKey(
            tenant=self.tenant,
            event_type=event_type(case.event),
            event_id=case.event.event_id,
            customer_id=case.customer_id,
        )

    def _notice(self, case: Case, key: EventKey, decision: Notify, now: datetime) -> Notice:
        event, preferences = case.event, case.preferences
        kind = self.catalogue.kind(decision.kind)
        level = DetailLevel.NONE if preferences is None else preferences.detail_level
        return Notice(
            key=key,
            kind=decision.kind,
            also=decision.also,
            alert_class=kind.alert_class.name,
            rank=kind.alert_class.rank,
            in_doubt=kind.in_doubt,
            detail_level=level,
            values=masked_values(event, level),
            facts=decision.facts,
            catalogue_version=self.catalogue.version,
            occurred_at=event.occurred_at,
            recorded_at=now,
            stale_at=decision.stale_at,
            not_before=decision.not_before,
            record=case.record.position,
            record_timestamp=case.record.timestamp,
            preferences=None if preferences is None else preferences.position,
            traceparent=case.record.traceparent,
            transaction_id=event.transaction_id if isinstance(event, TransactionPosted) else None,
            occurrences=decision.occurrences,
        )

    def _change(self, case: Case, standings: tuple[StandingChange, ...], notice: Notice | None) -> Change | None:
        undone = cancellation(case.event, case.customer_id, case.record.position, self.catalogue)
        if notice is None and undone is None and not standings:
            return None
        return Change(notice=notice, standings=standings, cancellation=undone)
