"""All settings, and the sums of limits that must agree."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from consumer.adapters.kafka_dead_letters import TIMEOUT_S, WRITE_MARGIN_S
from consumer.settings.flood import Flood
from consumer.settings.groups import (
    KEY_BYTES_MIN,
    GroupId,
    Intake,
    Key,
    Language,
    Name,
    Outbox,
    PreferenceTable,
    Registry,
    Shown,
    Topics,
)
from consumer.settings.kafka import kafka_properties
from consumer.settings.sending import Breaker, Dispatch, Rate, Sns

PREFIX = "AVVISO_"
NESTED_BY = "__"
CALL_MARGIN_S = 2.0
"""What a call may take besides connecting and waiting for its reply: looking up a name, signing, a busy processor."""
CLOSE_S = 5.0
"""What is left to do after draining, even without Kafka: end the reading, close the outbox, commit, leave the group."""


class Settings(BaseSettings):
    """All of them, checked each and together. Nothing is read from the environment but by `load`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter=NESTED_BY,
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        allow_inf_nan=False,
    )

    kafka: Annotated[dict[str, SecretStr], AfterValidator(kafka_properties)] = Field(
        default={}, validate_default=True, description="librdkafka's properties by their own names"
    )
    group_id: GroupId = Field(default="avviso", description="Kafka consumer group")
    topics: Topics = Topics()
    registry: Registry = Registry()
    preferences: PreferenceTable = PreferenceTable()
    outbox: Outbox = Outbox()
    tenant: Name = Field(default="default", description="Whose events these are; part of every event's key for ever")
    pseudonym_key: Key | None = Field(
        default=None,
        description=f"Key, {KEY_BYTES_MIN} bytes or more, of the stand-ins for account ids and phone numbers in the outbox. "
        "Keep it: what was remembered under another key is not recognised any more, and may be told again",
    )
    bank_name: Shown = Field(default="Your bank", description="How texts name the bank")
    default_language: Language = Field(default="en", description="Language of customers whose own has no texts")
    catalogue_path: Path | None = Field(
        default=None, description="YAML file of the alert kinds, instead of the built-in one"
    )
    texts_path: Path | None = Field(
        default=None, description="Folder of the texts (`<language>.ftl`), instead of the built-in one"
    )
    intake: Intake = Intake()
    flood: Flood = Flood()
    dispatch: Dispatch = Dispatch()
    rate: Rate = Rate()
    breaker: Breaker = Breaker()
    sns: Sns = Sns()
    drain_s: float = Field(
        default=20.0, gt=0, le=3600, description="How long calls to SNS may take to end after SIGTERM"
    )
    grace_period_s: float = Field(
        default=30.0,
        gt=0,
        le=3600,
        description="When the process is killed after SIGTERM (Kubernetes: `terminationGracePeriodSeconds`); only checked",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least level that is logged"
    )

    @property
    def call_timeout_s(self) -> float:
        """The longest that one call to SNS takes, all in all."""
        return self.sns.connect_timeout_s + self.sns.read_timeout_s + CALL_MARGIN_S

    @property
    def step_s(self) -> float:
        """How long intake may not look whether to stop: during a write of dead letters."""
        return TIMEOUT_S + WRITE_MARGIN_S

    def kafka_config(self) -> dict[str, str]:
        """What librdkafka is to be told, in plain text: not to be printed."""
        return {name: value.get_secret_value() for name, value in self.kafka.items()}

    @model_validator(mode="after")
    def _limits_agree(self) -> Self:
        """The sums of limits that live in different groups."""
        call = f"one call to SNS ({self.call_timeout_s:g} s: connect, read, and {CALL_MARGIN_S:g} s besides)"
        problems = []
        if self.dispatch.lease_s < 2 * self.call_timeout_s:
            problems.append(f"AVVISO_DISPATCH__LEASE_S is shorter than twice {call}: a claim would end during its call")
        if self.dispatch.doubt_s < self.call_timeout_s:
            problems.append(f"AVVISO_DISPATCH__DOUBT_S is shorter than {call}: a doubt would end before a late reply")
        if self.drain_s < self.call_timeout_s:
            problems.append(f"AVVISO_DRAIN_S is shorter than {call}: each stop would leave texts in doubt")
        busy = max((self.drain_s, "AVVISO_DRAIN_S"), (self.step_s, f"one step of reading ({self.step_s:g} s)"))
        if self.grace_period_s < busy[0] + CLOSE_S:
            problems.append(
                f"AVVISO_GRACE_PERIOD_S is shorter than {busy[1]} and {CLOSE_S:g} s to close: it would be killed first"
            )
        if problems:
            raise ValueError("\n".join(problems))
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - pydantic-settings names them when it calls
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load` passes in: no environment, no dot-env file behind anybody's back."""
        return (init_settings,)
