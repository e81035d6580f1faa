"""Whether this process alone owns every partition, as a store that nobody shares demands."""

from typing import Protocol

from consumer.errors import Broken, ExitCode

_INCUMBENT_PATIENCE = 3


class Ownership(Protocol):
    """Told what becomes of the member's share; nothing may be delivered before it is `proven`."""

    proven: bool

    @property
    def in_question(self) -> bool:
        """Whether partitions are to be counted."""
        ...

    def assigned(self, now_s: float) -> None:
        """An assignment came, perhaps an empty one."""
        ...

    def revoked(self) -> None:
        """Something was taken away in good order; an assignment follows."""
        ...

    def lost(self) -> None:
        """We fell out of the group: others may have owned everything since."""
        ...

    def counted(self, *, owned: int, existing: int, now_s: float) -> None:
        """How many partitions are ours, and how many there are. Raises Broken when patience is at its end."""
        ...


class AnyShare:
    """Of a member that shares with others: whatever it gets will do."""

    proven = True
    in_question = False

    def assigned(self, now_s: float) -> None:
        """See Ownership."""

    def revoked(self) -> None:
        """See Ownership."""

    def lost(self) -> None:
        """See Ownership."""

    def counted(self, *, owned: int, existing: int, now_s: float) -> None:
        """See Ownership."""


class SoleOwnership:
    """Judges the assignments of one member that must be the only one. Nothing may be delivered before it is `proven`.

    A newcomer waits `patience_s` for its whole share: long enough for a dead predecessor to be dropped from the group. Who
    has owned everything without a break waits thrice as long, so that it is the newcomer that gives way.
    """

    def __init__(self, *, patience_s: float) -> None:
        self._patience_s = patience_s
        self._incomplete_since_s: float | None = None
        self._complete = False
        self.proven = False

    @property
    def in_question(self) -> bool:
        """Whether an assignment came that has not been found complete."""
        return self._incomplete_since_s is not None and not self._complete

    def assigned(self, now_s: float) -> None:
        """See Ownership."""
        self._complete = False
        if self._incomplete_since_s is None:
            self._incomplete_since_s = now_s

    def revoked(self) -> None:
        """See Ownership."""
        self._complete = False

    def lost(self) -> None:
        """See Ownership."""
        self._complete, self.proven, self._incomplete_since_s = False, False, None

    def counted(self, *, owned: int, existing: int, now_s: float) -> None:
        """See Ownership."""
        if owned >= existing:
            self._complete, self.proven, self._incomplete_since_s = True, True, None
            return
        assert self._incomplete_since_s is not None, "only what is in question is counted"
        patience_s = self._patience_s * (_INCUMBENT_PATIENCE if self.proven else 1)
        if now_s - self._incomplete_since_s >= patience_s:
            raise Broken(
                f"another member of the consumer group owns {existing - owned} of {existing} partitions, and an SQLite "
                "outbox serves one process only: stop the other one, or move the outbox to PostgreSQL",
                ExitCode.NOT_SOLE_OWNER,
            )
