"""A bank that shares no code with us, KafkaJS with a real Kafka and a real registry, is understood by `avviso run`."""

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import msgspec
import pytest

from consumer.sandbox.sns_endpoint import ScriptedSns
from tests.acceptance.stage import REPOSITORY, Stage, alert_fields, eventually, preference_fields, transaction_fields
from tests.brokers import Kafka

pytestmark = [pytest.mark.interop, pytest.mark.real]

SCHEMAS = ("AlertPreferences", "TransactionPosted", "BalanceChanged")
IBANS = {"acc-anna": "IT60X0542811101000000123456", "acc-john": "GB29NWBK60161331926819"}
ANNA, JOHN, GONE = "+393331234001", "+447700900102", "+393331234009"
OCCURRED_AT = datetime.now(UTC).replace(microsecond=123_457) - timedelta(minutes=3)
PUBLISH_S = 60.0


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A text, by its phone and by what must stand in it."""

    phone: str
    words: Sequence[str]


def local(zone: str) -> str:
    return OCCURRED_AT.astimezone(ZoneInfo(zone)).strftime("%H:%M")


EXPECTED = (
    Told(phone=ANNA, words=("pagamento con carta", "EUR 12.345,67", "Libreria Manzoni", "4242", local("Europe/Rome"))),
    Told(phone=ANNA, words=("il saldo disponibile", "EUR 38,10", "3456", local("Europe/Rome"))),
    Told(phone=JOHN, words=("card payment", "EUR 250.00", "4242", local("Europe/London"))),
    Told(phone=JOHN, words=("online card payment", "GBP 0.99", "4242", local("Europe/London"))),
)
SECRETS = ("IT60", "GB29", "1101000000", "31926819", "acc-", "cust-", "evt-", "tx-")


class Bank:
    """What it publishes: JSON here, the rest is Node's."""

    def __init__(self, stage: Stage, registry: str, node: str) -> None:
        self._stage = stage
        self._registry = registry
        self._node = node

    def publish(self, records: Sequence[Mapping[str, Any]]) -> dict[str, int]:
        """Publish in order; returns each schema's id in the registry."""
        plan = {
            "brokers": [self._stage.kafka.bootstrap_servers],
            "registry": self._registry,
            "schemas": {
                name: {"path": str(REPOSITORY / "schemas" / name / "v1.avsc"), "topic": self._stage.topics[name]}
                for name in SCHEMAS
            },
            "records": list(records),
        }
        done = subprocess.run(
            [self._node, str(Path(__file__).parent / "publish.mjs")],
            input=json.dumps(plan, default=str),
            capture_output=True,
            text=True,
            timeout=PUBLISH_S,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        ids: dict[str, int] = json.loads(done.stdout)
        return ids


@pytest.fixture
def stage(node: str, kafka: Kafka, tmp_path: Path) -> Iterator[Stage]:
    """After `node`: where that is missing, no container need start."""
    with ScriptedSns() as sns:
        stage = Stage(kafka, sns, tmp_path, partitions=1)
        yield stage
        stage.close()


@pytest.fixture
def bank(stage: Stage, apicurio: str, node: str) -> Bank:
    return Bank(stage, apicurio, node)


def preferences(customer_id: str, phone: str, **changes: Any) -> dict[str, Any]:
    fields = preference_fields(customer_id=customer_id, phone=phone, **changes)
    return {"schema": "AlertPreferences", "key": customer_id, "fields": fields}


def erased(customer_id: str) -> dict[str, Any]:
    return {"schema": "AlertPreferences", "key": customer_id, "fields": None}


def transaction(number: int, customer_id: str, account_id: str, amount: str, **changes: Any) -> dict[str, Any]:
    fields = transaction_fields(
        number,
        customer_ids=[customer_id],
        account_id=account_id,
        account_number=IBANS[account_id],
        amount=amount,
        occurred_at=OCCURRED_AT.isoformat(),
        **changes,
    )
    return {"schema": "TransactionPosted", "key": account_id, "fields": fields}


def balance(number: int, customer_id: str, account_id: str, available: str) -> dict[str, Any]:
    fields = {
        "customer_ids": [customer_id],
        "available": available,
        "currency": "EUR",
        "event_id": f"evt-balance-{number}",
        "occurred_at": OCCURRED_AT.isoformat(),
        "account_id": account_id,
        "account_number": IBANS[account_id],
        "account_kind": "CURRENT",
        "account_currency": "EUR",
        "account_sequence": number,
        "booked": None,
        "previous_available": "-12.4000",
        "reason": "MOVEMENT",
    }
    return {"schema": "BalanceChanged", "key": account_id, "fields": fields}


def a_day() -> list[dict[str, Any]]:
    """Two customers who are told in two languages, one who has left, and what nobody wants to hear of."""
    anna = {"language": "it", "alerts": [alert_fields("large_debit", "100"), alert_fields("low_balance", "50.00")]}
    john = {"language": "en", "time_zone": "Europe/London", "detail_level": "SOME"}
    return [
        preferences("cust-anna", ANNA, **anna),
        preferences("cust-john", JOHN, **john),
        preferences("cust-gone", GONE),
        erased("cust-gone"),
        transaction(1, "cust-gone", "acc-anna", "9000.00"),
        transaction(2, "cust-anna", "acc-anna", "99.9999"),
        transaction(3, "cust-anna", "acc-anna", "12345.67", balance_after="38.10"),
        transaction(4, "cust-john", "acc-john", "250"),
        transaction(5, "cust-john", "acc-john", "0.99", currency="GBP", channel="ECOMMERCE"),
        balance(1, "cust-anna", "acc-anna", "640.00"),
        balance(2, "cust-anna", "acc-anna", "38.10"),
    ]


def agree(texts: Sequence[tuple[str, str]]) -> None:
    """Each expected text is there once, no other, and nothing that is private is in any of them."""
    assert sorted(phone for phone, _ in texts) == sorted(told.phone for told in EXPECTED)
    for told in EXPECTED:
        found = [text for phone, text in texts if phone == told.phone and all(word in text for word in told.words)]
        assert len(found) == 1, (told, texts)
    assert not [text for _, text in texts for secret in SECRETS if secret in text]


def test_a_node_producer_and_a_real_registry_make_texts_at_the_scripted_endpoint(
    stage: Stage, bank: Bank, apicurio: str
) -> None:
    bank.publish(a_day())

    worker = stage.worker(AVVISO_REGISTRY__URL=apicurio)
    eventually(lambda: stage.states() == {"accepted": len(EXPECTED)}, "every notice accepted")

    agree([(request.phone, request.text) for request in stage.sns.accepted])
    assert worker.stop() == 0
    assert not [line for line in stage.log_lines() if line["line"] in {"dead_letter", "preference_refused"}]


def test_a_node_producer_and_a_real_registry_make_texts_at_moto(
    stage: Stage, bank: Bank, apicurio: str, moto: str
) -> None:
    httpx.post(f"{moto}/moto-api/reset").raise_for_status()
    bank.publish(a_day())

    worker = stage.worker(AVVISO_REGISTRY__URL=apicurio, AVVISO_SNS__ENDPOINT_URL=moto)
    eventually(lambda: stage.states() == {"accepted": len(EXPECTED)}, "every notice accepted")

    sent = httpx.get(f"{moto}/moto-api/data.json").json()["sns"]["SMS"]
    agree([(one["phone_number"], one["message"]) for one in sent])
    assert stage.sns.publishes == ()
    assert worker.stop() == 0
