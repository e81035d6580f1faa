"""Avviso's dispatch, every state written down, against a bare pool of threads that sends the same texts."""

import random
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import msgspec
from botocore.config import Config

from consumer.adapters import resources
from consumer.adapters.catalogue_file import load_catalogue
from consumer.adapters.outbox_sqlite import SqliteOutbox
from consumer.adapters.sns import Credentials, SnsProvider
from consumer.adapters.text_files import read_texts
from consumer.backoff import exponential
from consumer.core.breaker import Tolerance
from consumer.core.catalogue import Catalogue
from consumer.core.delivery import Claim, Settlement, Trigger
from consumer.core.gate import Gate
from consumer.core.limiter import Rate
from consumer.core.masking import masked_values
from consumer.core.notice import Change, Notice
from consumer.core.preferences import Phone, Preferences
from consumer.core.sending import Bounds, Draft, draft
from consumer.core.texts import Texts
from consumer.dispatch import Dispatch, DispatchLimits
from tests.benchmarks.endpoint import Endpoint, endpoint
from tests.benchmarks.measuring import Contest, Side
from tests.benchmarks.site import Site
from tests.benchmarks.turns import Spent, Turn
from tests.builders import PSEUDONYMS, notice, preferences, transaction
from tests.fakes import Listed

THREADS = 8
REGION = "eu-south-1"
PATIENCE_S = 120.0
_KEY = Credentials(access_key_id="AKIDBENCHMARK", secret_access_key="not a secret")
_CHUNK = 500
_CUSTOMERS = 200


class _Bank(msgspec.Struct, frozen=True, kw_only=True):
    """What both sides send: notices for one, finished texts for the other."""

    catalogue: Catalogue
    texts: Texts
    customers: Sequence[Preferences]
    notices: Sequence[Notice]
    drafts: Sequence[Draft]


class CountingOutbox(SqliteOutbox):
    """An outbox that knows when the last of `expected` texts is settled as accepted."""

    def expect(self, expected: int) -> threading.Event:
        """Set once that many are."""
        self._left = expected
        self._counting = threading.Lock()
        self._all_accepted = threading.Event()
        return self._all_accepted

    def settle(self, claim: Claim, settlement: Settlement, now: datetime) -> bool:
        ours = super().settle(claim, settlement, now)
        if ours and settlement.trigger is Trigger.ACCEPT:
            with self._counting:
                self._left -= 1
                if not self._left:
                    self._all_accepted.set()
        return ours


@contextmanager
def dispatch(site: Site) -> Iterator[Sequence[Contest]]:
    """Start the endpoint, write the texts; hand out both sides, and see in the end that the endpoint has all texts."""
    bank = _bank(site.scale.texts)
    played: list[str] = []
    with endpoint() as sns:
        bare = Side(
            name="bare",
            does="boto3's publish in a pool of threads, nothing written down",
            do=partial(_bare, bank, sns, played),
        )
        ours = Side(
            name="Avviso",
            does="claim, check, compose, guard, limit, begin, publish, settle, on SQLite with synchronous=FULL",
            do=partial(_ours, bank, sns, site.folder, played),
        )
        yield [
            Contest(
                name="dispatch",
                unit="texts",
                count=site.scale.texts,
                sides=(bare, ours),
                circumstances={"threads": THREADS, "endpoint": "scripted, its own process, no latency"},
            )
        ]
        taken, expected = sns.accepted(), len(played) * site.scale.texts
        if taken != expected:
            raise RuntimeError(f"the endpoint took {taken} texts, not {expected}")


def _bare(bank: _Bank, sns: Endpoint, played: list[str], turn: Turn) -> Spent:
    played.append("bare")
    client: Any = boto3.Session(_KEY.access_key_id, _KEY.secret_access_key, region_name=REGION).client(
        "sns",
        endpoint_url=sns.url,
        config=Config(
            retries={"total_max_attempts": 1, "mode": "standard"},
            max_pool_connections=THREADS,
            parameter_validation=False,
        ),
    )

    def send(one: Draft) -> str:
        attributes = {"AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": one.sms_type.value}}
        reply = client.publish(PhoneNumber=one.phone.e164, Message=one.text, MessageAttributes=attributes)
        return str(reply["MessageId"])

    with ThreadPoolExecutor(THREADS) as pool:
        turn.start()
        ids = set(pool.map(send, bank.drafts))
        spent = turn.stop()
    client.close()
    if len(ids) != len(bank.drafts):
        raise RuntimeError(f"{len(ids)} message ids came back for {len(bank.drafts)} texts")
    return spent


