from pathlib import Path

import pytest
from confluent_kafka import Consumer
from hypothesis import given
from hypothesis import strategies as st

from consumer.adapters.kafka_properties import TOGETHER, refusals
from consumer.settings import SettingsError, load
from consumer.settings.kafka import OWNED, SECRETS, property_of, setting_of

KEY = {"AVVISO_PSEUDONYM_KEY": "sixteen bytes or more"}


def problems_of(environ: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as refused:
        load(KEY | environ, to_run=True)
    return refused.value.problems


def test_a_property_of_librdkafka_is_set_by_its_own_name() -> None:
    config = load(
        KEY
        | {
            "AVVISO_KAFKA__BOOTSTRAP_SERVERS": "kafka:9093",
            "AVVISO_KAFKA__SECURITY_PROTOCOL": "SASL_PLAINTEXT",
            "AVVISO_KAFKA__SASL_MECHANISM": "SCRAM-SHA-512",
            "AVVISO_KAFKA__SASL_USERNAME": "avviso",
            "AVVISO_KAFKA__SASL_PASSWORD": "known",
            "AVVISO_KAFKA__LOG_LEVEL": "5",
        },
        to_run=True,
    ).kafka_config()

    assert config == {
        "bootstrap.servers": "kafka:9093",
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "avviso",
        "sasl.password": "known",
        "log_level": "5",
    }


@pytest.mark.parametrize("name", sorted(OWNED))
def test_what_belongs_to_avviso_is_refused_by_name(name: str) -> None:
    setting = f"AVVISO_KAFKA__{setting_of(name)}"

    (problem,) = problems_of({setting: "canary"})

    assert problem == f"{setting}: {OWNED[name]}"


@pytest.mark.parametrize("name", ["error_cb", "stats_cb", "rebalance_cb", "oauth_cb", "dr_msg_cb"])
def test_a_callback_is_no_setting(name: str) -> None:
    (problem,) = problems_of({f"AVVISO_KAFKA__{name.upper()}": "canary"})

    assert "is no string" in problem


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("NO_SUCH_THING", "librdkafka has no such property"),
        ("SECURITY_PROTOCOL", "librdkafka refuses the value"),
        ("SESSION_TIMEOUT_MS", "librdkafka refuses the value"),
        ("LINGER_MS", "librdkafka refuses the value"),
    ],
)
def test_a_property_that_librdkafka_refuses_is_named_and_not_repeated(name: str, why: str) -> None:
    assert problems_of({f"AVVISO_KAFKA__{name}": "canary"}) == (f"AVVISO_KAFKA__{name}: {why}",)


@pytest.mark.parametrize(
    ("properties", "hint"),
    [
        ({"security.protocol": "ssl", "ssl.ca.location": "/nowhere/canary"}, "look at ssl.ca.location"),
        ({"security.protocol": "ssl", "ssl.key.pem": "canary"}, "look at ssl.key.pem"),
        ({"security.protocol": "sasl_ssl", "sasl.mechanism": "PLAIN"}, "look at sasl.password, sasl.username"),
        ({"security.protocol": "sasl_ssl", "sasl.mechanism": "canary"}, "the SASL properties"),
    ],
)
def test_properties_that_do_not_go_together_are_refused_before_anything_starts(
    properties: dict[str, str], hint: str
) -> None:
    (problem,) = problems_of({f"AVVISO_KAFKA__{setting_of(name)}": value for name, value in properties.items()})

    assert problem.startswith("AVVISO_KAFKA__*: librdkafka refuses how")
    assert hint in problem
    assert "canary" not in problem


@pytest.mark.parametrize("strategies", ["range,cooperative-sticky", "cooperative-sticky, roundrobin"])
def test_eager_and_incremental_strategies_are_not_to_be_mixed(strategies: str) -> None:
    (problem,) = problems_of({"AVVISO_KAFKA__PARTITION_ASSIGNMENT_STRATEGY": strategies})

    assert problem.startswith("AVVISO_KAFKA__PARTITION_ASSIGNMENT_STRATEGY: names cooperative-sticky beside others")


@pytest.mark.parametrize("strategies", ["range", "range, roundrobin", "cooperative-sticky"])
def test_how_a_group_shares_its_partitions_is_for_the_operator_to_set(strategies: str) -> None:
    config = load(KEY | {"AVVISO_KAFKA__PARTITION_ASSIGNMENT_STRATEGY": strategies}, to_run=True).kafka_config()

    assert config["partition.assignment.strategy"] == strategies


def test_with_kip_848_it_is_the_brokers_choice() -> None:
    (problem,) = problems_of(
        {"AVVISO_KAFKA__PARTITION_ASSIGNMENT_STRATEGY": "range", "AVVISO_KAFKA__GROUP_PROTOCOL": "consumer"}
    )

    assert "partition.assignment.strategy" in problem


def test_a_key_in_a_file_is_handed_on_as_it_stands(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_text("-----BEGIN-----\nknown\n-----END-----\n")

    config = load(KEY | {"AVVISO_KAFKA__SSL_KEY_PEM_FILE": str(file)}).kafka_config()

    assert config["ssl.key.pem"] == "-----BEGIN-----\nknown\n-----END-----"


@pytest.mark.parametrize("name", sorted(SECRETS | set(OWNED)))
def test_the_names_in_our_lists_are_names_of_librdkafka_or_of_its_client(name: str) -> None:
    of_the_client = {"on.delivery", "logger", "default.topic.config"}

    assert name in of_the_client or refusals({name: ""}).get(name) != "librdkafka has no such property"


def test_what_the_client_takes_for_something_else_than_a_string_is_refused_too() -> None:
    assert refusals({"default.topic.config": "canary"}) == {"default.topic.config": "librdkafka refuses the value"}


def test_clients_can_be_made_of_what_is_not_refused() -> None:
    properties = {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN"}
    properties |= {"sasl.username": "avviso", "sasl.password": "known"}

    found = refusals(properties)

    assert found == {}
    Consumer({"group.id": "trial", **properties}).close()


@given(value=st.text(st.characters(codec="ascii", exclude_characters="\x00"), min_size=6))
def test_no_value_of_any_property_is_repeated(value: str) -> None:
    secret = f"canary{value}"
    properties = ("security.protocol", "sasl.mechanism", "debug", "compression.type", "ssl.ca.location", "no.such")

    said = [why for name in properties for why in refusals({"security.protocol": "sasl_ssl", name: secret}).values()]

    assert said
    assert not [why for why in said if "canary" in why]


def test_only_log_level_keeps_its_underscore() -> None:
    assert property_of("LOG_LEVEL") == "log_level"
    assert property_of("LOG_QUEUE") == "log.queue"
    assert TOGETHER not in OWNED
