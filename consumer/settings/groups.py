"""The settings that belong together, each with its limits, and the forms that values must have."""

import re
from pathlib import Path
from typing import Annotated, Self

from botocore.utils import is_valid_endpoint_url, is_valid_ipv6_endpoint_url
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretBytes, SecretStr, model_validator

_SQLITE = "sqlite:///"
_VISIBLE = re.compile(r"[!-~]+\Z")


def _matching(pattern: str, problem: str) -> AfterValidator:
    """Refuse what does not match, in words that do not repeat it."""
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            raise ValueError(problem)
        return value

    return AfterValidator(check)


def _taken_by_boto3(endpoint: str) -> str:
    if not (is_valid_endpoint_url(endpoint) or is_valid_ipv6_endpoint_url(endpoint)):
        raise ValueError("names no host that boto3 takes: letters, digits and hyphens between dots, or an address")
    return endpoint


_TOPIC = r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}"
Topic = Annotated[str, _matching(_TOPIC, "is no Kafka topic: 1 to 249 letters, digits, dots, hyphens, underscores")]
Name = Annotated[str, _matching(r"[A-Za-z0-9._-]{1,64}", "has not 1 to 64 letters, digits, dots, hyphens, underscores")]
GroupId = Annotated[str, _matching(r"[^\s\x00-\x1f]{1,249}", "has not 1 to 249 characters without spaces")]
Url = Annotated[str, _matching(r"https?://[^/\s@?#]+(/[^\s@?#]*)?", "is no http or https URL (it holds no user name)")]
Origin = Annotated[
    str,
    _matching(r"https?://[^/\s@?#]+/?", "is no http or https URL without a path"),
    AfterValidator(_taken_by_boto3),
]
Region = Annotated[str, _matching(r"[a-z0-9-]{1,64}", "is no AWS region, such as eu-south-1")]
SenderId = Annotated[
    str,
    _matching(r"(?=.*[A-Za-z])[A-Za-z0-9-]{3,11}", "has not 3 to 11 letters, digits or hyphens, one letter at least"),
]
OriginationNumber = Annotated[str, _matching(r"\+?[0-9]{5,14}", "has not 5 to 14 digits")]
Language = Annotated[str, _matching(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", "is no language tag, such as it or pt-BR")]
SqliteUrl = Annotated[
    str,
    _matching(
        rf"{_SQLITE}/?[^/?#\s][^?#]*",
        "is not sqlite:///relative/path or sqlite:////absolute/path, the one kind of outbox of this version",
    ),
]
Shown = Annotated[str, _matching(r"[^\x00-\x1f\x7f]{1,30}", "has not 1 to 30 characters without control characters")]

KEY_BYTES_MIN = 16


def _long_enough(key: SecretBytes) -> SecretBytes:
    if len(key.get_secret_value()) < KEY_BYTES_MIN:
        raise ValueError(f"has fewer than {KEY_BYTES_MIN} bytes")
    return key


Key = Annotated[SecretBytes, AfterValidator(_long_enough)]


class Group(BaseModel):
    """Settings that stand under one name: none unknown, none changed later, none repeated in an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)


class Topics(Group):
    """Which Kafka topics are read and written."""

    transactions: Topic = Field(default="bank.transactions.v1", description="Topic of transactions, keyed by account")
    balances: Topic = Field(default="bank.balances.v1", description="Topic of balances, keyed by account")
    preferences: Topic = Field(
        default="bank.alert-preferences.v1",
        description="Compacted topic of customers' alert preferences, keyed by customer",
    )
    dead_letters: Topic = Field(
        default="avviso.dead-letters.v1", description="Topic that records go to that cannot be processed"
    )

    @model_validator(mode="after")
    def _different(self) -> Self:
        if len({self.transactions, self.balances, self.preferences, self.dead_letters}) < len(type(self).model_fields):
            raise ValueError("two of the topics have one name; each is a topic of its own")
        return self

    @property
    def read(self) -> frozenset[str]:
        """Those that records come from."""
        return frozenset({self.transactions, self.balances, self.preferences})


class Registry(Group):
    """Where the writers' Avro schemas are looked up."""

    url: Url | None = Field(
        default=None,
        description="Confluent-compatible schema registry. Unset: only Avro single-object records of the known schemas "
        "are read, and records that name a registry's id are dead letters",
    )
    username: str | None = Field(default=None, description="User of the registry, for basic authentication")
    password: SecretStr | None = Field(default=None, description="Password of that user")
    token: SecretStr | None = Field(
        default=None, description="Bearer token for the registry, instead of user and password"
    )
    ca_bundle: Path | None = Field(
        default=None,
        description="PEM file of the certificate authorities to trust for the registry, instead of the usual",
    )
    client_certificate: Path | None = Field(
        default=None, description="PEM file of the certificate that shows the registry who asks (mTLS)"
    )
    client_key: Path | None = Field(
        default=None, description="PEM file of that certificate's key; unset: it stands in the same file"
    )
    client_key_password: SecretStr | None = Field(default=None, description="Password of that key, if it is encrypted")
    glue_region: Region | None = Field(
        default=None,
        description="AWS region of the AWS Glue Schema Registry, which may stand beside the other one. Unset: records in "
        "AWS Glue's framing are dead letters",
    )
    glue_endpoint_url: Origin | None = Field(
        default=None, description="Another Glue than AWS's, such as a VPC endpoint or a test server"
    )
    timeout_s: float = Field(default=5.0, gt=0, le=60, description="How long one request to the registry may take")

    @model_validator(mode="after")
    def _tls_is_whole(self) -> Self:
        if self.client_certificate is None and (self.client_key is not None or self.client_key_password is not None):
            raise ValueError(
                "there is a key for the registry, but no certificate of it: set the client certificate too"
            )
        if self.url is not None and not self.url.startswith("https") and (self.ca_bundle or self.client_certificate):
            raise ValueError("certificates need a registry whose URL begins with https")
        if self.glue_endpoint_url is not None and self.glue_region is None:
            raise ValueError("there is an endpoint of AWS Glue, but no region: set it too")
        return self

    @model_validator(mode="after")
    def _one_way_to_sign_in(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise ValueError("the user and the password of the registry are given together, or neither")
        if self.token is not None and self.username is not None:
            raise ValueError("the registry takes a token, or a user with a password, not both")
        if self.token is not None and not _VISIBLE.match(self.token.get_secret_value()):
            raise ValueError("the token of the registry has a blank, a line break or what is not ASCII in it")
        if self.url is None and (self.token is not None or self.username is not None):
            raise ValueError("there is a way to sign in to a registry, but no registry: set its URL too")
        return self


class PreferenceTable(Group):
    """The local copy of the customers' preferences."""

    path: Path = Field(
        default=Path("var/preferences.lmdb"),
        description="Folder of the local copy (LMDB). The numbered folders in it may be deleted while Avviso is stopped, "
        "and fill again; `set-aside` remembers which records became dead letters",
    )
    min_records: int = Field(
        default=1,
        ge=0,
        description="Fewer customers than this are not believed: nothing is read or sent until there are more",
    )
    size_max_bytes: int = Field(
        default=64 * 2**30,
        ge=2**20,
        description="How large the local copy may grow, by itself; while it is read anew there are two. Disk is used only "
        "as they fill, address space at once. There is an alarm at 80 %, and at 100 % the process ends",
    )
    stale_max_s: float = Field(
        default=900.0,
        ge=120,
        le=43_200,
        description="How long the local copy is believed while it cannot be compared with its topic (Kafka is away) or does "
        "not keep up with it, or stands still at a flood; then nothing is read or sent",
    )


class Outbox(Group):
    """Where notices are kept until they are told, and after."""

    url: SqliteUrl = Field(
        default="sqlite:///var/avviso.sqlite",
        description="The outbox: `sqlite:///relative/path` or `sqlite:////absolute/path`",
    )

    used_max_bytes: int = Field(
        default=64 * 2**30, ge=2**26, description="Intake waits while the outbox takes up so much, its log included"
    )
    used_alarm_bytes: int = Field(
        default=32 * 2**30, ge=2**25, description="There is an alarm when it takes up so much; below its maximum"
    )
    free_min_bytes: int = Field(
        default=256 * 2**20, ge=0, description="Intake waits while less than this is free on the outbox's disk"
    )
    free_alarm_bytes: int = Field(
        default=2**30, ge=0, description="There is an alarm when less than this is free; above its minimum"
    )

    @model_validator(mode="after")
    def _warned_before(self) -> Self:
        if self.used_alarm_bytes >= self.used_max_bytes:
            raise ValueError("used_alarm_bytes is not below used_max_bytes: the alarm would come too late")
        if self.free_alarm_bytes <= self.free_min_bytes:
            raise ValueError("free_alarm_bytes is not above free_min_bytes: the alarm would come too late")
        return self

    @property
    def path(self) -> Path:
        """The SQLite file."""
        return Path(self.url.removeprefix(_SQLITE))


class Intake(Group):
    """Reading records."""

    batch_records_max: int = Field(default=5000, ge=1, le=10_000, description="Records that are taken in together")
    poll_timeout_s: float = Field(
        default=1.0,
        gt=0,
        le=10,
        description="How long a poll waits for records; also how often an outage is looked at again",
    )
    sole_owner_patience_s: float = Field(
        default=60.0,
        gt=0,
        le=3600,
        description="How long another member of the group may own partitions before the process ends (an SQLite outbox "
        "is for one process); longer than a rebalance takes",
    )

    due_max: int = Field(
        default=100_000,
        ge=1,
        le=10_000_000,
        description="Intake waits once so many notices may be sent now; what waits for its hour does not count. In the "
        "outbox security goes first, in Kafka it waits behind the rest: rather too high than too low",
    )
    due_resume: int = Field(
        default=80_000, ge=0, description="Intake goes on by itself once there are no more than these; below due_max"
    )

    @model_validator(mode="after")
    def _goes_on_below(self) -> Self:
        if self.due_resume >= self.due_max:
            raise ValueError("due_resume is not below due_max: intake would stop and go with each record")
        return self
