"""librdkafka's properties as settings: which may be set, and which belong to Avviso."""

from collections.abc import Mapping

from pydantic import SecretStr

DEFAULTS: Mapping[str, str] = {"bootstrap.servers": "localhost:9092"}
SECRETS = frozenset(
    {
        "sasl.password",
        "sasl.oauthbearer.client.secret",
        "sasl.oauthbearer.assertion.private.key.passphrase",
        "sasl.oauthbearer.assertion.private.key.pem",
        "ssl.key.password",
        "ssl.key.pem",
        "ssl.keystore.password",
    }
)
"""Those that may also be given as `<NAME>_FILE`."""

_NEVER_SKIPS = "belongs to Avviso: records are committed after their notices are durable, and never skipped"
_ACKNOWLEDGED = "belongs to Avviso: a dead letter counts as written once every in-sync replica has it"
_IN_CODE = "is no string; Avviso sets it in its code where it needs it"
OWNED: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "enable.auto.commit",
            "auto.commit.enable",
            "auto.commit.interval.ms",
            "enable.auto.offset.store",
            "offset.store.method",
            "offset.store.path",
            "offset.store.sync.interval.ms",
            "auto.offset.reset",
            "enable.partition.eof",
        ),
        _NEVER_SKIPS,
    ),
    **dict.fromkeys(("acks", "request.required.acks", "enable.idempotence", "transactional.id"), _ACKNOWLEDGED),
    **dict.fromkeys(("opaque", "default.topic.config", "on.delivery", "logger", "interceptors"), _IN_CODE),
    "group.id": "belongs to Avviso: set AVVISO_GROUP_ID",
    "isolation.level": "belongs to Avviso: what a transaction took back must not be told",
    "metadata.broker.list": "is another name of bootstrap.servers: set AVVISO_KAFKA__BOOTSTRAP_SERVERS",
    "plugin.library.paths": "loads code into the process, and is not passed on",
    "builtin.features": "only tells what librdkafka was built with",
}


def property_of(setting: str) -> str:
    """The property that a setting's last part names: `SASL_USERNAME` is `sasl.username`; only `log_level` keeps its `_`."""
    name = setting.lower()
    return name if name == "log_level" else name.replace("_", ".")


def setting_of(name: str) -> str:
    """The other way: the last part of the setting that is the property `name`."""
    return name.upper().replace(".", "_")


def refusal(name: str) -> str | None:
    """Why this property is not to be set; None if it may."""
    if name.endswith(".cb"):
        return _IN_CODE
    return OWNED.get(name)


def kafka_properties(given: Mapping[str, SecretStr]) -> dict[str, SecretStr]:
    """From names as the environment writes them (in any case) to librdkafka's, with what everyone needs to connect."""
    properties = {property_of(name): value for name, value in given.items()}
    problems = [f"AVVISO_KAFKA__{setting_of(name)} {why}" for name in sorted(properties) if (why := refusal(name))]
    if problems:
        raise ValueError("\n".join(problems))
    return {name: SecretStr(value) for name, value in DEFAULTS.items()} | properties
