from pathlib import Path

import boto3
import pytest

from consumer.core.backpressure import LoadLimits
from consumer.core.breaker import Tolerance
from consumer.core.flood import FloodLimits
from consumer.core.limiter import Rate
from consumer.dispatch import DispatchLimits
from consumer.intake import IntakeLimits
from consumer.settings import Settings, SettingsError, load
from consumer.settings.loading import Known, known_settings

KEY = {"AVVISO_PSEUDONYM_KEY": "sixteen bytes or more"}
CANARY = "canary@value!of-a-setting"


def problems_of(environ: dict[str, str], *, to_run: bool = False) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as refused:
        load(environ, to_run=to_run)
    return refused.value.problems


def test_an_empty_environment_gives_the_defaults() -> None:
    settings = load({})

    assert settings.kafka_config() == {"bootstrap.servers": "localhost:9092"}
    assert settings.group_id == "avviso"
    assert settings.outbox.path == Path("var/avviso.sqlite")
    assert settings.pseudonym_key is None


def test_the_defaults_are_those_of_the_parts_that_they_are_for() -> None:
    settings = load({})

    for group, part in (
        (settings.rate, Rate()),
        (settings.breaker, Tolerance()),
        (settings.dispatch, DispatchLimits()),
        (settings.intake, IntakeLimits()),
        (settings.intake, LoadLimits()),
        (settings.outbox, LoadLimits()),
        (settings.flood, FloodLimits()),
    ):
        own = group.model_dump()
        shared = own.keys() & set(part.__struct_fields__)
        assert shared
        assert {name: own[name] for name in shared} == {name: getattr(part, name) for name in shared}
    assert settings.call_timeout_s == DispatchLimits().call_timeout_s


def test_a_setting_of_a_group_has_two_underscores_in_its_name() -> None:
    settings = load({"AVVISO_SNS__REGION": "eu-south-1", "AVVISO_DISPATCH__WORKERS": "3", "AVVISO_TENANT": "retail"})

    assert (settings.sns.region, settings.dispatch.workers, settings.tenant) == ("eu-south-1", 3, "retail")


@pytest.mark.parametrize("setting", [setting for setting in known_settings() if setting.field.default is not None])
def test_every_setting_may_be_written_as_its_default_stands_in_the_readme(setting: Known) -> None:
    assert load({setting.name: str(setting.field.default)}) == load({})


def test_an_empty_value_counts_as_not_set() -> None:
    assert load({"AVVISO_SNS__REGION": "", "AVVISO_DISPATCH__WORKERS": ""}) == load({})


def test_nothing_is_read_from_the_environment_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AVVISO_GROUP_ID", "from the process")

    assert load({}).group_id == Settings().group_id == "avviso"


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("AVVISO_GRUOP_ID", "AVVISO_GROUP_ID"),
        ("AVVISO_DISPATCH__WORKRS", "AVVISO_DISPATCH__WORKERS"),
        ("AVVISO_DISPATCH_WORKERS", "AVVISO_DISPATCH__WORKERS"),
        ("avviso_group_id", "AVVISO_GROUP_ID"),
        ("AVVISO_PSEUDONYM_KEY_FLIE", "AVVISO_PSEUDONYM_KEY_FILE"),
    ],
)
def test_an_unknown_setting_is_refused_with_the_one_that_was_meant(wrong: str, meant: str) -> None:
    assert problems_of({wrong: CANARY}) == (f"{wrong}: is no setting; did you mean {meant}?",)


@pytest.mark.parametrize("name", ["AVVISO_X", "AVVISO_KAFKA", "AVVISO_SNS", "AVVISO_KAFKA__SASL__USERNAME", "AVVISO_"])
def test_an_unknown_setting_like_no_other_is_refused_too(name: str) -> None:
    (problem,) = problems_of({name: CANARY})

    assert problem.startswith(f"{name}: is no setting")


@pytest.mark.parametrize("name", ["AVVISO_SERVICE_HOST", "AVVISO_PORT_9090_TCP_ADDR", "AVVISO_METRICS_SERVICE_PORT"])
def test_what_kubernetes_adds_for_a_service_is_refused_with_its_cure(name: str) -> None:
    (problem,) = problems_of({name: "10.0.0.1"})

    assert "enableServiceLinks: false" in problem


