"""`avviso demo`: the whole of Avviso on embedded parts, a bank that talks, and books that must balance at the end."""

import contextlib
import os
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from rich.console import Console

from consumer import app
from consumer.adapters import resources
from consumer.adapters.catalogue_file import load_catalogue
from consumer.adapters.outbox_sqlite import SqliteOutboxReader
from consumer.core.story import NoticeStory
from consumer.sandbox.bank import BALANCE, CUSTOMERS, PREFERENCES, TRANSACTION, UNLUCKY_PHONE, Bank
from consumer.sandbox.embedded_kafka import EmbeddedKafka
from consumer.sandbox.encoding import SingleObjects
from consumer.sandbox.ledger import Books, due
from consumer.sandbox.screen import LiveScreen, PlainScreen, Received, Screen
from consumer.sandbox.sns_endpoint import ScriptedSns
from consumer.sandbox.sns_script import ACCEPT, LOSE_REPLY, THROTTLE, Behaviour, Request
from consumer.sandbox.summary import Summary
from consumer.sandbox.teller import Teller
from consumer.settings import load

TOPICS = {
    TRANSACTION: "bank.transactions.v1",
    BALANCE: "bank.balances.v1",
    PREFERENCES: "bank.alert-preferences.v1",
}
DEAD_LETTERS = "avviso.dead-letters.v1"
_PARTITIONS = 4
_SILENT_PER_S = 12.0
_DRAIN_S = 20.0
_LOOK_S = 0.1
_THROTTLED_REQUEST = 4
_PROXIES = frozenset({"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"})


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """What the caller asked for. `duration_s`: how long the bank talks; the end waits until its events are dealt with."""

    duration_s: float
    seed: int
    plain: bool


def run_demo(wishes: Wishes, console: Console) -> int:
    """Run it on the calling thread, show it on `console`, and return the exit code: 0 only if the books balance."""
    _keep_to_ourselves()
    with contextlib.ExitStack() as stage:
        folder = Path(stage.enter_context(tempfile.TemporaryDirectory(prefix="avviso-demo-")))
        log = stage.enter_context((folder / "log.jsonl").open("w", encoding="utf-8"))
        kafka = stage.enter_context(EmbeddedKafka())
        sns = stage.enter_context(ScriptedSns(otherwise=_Misfortunes()))
        demo = _Demo(wishes, folder, kafka, sns)
        with _screen(wishes, console) as screen, demo.around(screen):
            app.run(demo.settings, stopping=demo.stopping, stream=log)
        return demo.account_for(console)


def _screen(wishes: Wishes, console: Console) -> Screen:
    return PlainScreen(console) if wishes.plain else LiveScreen(console, "bank")


class _Misfortunes:
    """One request is throttled; the first text to the unlucky phone arrives, and its answer does not."""

    def __init__(self) -> None:
        self._unlucky = True

    def __call__(self, request: Request) -> Behaviour:
        if request.number == _THROTTLED_REQUEST:
            return THROTTLE
        if request.phone == UNLUCKY_PHONE and self._unlucky:
            self._unlucky = False
            return LOSE_REPLY
        return ACCEPT