def _ours(bank: _Bank, sns: Endpoint, folder: Path, played: list[str], turn: Turn) -> Spent:
    played.append("ours")
    with ExitStack() as undo:
        place = Path(undo.enter_context(tempfile.TemporaryDirectory(dir=folder)))
        outbox = undo.enter_context(CountingOutbox.open(place / "outbox.sqlite", identity={}, now=_utc_now()))
        for start in range(0, len(bank.notices), _CHUNK):
            outbox.record([Change(notice=one) for one in bank.notices[start : start + _CHUNK]], _utc_now()).durable()
        all_accepted = outbox.expect(len(bank.notices))
        dispatch = _dispatch(bank, outbox, sns)
        undo.callback(dispatch.stop, PATIENCE_S)
        turn.start()
        dispatch.start()
        if not all_accepted.wait(PATIENCE_S):
            raise TimeoutError(f"not every text was accepted within {PATIENCE_S:.0f} s")
        return turn.stop()


def _dispatch(bank: _Bank, outbox: SqliteOutbox, sns: Endpoint) -> Dispatch:
    """As `run` wires it, with a rate that never makes it wait."""
    return Dispatch(
        outbox=outbox,
        preferences=Listed(*bank.customers),
        catalogue=bank.catalogue,
        texts=bank.texts,
        provider=SnsProvider(region=REGION, credentials=_KEY, endpoint_url=sns.url, connections_max=THREADS + 1),
        pseudonyms=PSEUDONYMS,
        gate=Gate(rate=Rate(parts_per_s=1e6, burst_parts=1e6, recipient_s=0.0), tolerance=Tolerance(), now=_utc_now()),
        backoff=exponential(first_s=2.0, longest_s=60.0, attempts_max=3, total_s=600.0, chance=random.Random(7)),
        owner="benchmark",
        now=_utc_now,
        limits=DispatchLimits(workers=THREADS, queued_max=THREADS),
    )


def _bank(count: int) -> _Bank:
    catalogue = load_catalogue(resources.catalogue())
    texts = Texts.from_sources(
        read_texts(resources.texts()), kinds=catalogue.kinds, bank="Your bank", default_language="en"
    )
    customers = [_customer(number) for number in range(_CUSTOMERS)]
    notices = [_notice(number, customers[number % _CUSTOMERS]) for number in range(count)]
    by_id = {one.customer_id: one for one in customers}
    return _Bank(
        catalogue=catalogue,
        texts=texts,
        customers=customers,
        notices=notices,
        drafts=[_draft(one, by_id, catalogue, texts) for one in notices],
    )


def _customer(number: int) -> Preferences:
    return preferences(
        customer_id=f"cust-{number}",
        phone=Phone(f"+3934012{number:05d}"),
        language="it" if number % 2 else "en",
    )


def _notice(number: int, customer: Preferences) -> Notice:
    now = _utc_now()
    ordinary = notice(
        transaction_id=f"tx-{number}",
        values=masked_values(transaction(occurred_at=now), customer.detail_level),
        occurred_at=now,
        recorded_at=now,
        not_before=now,
        stale_at=now + timedelta(hours=12),
        record_timestamp=now,
    )
    key = msgspec.structs.replace(ordinary.key, event_id=f"evt-{number}", customer_id=customer.customer_id)
    return msgspec.structs.replace(ordinary, key=key)


def _draft(one: Notice, customers: Mapping[str, Preferences], catalogue: Catalogue, texts: Texts) -> Draft:
    bounds = Bounds(parts_max=DispatchLimits().parts_max, phone_wait=timedelta(minutes=1))
    written = draft(one, customers[one.key.customer_id], catalogue, texts, bounds, _utc_now())
    if not isinstance(written, Draft):
        raise RuntimeError(f"a notice of the benchmark is not to be sent: {written.reason}")  # noqa: TRY004
    return written


def _utc_now() -> datetime:
    return datetime.now(UTC)
