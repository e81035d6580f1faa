"""How records happen to be polled together decides nothing: any cut of a stream leaves the same outbox."""

import shutil
import tempfile
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from consumer.core.event import Channel, Event, TransactionStatus
from consumer.core.preferences import Repeat
from tests.builders import NOW, balance, euros, preferences, transaction
from tests.deciding import wishing
from tests.judging import taken_in
from tests.outboxes import ATTEMPT, SqliteBench, claimed

MEMORY = Path("/dev/shm")  # a disk that need not be flushed: what is tested is the order of things, not the disk
LAW = settings(max_examples=80, deadline=None)
ANNA = preferences()
BRUNO = msgspec.structs.replace(wishing("large_debit", repeat=Repeat.ONCE_A_DAY), customer_id="cust-2")
AUTHORISED, POSTED, REVERSED = TransactionStatus.AUTHORISED, TransactionStatus.POSTED, TransactionStatus.REVERSED
PAYMENTS = st.builds(
    lambda number, amount, **what: transaction(transaction_id=f"tx-{number}", amount=euros(amount), **what),
    number=st.sampled_from([1, 1, 1, 2]),
    amount=st.sampled_from(["101", "101", "101", "99", "900"]),
    status=st.sampled_from([AUTHORISED, POSTED, REVERSED]),
    channel=st.sampled_from([Channel.CARD_PRESENT, Channel.ECOMMERCE]),
    original_transaction_id=st.sampled_from([None, None, None, "tx-1"]),
    customer_ids=st.sampled_from([("cust-1",), ("cust-1", "cust-2")]),
    occurred_at=st.sampled_from([NOW - timedelta(hours=age) for age in (0, 0, 0, 1, 13)]),
)
BALANCES = st.builds(
    lambda sequence, available: balance(account_sequence=sequence, available=euros(available)),
    sequence=st.integers(1, 9),
    available=st.sampled_from(["-5", "40", "80"]),
)
STREAMS = st.lists(st.one_of(PAYMENTS, PAYMENTS, PAYMENTS, PAYMENTS, BALANCES), min_size=4, max_size=8)


def a_payment(*stages: TransactionStatus, **what: Any) -> list[Event]:
    return [transaction(status=stage, **what) for stage in stages]


def left(sent: Sequence[Event], cut: Sequence[Sequence[Event]], deliveries: int = 1) -> list[tuple[object, ...]]:
    """All notices, and how they stand, where `sent` was being sent already when `cut` came in, once or more."""
    folder = Path(tempfile.mkdtemp(dir=MEMORY if MEMORY.is_dir() else None))
    bench = SqliteBench(folder)
    try:
        taken_in(bench.outbox, [[event] for event in sent], ANNA, BRUNO)
        for claim in claimed(bench.outbox, limit=20):
            bench.outbox.begin(claim, ATTEMPT, NOW)
        for _ in range(deliveries):
            taken_in(bench.outbox, cut, ANNA, BRUNO)
        stories = (
            bench.reader.show(one.notice_id) for one in bench.reader.list(state=None, customer_id=None, limit=99)
        )
        return sorted(
            (repr(one.claim.notice.key), one.summary.state, one.summary.reason, one.claim.notice.also)
            for one in stories
            if one is not None
        )
    finally:
        bench.close()
        shutil.rmtree(folder)


@given(STREAMS, st.sampled_from([0, 0, 1, 2]), st.sets(st.integers(1, 7), max_size=2))
@example(a_payment(AUTHORISED, REVERSED, POSTED), 0, set())
@example(a_payment(AUTHORISED, REVERSED, POSTED), 1, set())
@example(a_payment(AUTHORISED, REVERSED, REVERSED), 0, set())
@example(a_payment(AUTHORISED, REVERSED, POSTED, customer_ids=("cust-1", "cust-2")), 0, {1})
@LAW
def test_any_cut_into_batches_leaves_the_same_outbox(stream: Sequence[Event], sent: int, cuts: set[int]) -> None:
    events = [msgspec.structs.replace(event, event_id=f"evt-{place}") for place, event in enumerate(stream)]
    before, after = events[:sent], events[sent:]
    places = [0, *sorted(cuts), len(after)]
    cut = [after[start:end] for start, end in pairwise(places) if after[start:end]]

    assert left(before, cut) == left(before, [[event] for event in after])


@given(STREAMS)
@example(a_payment(AUTHORISED, REVERSED, POSTED, customer_ids=("cust-1", "cust-2")))
@example(a_payment(AUTHORISED, POSTED, REVERSED, customer_ids=("cust-1", "cust-2")))
@example(
    [
        *a_payment(REVERSED, transaction_id="tx-2", original_transaction_id="tx-1"),
        *a_payment(REVERSED, transaction_id="tx-2"),
    ]
)
@LAW
def test_a_stream_that_is_delivered_again_loses_nothing_that_is_to_be_told(stream: Sequence[Event]) -> None:
    """It may tell more only where a reversal took back what had kept it silent."""
    events = [msgspec.structs.replace(event, event_id=f"evt-{place}") for place, event in enumerate(stream)]

    once, again = left([], [events]), left([], [events], deliveries=2)

    to_be_told = [{one for one in outbox if one[1] != "cancelled"} for outbox in (once, again)]
    assert to_be_told[0] <= to_be_told[1]
    if len(to_be_told[0]) == len(once):
        assert once == again