def test_everything_that_is_wrong_is_told_at_once() -> None:
    problems = problems_of(
        {
            "AVVISO_GRUOP_ID": "x",
            "AVVISO_DISPATCH__WORKERS": "many",
            "AVVISO_LOG_LEVEL": "loud",
            "AVVISO_OUTBOX__URL": "postgresql://db",
            "AVVISO_KAFKA__GROUP_ID": "x",
            "AVVISO_KAFKA__LINGER_MS": "soon",
            "AVVISO_PSEUDONYM_KEY_FILE": "/nowhere/key",
        },
        to_run=True,
    )

    assert sorted(problem.partition(":")[0] for problem in problems) == [
        "AVVISO_DISPATCH__WORKERS",
        "AVVISO_GRUOP_ID",
        "AVVISO_KAFKA__GROUP_ID",
        "AVVISO_KAFKA__LINGER_MS",
        "AVVISO_LOG_LEVEL",
        "AVVISO_OUTBOX__URL",
        "AVVISO_PSEUDONYM_KEY_FILE",
    ]


@pytest.mark.parametrize("name", [setting.name for setting in known_settings()])
def test_a_refused_value_is_never_repeated(name: str) -> None:
    said = "\n".join(problems_of({name: CANARY, "AVVISO_NO_SUCH": CANARY}, to_run=True))

    assert "canary" not in said.lower()


def test_a_secret_stays_out_of_every_print_of_the_settings() -> None:
    secrets = {setting.name: "canary-canary-canary" for setting in known_settings() if setting.secret}
    one_way = {name: value for name, value in secrets.items() if name != "AVVISO_REGISTRY__TOKEN"}
    given = one_way | {
        "AVVISO_REGISTRY__USERNAME": "u",
        "AVVISO_REGISTRY__URL": "https://registry",
        "AVVISO_REGISTRY__CLIENT_CERTIFICATE": "client.pem",
    }

    settings = load(given | {"AVVISO_KAFKA__SASL_PASSWORD": "canary-canary"})

    assert len(secrets) == 4
    assert "canary" not in f"{settings!r} {settings!s} {settings.model_dump()} {settings.model_dump_json()}"


def test_running_needs_the_pseudonym_key_and_other_commands_do_not() -> None:
    assert load({}).pseudonym_key is None
    (problem,) = problems_of({}, to_run=True)
    assert problem.startswith("AVVISO_PSEUDONYM_KEY: is needed to run")


def test_a_pseudonym_key_that_can_be_guessed_is_refused() -> None:
    (problem,) = problems_of({"AVVISO_PSEUDONYM_KEY": "too short"}, to_run=True)

    assert problem.startswith("AVVISO_PSEUDONYM_KEY: ")
    assert "16 bytes" in problem


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AVVISO_OUTBOX__URL", "postgresql://user:canary@db/avviso"),
        ("AVVISO_OUTBOX__URL", "sqlite://"),
        ("AVVISO_OUTBOX__URL", "sqlite:///"),
        ("AVVISO_REGISTRY__URL", "https://user:canary@registry"),
        ("AVVISO_SNS__ENDPOINT_URL", "https://sns/path"),
        ("AVVISO_SNS__ENDPOINT_URL", "http://sns_mock:5000"),
        ("AVVISO_SNS__ENDPOINT_URL", "http://[1.2.3]"),
        ("AVVISO_SNS__ENDPOINT_URL", f"http://{'a.' * 128}"),
        ("AVVISO_SNS__SENDER_ID", "TooLongForASender"),
        ("AVVISO_SNS__ORIGINATION_NUMBER", "12a45"),
        ("AVVISO_TOPICS__BALANCES", "no topic"),
        ("AVVISO_DISPATCH__LEASE_S", "nan"),
        ("AVVISO_RATE__PARTS_PER_S", "0"),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused(name: str, value: str) -> None:
    (problem,) = problems_of({name: value})

    assert problem.startswith(f"{name}: ")


@pytest.mark.parametrize(
    "endpoint",
    ["http://localhost:5000", "https://sns.eu-south-1.amazonaws.com", "http://127.0.0.1:1/", "http://[::1]:80"],
)
def test_an_endpoint_that_is_accepted_here_is_accepted_by_aws_own_library(endpoint: str) -> None:
    assert load({"AVVISO_SNS__ENDPOINT_URL": endpoint}).sns.endpoint_url == endpoint

    boto3.client("sns", region_name="eu-south-1", endpoint_url=endpoint).close()


def test_an_outbox_has_a_relative_or_an_absolute_path() -> None:
    assert load({"AVVISO_OUTBOX__URL": "sqlite:///data/a.sqlite"}).outbox.path == Path("data/a.sqlite")
    assert load({"AVVISO_OUTBOX__URL": "sqlite:////data/a.sqlite"}).outbox.path == Path("/data/a.sqlite")
