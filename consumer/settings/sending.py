"""The settings of sending: the loop, the rate, the breaker, the provider."""

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from consumer.settings.groups import Group, Origin, OriginationNumber, Region, SenderId


class Dispatch(Group):
    """Sending notices."""

    workers: int = Field(default=8, ge=1, le=64, description="Threads that send, and so calls to SNS at the same time")
    lease_s: float = Field(
        default=60.0,
        gt=0,
        le=3600,
        description="How long a claimed notice belongs to its worker; at least twice one call to SNS",
    )
    doubt_s: float = Field(
        default=900.0,
        gt=0,
        le=86_400,
        description="How long a send whose reply was lost waits for proof before its `in_doubt` policy decides",
    )
    parts_max: int = Field(default=6, ge=1, le=10, description="The most parts (SMS segments) that a text may have")
    phone_wait_s: float = Field(
        default=60.0, gt=0, le=3600, description="How often a mandatory notice without a phone looks for one"
    )
    attempts_max: int = Field(
        default=1000,
        ge=100,
        le=1_000_000,
        description="A last guard: attempts that surely did not send before a notice fails; time should end it first",
    )
    backoff_first_s: float = Field(
        default=2.0, gt=0, le=3600, description="Wait before the second attempt; it doubles each time"
    )
    backoff_longest_s: float = Field(
        default=300.0, gt=0, le=86_400, description="The longest wait between two attempts"
    )
    retry_total_s: float = Field(
        default=43_200.0,
        gt=0,
        description="How long what was surely not sent (SNS out of reach, throttling) is tried again while it is fresh",
    )

    @model_validator(mode="after")
    def _growing(self) -> Self:
        if self.backoff_first_s > self.backoff_longest_s:
            raise ValueError("backoff_first_s is longer than backoff_longest_s")
        return self


class Rate(Group):
    """What the AWS account may send."""

    parts_per_s: float = Field(
        default=20.0, ge=0.5, le=10_000, description="Parts (SMS segments) per second, by the account's quota in AWS"
    )
    burst_parts: float = Field(default=20.0, ge=1, le=10_000, description="Parts that may go at once after a pause")
    recipient_s: float = Field(default=1.0, ge=0, le=3600, description="The least time between two texts to one phone")


class Breaker(Group):
    """When sending stops by itself."""

    ambiguous_max: int = Field(
        default=5,
        ge=1,
        le=1000,
        description="Calls in a row without an answer (no connection, or a lost reply) after which sending stops, so that "
        "an outage makes few attempts, few doubts and one alarm",
    )
    first_s: float = Field(
        default=30.0, gt=0, le=3600, description="How long the first stop lasts; it doubles while SNS is down"
    )
    longest_s: float = Field(default=900.0, gt=0, le=86_400, description="The longest stop before SNS is tried again")

    @model_validator(mode="after")
    def _growing(self) -> Self:
        if self.first_s > self.longest_s:
            raise ValueError("first_s is longer than longest_s")
        return self


class Sns(Group):
    """How SNS is reached. Credentials come by boto3's own search: environment, profile, web identity, instance role."""

    region: Region | None = Field(
        default=None, description="AWS region; unset: as boto3 finds it (`AWS_REGION`, profile)"
    )
    endpoint_url: Origin | None = Field(
        default=None, description="Another SNS than AWS's, such as a VPC endpoint or a test server"
    )
    ca_bundle: Path | None = Field(default=None, description="PEM file of the certificate authorities to trust for it")
    sender_id: SenderId | None = Field(
        default=None, description="Sender name that phones show, where the country allows one"
    )
    origination_number: OriginationNumber | None = Field(default=None, description="Number that texts come from")
    connect_timeout_s: float = Field(
        default=3.0, gt=0, le=60, description="How long connecting may take; nothing is sent yet"
    )
    read_timeout_s: float = Field(
        default=10.0, gt=0, le=120, description="How long the reply may take; after that the send is in doubt"
    )
