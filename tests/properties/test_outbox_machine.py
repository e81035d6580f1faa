import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from consumer.core.catalogue import InDoubtPolicy
from consumer.core.delivery import RESENDS_MAX, UNTOLD, Claim, Settlement, State, Trigger, replayed
from consumer.core.notice import Change, Notice
from consumer.core.standing import Occurrence, Questions, Side, Standing, StandingChange, StandingKey
from consumer.core.story import NoticeStory
from consumer.errors import Conflict
from tests.builders import NOW
from tests.outboxes import ATTEMPT, LEASE, PATIENCE, UNDONE, SqliteBench, numbered

ACCOUNT = StandingKey(customer_id="cust-1", account="a1", kind="low_balance")
POLICIES = st.sampled_from([InDoubtPolicy.RESEND, InDoubtPolicy.RESEND, InDoubtPolicy.HOLD])
FRESH_S = st.sampled_from([100_000, 100_000, 1_500, 20])
PICKS = st.integers(min_value=0, max_value=3)
MEMORY = Path("/dev/shm")  # a disk that need not be flushed: what is tested is the order of things, not the disk
CLAIMS_MAX = 6
OUTCOMES = st.lists(
    st.tuples(
        st.booleans(), st.sampled_from(["told", "lost", "late"]), st.sampled_from([Trigger.RETRY, Trigger.REJECT])
    ),
    min_size=CLAIMS_MAX,
    max_size=CLAIMS_MAX,
)
"""Of each call: whether the provider takes the text, what becomes of its reply, and what it says if it does not take it."""
Stories = Mapping[int, NoticeStory]


class Call(msgspec.Struct, kw_only=True):
    """One request to the provider: what the provider did, and whether the worker has been told."""

    claim: Claim
    taken: bool
    message_id: str
    reported: bool = False


