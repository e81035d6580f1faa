import pytest

from consumer.settings import SettingsError, load


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"AVVISO_DISPATCH__LEASE_S": "29"}, ["AVVISO_DISPATCH__LEASE_S"]),
        ({"AVVISO_DISPATCH__DOUBT_S": "14"}, ["AVVISO_DISPATCH__DOUBT_S"]),
        ({"AVVISO_DRAIN_S": "14"}, ["AVVISO_DRAIN_S"]),
        ({"AVVISO_GRACE_PERIOD_S": "24"}, ["AVVISO_GRACE_PERIOD_S"]),
        ({"AVVISO_SNS__READ_TIMEOUT_S": "60"}, ["AVVISO_DISPATCH__LEASE_S", "AVVISO_DRAIN_S"]),
        ({"AVVISO_DISPATCH__BACKOFF_FIRST_S": "301"}, ["AVVISO_DISPATCH"]),
        ({"AVVISO_BREAKER__FIRST_S": "901"}, ["AVVISO_BREAKER"]),
        ({"AVVISO_TOPICS__BALANCES": "bank.transactions.v1"}, ["AVVISO_TOPICS"]),
        ({"AVVISO_INTAKE__DUE_RESUME": "100000"}, ["AVVISO_INTAKE"]),
        ({"AVVISO_OUTBOX__USED_ALARM_BYTES": str(64 * 2**30)}, ["AVVISO_OUTBOX"]),
        ({"AVVISO_OUTBOX__FREE_ALARM_BYTES": str(256 * 2**20)}, ["AVVISO_OUTBOX"]),
        ({"AVVISO_FLOOD__LETTERS_MIN": "1001"}, ["AVVISO_FLOOD"]),
        ({"AVVISO_REGISTRY__USERNAME": "u"}, ["AVVISO_REGISTRY"]),
        ({"AVVISO_REGISTRY__TOKEN": "t"}, ["AVVISO_REGISTRY"]),
        (
            {"AVVISO_REGISTRY__TOKEN": "t", "AVVISO_REGISTRY__USERNAME": "u", "AVVISO_REGISTRY__PASSWORD": "p"},
            ["AVVISO_REGISTRY"],
        ),
        ({"AVVISO_REGISTRY__CLIENT_KEY": "key.pem"}, ["AVVISO_REGISTRY"]),
        ({"AVVISO_REGISTRY__CLIENT_KEY_PASSWORD": "p"}, ["AVVISO_REGISTRY"]),
        ({"AVVISO_REGISTRY__CA_BUNDLE": "ca.pem", "AVVISO_REGISTRY__URL": "http://registry"}, ["AVVISO_REGISTRY"]),
        ({"AVVISO_REGISTRY__GLUE_ENDPOINT_URL": "https://glue"}, ["AVVISO_REGISTRY"]),
    ],
)
def test_settings_that_contradict_each_other_are_refused(environ: dict[str, str], named: list[str]) -> None:
    with pytest.raises(SettingsError) as refused:
        load(environ)

    assert [problem.partition(":")[0] for problem in refused.value.problems] == named


@pytest.mark.parametrize(
    "environ",
    [
        {"AVVISO_DISPATCH__LEASE_S": "30"},
        {"AVVISO_DISPATCH__DOUBT_S": "15"},
        {"AVVISO_DRAIN_S": "15"},
        {"AVVISO_GRACE_PERIOD_S": "25"},
        {
            "AVVISO_SNS__READ_TIMEOUT_S": "60",
            "AVVISO_DISPATCH__LEASE_S": "130",
            "AVVISO_DRAIN_S": "65",
            "AVVISO_GRACE_PERIOD_S": "70",
        },
        {"AVVISO_REGISTRY__TOKEN": "t", "AVVISO_REGISTRY__URL": "https://registry"},
        {"AVVISO_INTAKE__DUE_RESUME": "99999"},
        {"AVVISO_OUTBOX__USED_ALARM_BYTES": str(64 * 2**30 - 1)},
        {"AVVISO_OUTBOX__FREE_ALARM_BYTES": str(256 * 2**20 + 1)},
        {"AVVISO_FLOOD__LETTERS_MIN": "1000"},
        {"AVVISO_REGISTRY__CLIENT_CERTIFICATE": "both.pem", "AVVISO_REGISTRY__URL": "https://registry"},
        {"AVVISO_REGISTRY__GLUE_REGION": "eu-south-1"},
        {"AVVISO_REGISTRY__URL": "https://registry", "AVVISO_REGISTRY__TIMEOUT_S": "60"},
    ],
)
def test_limits_that_just_agree_are_taken(environ: dict[str, str]) -> None:
    assert load(environ) is not None


def test_a_step_of_reading_that_outlasts_the_grace_period_is_told_in_seconds() -> None:
    quick = {"AVVISO_SNS__CONNECT_TIMEOUT_S": "1", "AVVISO_SNS__READ_TIMEOUT_S": "1", "AVVISO_DRAIN_S": "4"}

    with pytest.raises(SettingsError, match=r"shorter than one step of reading \(12 s\) and 5 s to close"):
        load({**quick, "AVVISO_GRACE_PERIOD_S": "16"})


def test_what_two_limits_mean_together_is_said_in_seconds() -> None:
    with pytest.raises(SettingsError, match=r"twice one call to SNS \(105 s: connect, read, and 2 s besides\)"):
        load({"AVVISO_SNS__READ_TIMEOUT_S": "100"})
