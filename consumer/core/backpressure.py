"""When intake must wait because the outbox holds enough: too much to send now, or too little room on the disk."""

import enum

import msgspec

_RELIEF = 0.05
"""How far a size must be back on the right side of its limit before the limit counts as kept again."""


class Strain(enum.StrEnum):
    """What the outbox can have too much or too little of."""

    BACKLOG = "backlog"  # notices that are due and may be sent now
    OUTBOX_LARGE = "outbox_large"  # bytes of everything it holds
    DISK_LOW = "disk_low"  # bytes free where it lies


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """The outbox as it is: notices due now (counted up to `due_max`), bytes it uses, bytes free where it lies."""

    due: int
    used_bytes: int
    free_bytes: int


class LoadLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Intake waits from `due_max` notices until there are `due_resume`; from `used_max_bytes`; below `free_min_bytes`.

    The other two raise an alarm long before.
    """

    due_max: int = 100_000
    due_resume: int = 80_000
    used_max_bytes: int = 64 * 2**30
    used_alarm_bytes: int = 32 * 2**30
    free_min_bytes: int = 256 * 2**20
    free_alarm_bytes: int = 2**30


class Pressure(msgspec.Struct, frozen=True, kw_only=True):
    """`held`: what intake waits for. `warned`: what has passed its alarm level."""

    held: frozenset[Strain] = frozenset()
    warned: frozenset[Strain] = frozenset()


def after(before: Pressure, load: Load, limits: LoadLimits) -> Pressure:
    """The pressure that this load makes. What was reached counts until it is well back, so that nothing flaps."""
    held, warned = before.held, before.warned
    return Pressure(
        held=frozenset(
            strain
            for strain, reached in (
                (
                    Strain.BACKLOG,
                    load.due > limits.due_resume if Strain.BACKLOG in held else load.due >= limits.due_max,
                ),
                (Strain.OUTBOX_LARGE, _above(load.used_bytes, limits.used_max_bytes, Strain.OUTBOX_LARGE in held)),
                (Strain.DISK_LOW, _below(load.free_bytes, limits.free_min_bytes, Strain.DISK_LOW in held)),
            )
            if reached
        ),
        warned=frozenset(
            strain
            for strain, reached in (
                (Strain.OUTBOX_LARGE, _above(load.used_bytes, limits.used_alarm_bytes, Strain.OUTBOX_LARGE in warned)),
                (Strain.DISK_LOW, _below(load.free_bytes, limits.free_alarm_bytes, Strain.DISK_LOW in warned)),
            )
            if reached
        ),
    )


def _above(value: int, limit: int, already: bool) -> bool:
    return value >= (limit * (1 - _RELIEF) if already else limit)


def _below(value: int, limit: int, already: bool) -> bool:
    return value < (limit * (1 + _RELIEF) if already else limit)
