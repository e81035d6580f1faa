"""The settings of what counts as a flood of undecodable records."""

from typing import Self

from pydantic import Field, model_validator

from consumer.settings.groups import Group


class Flood(Group):
    """When so many records cannot be read that none is set aside: the process ends (40), or the preferences stand still."""

    window_records: int = Field(
        default=1000, ge=1, le=100_000, description="The latest records of a topic that are judged together"
    )
    letters_min: int = Field(
        default=100, ge=1, description="Fewer dead letters among them are no flood, whatever their share"
    )
    share_max: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="It is a flood when a larger share of them cannot be read; 1: never by share",
    )
    run_max: int = Field(default=100, ge=1, description="It is a flood when so many in a row of a topic cannot be read")

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.letters_min > self.window_records:
            raise ValueError("letters_min is above window_records: there could never be a flood by share")
        return self
