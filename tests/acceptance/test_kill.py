"""kill -9 at any moment: no text is lost, and none is sent twice but as the policy says, by the endpoint's own log."""

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from consumer.core.story import NoticeStory
from consumer.sandbox.sns_endpoint import ScriptedSns
from consumer.sandbox.sns_script import ACCEPT, Behaviour, Hang, Request
from tests.acceptance.stage import Stage, Worker, eventually, preference_fields, transaction_fields
from tests.brokers import Kafka

pytestmark = [pytest.mark.real, pytest.mark.slow]

RANDOM_KILLS = 4
KILLS_BETWEEN_BEGIN_AND_SETTLE = 4
EVENT_EVERY_S = 0.08
FINAL = {"accepted", "held"}


class Snare:
    """Lets every request through but those it is set for: they hang, taken or not, until somebody kills their sender."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._set: list[bool] = []
        self.caught = 0

    def set(self, *, takes: bool) -> None:
        with self._lock:
            self._set.append(takes)

    def __call__(self, request: Request) -> Behaviour:
        with self._lock:
            if request.action != "Publish" or not self._set:
                return ACCEPT
            self.caught += 1
            return Hang(accepts=self._set.pop(), for_s=60.0)


class Bank:
    """Publishes a payment every few milliseconds, each once, so that at any moment something is on its way."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._closing = threading.Event()
        self.published = 0

    def talk(self) -> None:
        while not self._closing.wait(EVENT_EVERY_S):
            self.published += 1
            fields = transaction_fields(self.published)
            self._stage.publish("TransactionPosted", fields["account_id"], fields)

    @contextmanager
    def open(self) -> Iterator[None]:
        with ThreadPoolExecutor(1) as teller:
            talking = teller.submit(self.talk)
            try:
                yield
            finally:
                self._closing.set()
        talking.result()


@pytest.fixture
def snare() -> Snare:
    return Snare()


@pytest.fixture
def stage(kafka: Kafka, snare: Snare, tmp_path: Path) -> Iterator[Stage]:
    with ScriptedSns(otherwise=snare, latency_s=0.03) as sns:
        stage = Stage(kafka, sns, tmp_path)
        stage.publish("AlertPreferences", "cust-1", preference_fields())
        yield stage
        sns.release()
        stage.close()


@pytest.mark.parametrize("policy", ["hold", "resend"])
def test_killed_at_any_moment_none_is_lost_and_none_is_twice_but_by_policy(
    stage: Stage, snare: Snare, policy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = int(os.environ.get("AVVISO_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
    with capsys.disabled():
        print(f"\nkill test, {policy}: seed {seed} (AVVISO_TEST_SEED repeats it)")  # noqa: T201 - the way to a repetition
    chance = random.Random(seed)
    bank = Bank(stage)
    settings = {"AVVISO_CATALOGUE_PATH": str(catalogue_with(policy, tmp_path)), "AVVISO_DISPATCH__DOUBT_S": "15"}

    moments = ["random"] * RANDOM_KILLS + ["sending"] * KILLS_BETWEEN_BEGIN_AND_SETTLE
    chance.shuffle(moments)
    worker = stage.worker(**settings)
    with bank.open():
        for moment in moments:
            if moment == "random":
                time.sleep(chance.uniform(0.0, 5.0))  # the moment itself is the subject
            else:
                wait_for_a_request_that_hangs(stage, snare, chance)
            worker.kill()
            stage.sns.release()
            worker = stage.worker(**settings)
    settle(stage, bank, worker)

    judge(stage.stories(), stage.sns, bank.published, policy)
    assert snare.caught >= KILLS_BETWEEN_BEGIN_AND_SETTLE


def wait_for_a_request_that_hangs(stage: Stage, snare: Snare, chance: random.Random) -> None:
    """Until a request hangs at the endpoint: its notice has begun, and has not settled."""
    before = snare.caught
    snare.set(takes=chance.random() < 0.5)
    eventually(lambda: snare.caught > before, "a request that hangs", 90.0)


def settle(stage: Stage, bank: Bank, worker: Worker) -> None:
    def done() -> bool:
        states = stage.states()
        return sum(states.values()) == bank.published and set(states) <= FINAL

    eventually(done, "every notice at its end", 120.0)
    assert worker.stop() == 0


def judge(stories: list[NoticeStory], sns: ScriptedSns, published: int, policy: str) -> None:
    """Every text holds its amount, and every amount is another one: so texts and notices can be matched by it."""
    arrived = Counter(request.text for request in sns.accepted)
    assert {story.claim.notice.key.event_id for story in stories} == {f"evt-{n}" for n in range(1, published + 1)}
    by_proof = {request.message_id: request.text for request in sns.accepted}
    told: set[str] = set()
    for story in stories:
        doubts = sum(entry.trigger == "doubt" for entry in story.history)
        proofs = {entry.detail["message_id"] for entry in story.history if "message_id" in entry.detail}
        if story.summary.state == "accepted":
            (text,) = {by_proof[proof] for proof in proofs}
            told.add(text)
            assert arrived[text] == 1 or (policy == "resend" and doubts and arrived[text] == 2)
        else:
            assert story.summary.state == "held"
            assert doubts
    unproven = {text: count for text, count in arrived.items() if text not in told}
    held = [story for story in stories if story.summary.state == "held"]
    assert len(unproven) <= len(held)
    assert all(count <= (2 if policy == "resend" else 1) for count in unproven.values())


def catalogue_with(policy: str, folder: Path) -> Path:
    """The shipped catalogue, large payments in doubt treated as the test wants it."""
    shipped = Path(__file__).parents[2] / "consumer" / "alerts.yaml"
    path = folder / f"alerts-{policy}.yaml"
    text = shipped.read_text()
    marked = text.replace(
        "  large_debit:\n    class: transaction\n", f"  large_debit:\n    class: transaction\n    in_doubt: {policy}\n"
    )
    assert marked != text
    path.write_text(marked)
    return path