class _Demo:
    """The bank and the phones around one running Avviso."""

    def __init__(self, wishes: Wishes, folder: Path, kafka: EmbeddedKafka, sns: ScriptedSns) -> None:
        for topic in (*TOPICS.values(), DEAD_LETTERS):
            kafka.create_topic(topic, _PARTITIONS)
        self.stopping = threading.Event()
        self.settings = load(_environment(folder, kafka.bootstrap_servers, sns.url), to_run=True)
        self._wishes = wishes
        self._interrupted = True  # until the bank has said all it had to say
        self._outbox = folder / "outbox.sqlite"
        self._sns = sns
        self._counts = InMemoryMetricReader()
        metrics.set_meter_provider(MeterProvider([self._counts]))
        self._bank = Bank(seed=wishes.seed, start=datetime.now(UTC), catalogue=load_catalogue(resources.catalogue()))
        self._teller = Teller(
            bootstrap_servers=kafka.bootstrap_servers, topics=TOPICS, encode=SingleObjects(resources.schemas())
        )

    @contextlib.contextmanager
    def around(self, screen: Screen) -> Iterator[None]:
        """Publish the preferences; then, while the body runs, let the bank talk and show what arrives."""
        self._teller.publish_all(self._bank.preferences())
        with ThreadPoolExecutor(2, "demo") as threads:
            both = [threads.submit(self._talk, screen), threads.submit(self._watch_phones, screen)]
            try:
                yield
            finally:
                self.stopping.set()
        for one in both:
            one.result()  # raises what it died of

    def _talk(self, screen: Screen) -> None:
        try:
            start = datetime.now(UTC)
            day = self._bank.day(start, self._wishes.duration_s, _SILENT_PER_S)
            self._teller.publish_in_time(day, start=start, screen=screen, stopping=self.stopping)
            self._wait_until_dealt_with()
            self._interrupted = self.stopping.is_set()
        finally:
            self.stopping.set()

    def _wait_until_dealt_with(self) -> None:
        """Until every record was processed and nothing is due; what does not get there in time shows in the books."""
        deadline = time.monotonic() + _DRAIN_S
        while time.monotonic() < deadline and not self.stopping.wait(_LOOK_S):
            if not self._unread() and not due(self._stories(), datetime.now(UTC)):
                return

    def _unread(self) -> int:
        published = self._teller.published[TRANSACTION] + self._teller.published[BALANCE]
        return published - Summary.counts_in(self._counts, "avviso.records", "topic").total()

    def _watch_phones(self, screen: Screen) -> None:
        owners = {customer.phone: customer.id for customer in CUSTOMERS}
        shown = 0
        while True:
            ended = self.stopping.wait(_LOOK_S)
            accepted = self._sns.accepted
            for text in accepted[shown:]:
                owner = owners.get(text.phone, "?")
                screen.received(Received(at=text.at, owner=owner, phone=text.phone, text=text.text))
            shown = len(accepted)
            if ended:
                return

    def _stories(self) -> list[NoticeStory]:
        with SqliteOutboxReader.open(self._outbox) as reader:
            summaries = reader.list(state=None, customer_id=None, limit=100_000)
            stories = (reader.show(summary.notice_id) for summary in summaries)
            return [story for story in stories if story is not None]

    def account_for(self, console: Console) -> int:
        """Print what happened, and whether both sides agree."""
        recorded = Summary.counts_in(self._counts, "avviso.notices", "kind").total()
        books = Books(
            stories=self._stories(),
            requests=self._sns.publishes,
            phones={customer.id: customer.phone for customer in CUSTOMERS if customer.phone},
            recorded=recorded,
            unread=self._unread(),
            interrupted=self._interrupted,
        )
        return Summary(counts=self._counts, books=books, published=self._teller.published).show(console)


def _environment(folder: Path, bootstrap_servers: str, sns_url: str) -> Mapping[str, str]:
    """The settings that a bank would give, here for the embedded parts."""
    return {
        "AVVISO_KAFKA__BOOTSTRAP_SERVERS": bootstrap_servers,
        "AVVISO_KAFKA__FETCH_WAIT_MAX_MS": "10",  # the embedded brokers answer a fetch only when its time is over
        "AVVISO_BANK_NAME": "Banca Aurora",
        "AVVISO_OUTBOX__URL": f"sqlite:///{folder / 'outbox.sqlite'}",
        "AVVISO_PREFERENCES__PATH": str(folder / "preferences"),
        "AVVISO_PSEUDONYM_KEY": "the sandbox's pseudonyms",
        "AVVISO_SNS__REGION": "eu-south-1",
        "AVVISO_SNS__ENDPOINT_URL": sns_url,
        "AVVISO_SNS__CONNECT_TIMEOUT_S": "1",
        "AVVISO_SNS__READ_TIMEOUT_S": "2",
        "AVVISO_DISPATCH__DOUBT_S": "5",
    }


def _keep_to_ourselves() -> None:
    """Nothing of this machine's own way to AWS may reach the sandbox: no key, no profile, no proxy."""
    for name in tuple(os.environ):
        if name.startswith("AWS_") or name.upper() in _PROXIES:
            del os.environ[name]
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "sandbox",
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