class OutboxMachine(RuleBasedStateMachine):
    """Intake, workers and a provider around one outbox; any of them may be slow, repeat itself or die between two steps."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(dir=MEMORY if MEMORY.is_dir() else None))
        self.bench = SqliteBench(self.folder)
        self.now = NOW
        self.claims: list[Claim] = []
        self.calls: list[Call] = []
        self.histories: dict[int, list[str]] = {}
        self.events = 0
        self.sequence = 0
        self.standing: Standing | None = None
        self.teller: int | None = None

    def teardown(self) -> None:
        self.bench.close()
        shutil.rmtree(self.folder)

    @initialize(policies=st.lists(POLICIES, min_size=6, max_size=6))
    def a_few_transactions_are_there(self, policies: list[InDoubtPolicy]) -> None:
        """Hypothesis leaves out some of the rules in each example; so there is always something to tell."""
        for policy in policies:
            self.a_transaction_is_delivered(policy=policy, fresh_s=100_000, again=0)

    # Intake

    @rule(policy=POLICIES, fresh_s=FRESH_S, again=st.sampled_from([0, 0, 1, 2]))
    def a_transaction_is_delivered(self, policy: InDoubtPolicy, fresh_s: int, again: int) -> None:
        """A new one, or one of the latest again; whatever intake has been told already it does not tell again."""
        self.events += again == 0
        event = max(1, self.events - max(0, again - 1))
        occurrence = Occurrence(customer_id="cust-1", kind="large_debit", scope=f"tx:{event}:posted")
        notice = self.notice(event, fresh_s, policy, transaction_id=f"tx-{event}", occurrences=(occurrence,))
        if occurrence.key not in self.told(occurrence):
            self.record(Change(notice=notice))

    @precondition(lambda self: self.events)
    @rule(pick=PICKS, policy=POLICIES)
    def a_transaction_is_reversed(self, pick: int, policy: InDoubtPolicy) -> None:
        event = max(1, self.events - pick)
        undone = msgspec.structs.replace(UNDONE, transaction_id=f"tx-{event}")
        occurrence = Occurrence(customer_id="cust-1", kind="refund_or_reversal", scope=f"tx:{event}:reversed")
        notice = self.notice(event + 1000, 100_000, policy, transaction_id=f"tx-{event}", occurrences=(occurrence,))
        told = occurrence.key in self.told(occurrence)
        self.record(Change(notice=None if told else notice, cancellation=undone))

    @rule(side=st.sampled_from(Side), policy=POLICIES, fresh_s=FRESH_S)
    def the_balance_changes(self, side: Side, policy: InDoubtPolicy, fresh_s: int) -> None:
        """Told when it falls, and not again until it has recovered."""
        self.sequence += 1
        before = self.bench.outbox.recall(Questions(standings=frozenset({ACCOUNT}))).standings.get(ACCOUNT)
        tells = side is Side.BELOW and (before is None or before.side is Side.ABOVE)
        after = Standing(side=side, sequence=self.sequence)
        moved = StandingChange(key=ACCOUNT, before=before, after=after)
        notice = self.notice(2000 + self.sequence, fresh_s, policy, kind="low_balance", transaction_id=None)
        self.bench.outbox.record([Change(notice=notice if tells else None, standings=(moved,))], self.now).durable()
        self.standing = after
        if tells:
            self.teller = self.bench.reader.list(state=None, customer_id=None, limit=1)[0].notice_id
        elif side is Side.ABOVE:
            self.teller = None

    def record(self, change: Change) -> None:
        """As intake does: an event that was recorded before is let go."""
        known = {change.notice.key} if change.notice is not None else set()
        try:
            self.bench.outbox.record([change], self.now).durable()
        except Conflict as conflict:
            if conflict.known != known:
                raise

    def notice(self, number: int, fresh_s: int, policy: InDoubtPolicy, **changes: object) -> Notice:
        return numbered(
            number,
            in_doubt=policy,
            not_before=self.now,
            stale_at=self.now + timedelta(seconds=fresh_s),
            **changes,
        )

    def told(self, *occurrences: Occurrence) -> set[object]:
        questions = Questions(occurrences=frozenset(one.key for one in occurrences))
        return set(self.bench.outbox.recall(questions).told)

    # Dispatch

    @rule(outcomes=OUTCOMES)
    def a_worker_sends_what_is_due(self, outcomes: list[tuple[bool, str, Trigger]]) -> None:
        """`late`: it is still waiting for the reply when whatever comes next happens."""
        for claim, (taken, reply, unsent) in zip(self.claimed("worker-1"), outcomes, strict=False):
            if self.began(claim, taken=taken) and reply != "late":
                self.answered(self.calls[-1], unsent, lost=reply == "lost")

    @rule(owner=st.sampled_from(["worker-1", "worker-2"]))
    def a_worker_claims_and_is_slow(self, owner: str) -> None:
        self.claimed(owner)

    @precondition(lambda self: self.claims)
    @rule(outcomes=OUTCOMES)
    def slow_workers_go_on(self, outcomes: list[tuple[bool, str, Trigger]]) -> None:
        """With claims of long ago too: they must be refused."""
        for claim, (taken, reply, _) in zip(reversed(self.claims), outcomes, strict=False):
            if reply != "late":
                self.began(claim, taken=taken)

    @precondition(lambda self: self.calls)
    @rule(outcomes=OUTCOMES)
    def replies_arrive_late_or_again(self, outcomes: list[tuple[bool, str, Trigger]]) -> None:
        """After the lease, after a doubt, after the resend, after the end of its process."""
        for call, (_, reply, unsent) in zip(self.calls[-CLAIMS_MAX:], outcomes, strict=False):
            if reply != "late":
                self.answered(call, unsent, lost=reply == "lost")

    @precondition(lambda self: self.claims)
    @rule(pick=PICKS, trigger=st.sampled_from([Trigger.RELEASE, Trigger.EXPIRE, Trigger.CANCEL, Trigger.REJECT]))
    def a_worker_gives_up_before_it_begins(self, pick: int, trigger: Trigger) -> None:
        claim = self.claims[-1 - pick % len(self.claims)]
        if all(call.claim != claim for call in self.calls):
            self.bench.outbox.settle(claim, Settlement(trigger=trigger, reason="because"), self.now)

    def claimed(self, owner: str) -> list[Claim]:
        claims = self.bench.outbox.claim(owner=owner, now=self.now, lease_until=self.now + LEASE, limit=CLAIMS_MAX)
        assert all(claim.notice.stale_at > self.now for claim in claims), "what is stale is no news"
        self.claims += claims
        return list(claims)

    def began(self, claim: Claim, *, taken: bool) -> bool:
        begun = self.bench.outbox.begin(claim, ATTEMPT, self.now)
        if begun:
            assert claim.lease_until > self.now, "a sweep could call it lost any moment"
            self.calls.append(Call(claim=claim, taken=taken, message_id=f"message-{len(self.calls)}"))
        return begun

    def answered(self, call: Call, unsent: Trigger, *, lost: bool) -> None:
        if lost:
            answer = Settlement(trigger=Trigger.DOUBT, reason="ReadTimeoutError")
        elif call.taken:
            answer = Settlement(trigger=Trigger.ACCEPT, reason="accepted", message_id=call.message_id)
            call.reported = True
        else:
            answer = Settlement(trigger=unsent, reason="Throttling", not_before=self.now)
        self.bench.outbox.settle(call.claim, answer, self.now)

    # Time and accidents

    @rule(seconds=st.sampled_from([1, 40, 1_000]), swept=st.sampled_from([True, True, False]))
    def time_passes(self, seconds: int, *, swept: bool) -> None:
        self.now += timedelta(seconds=seconds)
        if swept:
            self.bench.outbox.sweep(self.now, PATIENCE)

    @rule()
    def the_process_dies(self) -> None:
        """Whoever waits for the provider dies with it; what it was told is gone, what the provider took is not."""
        self.bench.kill(self.now)

    # Laws

    @invariant()
    def the_promises_hold(self) -> None:
        stories = self.stories()
        for law in (
            self.no_event_is_there_twice,
            self.a_history_only_grows_and_replays_along_the_table_to_the_state,
            self.no_phone_rings_more_often_than_the_policy_allows,
            self.what_rang_is_not_untold_and_what_is_accepted_rang,
            self.proof_is_never_lost,
            self.occurrences_are_told_exactly_while_their_notice_has_not_ended_untold,
            self.a_standing_is_armed_again_exactly_when_its_notice_ended_untold,
            self.the_counts_agree_with_the_notices,
        ):
            law(stories)

    def no_event_is_there_twice(self, stories: Stories) -> None:
        keys = Counter(one.claim.notice.key for one in stories.values())
        assert not [key for key, times in keys.items() if times > 1]

    def a_history_only_grows_and_replays_along_the_table_to_the_state(self, stories: Stories) -> None:
        for notice_id, one in stories.items():
            history = [f"{entry.at} {entry.trigger} {entry.state}" for entry in one.history]
            known = self.histories.get(notice_id, [])
            assert history[: len(known)] == known
            self.histories[notice_id] = history
            assert replayed(entry.trigger for entry in one.history).value == one.summary.state
            assert one.history[-1].state == one.summary.state

    def no_phone_rings_more_often_than_the_policy_allows(self, stories: Stories) -> None:
        rings = Counter(call.claim.notice_id for call in self.calls if call.taken)
        for notice_id, times in rings.items():
            resend = stories[notice_id].claim.notice.in_doubt is InDoubtPolicy.RESEND
            assert times <= 1 + (RESENDS_MAX if resend else 0)

    def what_rang_is_not_untold_and_what_is_accepted_rang(self, stories: Stories) -> None:
        rang = {call.claim.notice_id for call in self.calls if call.taken}
        for notice_id, one in stories.items():
            assert not (State(one.summary.state) in UNTOLD and notice_id in rang)
            assert not (one.summary.state == State.ACCEPTED and notice_id not in rang)

    def proof_is_never_lost(self, stories: Stories) -> None:
        for call in self.calls:
            if call.reported:
                one = stories[call.claim.notice_id]
                assert call.message_id in {entry.detail.get("message_id") for entry in one.history}
                assert one.summary.state in {State.ACCEPTED, State.SENDING}

    def occurrences_are_told_exactly_while_their_notice_has_not_ended_untold(self, stories: Stories) -> None:
        every = {occurrence for one in stories.values() for occurrence in one.claim.notice.occurrences}
        alive = {
            occurrence.key
            for one in stories.values()
            if State(one.summary.state) not in UNTOLD
            for occurrence in one.claim.notice.occurrences
        }
        assert self.told(*every) == alive

    def a_standing_is_armed_again_exactly_when_its_notice_ended_untold(self, stories: Stories) -> None:
        if self.teller is not None and State(stories[self.teller].summary.state) in UNTOLD:
            assert self.standing is not None
            self.standing, self.teller = Standing(side=Side.ABOVE, sequence=self.standing.sequence), None
        found = self.bench.outbox.recall(Questions(standings=frozenset({ACCOUNT}))).standings.get(ACCOUNT)
        assert found == self.standing

    def the_counts_agree_with_the_notices(self, stories: Stories) -> None:
        counted = {state: count for state, count in self.bench.reader.stats().items() if count}
        assert counted == Counter(one.summary.state for one in stories.values())

    def story(self, notice_id: int) -> NoticeStory:
        found = self.bench.reader.show(notice_id)
        assert found is not None
        return found

    def stories(self) -> Stories:
        found = self.bench.reader.list(state=None, customer_id=None, limit=1000)
        return {one.notice_id: self.story(one.notice_id) for one in found}


def test_whatever_happens_in_whatever_order_the_promises_hold() -> None:
    run_state_machine_as_test(OutboxMachine, settings=settings(max_examples=100, stateful_step_count=40, deadline=None))
