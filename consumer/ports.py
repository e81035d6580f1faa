"""Every side effect of Avviso, as Protocols: what the loops may ask of the world, and how it may fail."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from consumer.core.catalogue import SmsType
from consumer.core.delivery import Attempt, Claim, Outcome, Patience, Settlement
from consumer.core.event import Event
from consumer.core.notice import Change
from consumer.core.preferences import Phone, Preferences
from consumer.core.record import Delivery, Fetched, Position, Record
from consumer.core.screen import Glance, Word
from consumer.core.standing import Memory, Questions
from consumer.core.story import NoticeStory, NoticeSummary
from consumer.errors import Awaited


class EventDecoder(Protocol):
    """From a record's bytes to an event."""

    def glances(self, records: Fetched) -> Sequence[Glance | None]:
        """What each begins with; None where it must be decoded. Waits for nothing, raises nothing, checks nothing else."""
        ...

    def decode(self, record: Record) -> Event:
        """The event; raises Undecodable, or Awaited while the registry is asked for the writer's schema."""
        ...

    def awaited(self, record: Record) -> Awaited | None:
        """What `decode` still waits for, asked for by this if need be; None where it waits for nothing. Decodes nothing."""
        ...


class WriterSchemas(Protocol):
    """What a schema registry knows."""

    def by_id(self, schema_id: int) -> str:
        """The Avro schema in JSON under that id.

        Raises Undecodable where the registry has no such schema, or one that is not Avro on its own; Unavailable where it
        does not answer, or does not let us in; instead of waiting for it, Awaited, if that is how it is asked.
        """
        ...

    def by_guid(self, guid: UUID) -> str:
        """The same under a GUID, which names one schema in all registries; a registry may know none at all."""
        ...


class SchemaVersions(Protocol):
    """What the schema registry of AWS Glue knows."""

    def by_version(self, version: UUID) -> str:
        """The Avro schema in JSON under the id of that version; raises as `WriterSchemas.by_id` does."""
        ...


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A record set aside with its reason. `detail` holds nothing private."""

    record: Record
    reason: str
    detail: str
    schema: str | None = None


class DeadLetters(Protocol):
    """Where records go that cannot be processed."""

    def write(self, letters: Sequence[DeadLetter]) -> None:
        """Return once the broker has acknowledged every one; raises Unavailable otherwise."""
        ...


class RecordSource(Protocol):
    """The consumer group member, used from one thread only."""

    def poll(self, *, records_max: int, timeout_s: float, before_revoke: Callable[[], None] = ...) -> Fetched:
        """Up to `records_max` records of partitions owned now; partition events are handled inside. Raises Broken.

        `before_revoke` is called each time that partitions are about to go in good order, on this thread: what is
        `processed` by then is committed.
        """
        ...

    def owns(self, record: Record) -> bool:
        """Whether the record's partition is still ours, in the same assignment that delivered it."""
        ...

    def hold_back(self, delivery: Delivery, offset: int) -> None:
        """Deliver its partition from `offset` on, once more if need be, but not before `let_go`; the others go on.

        A rebalance forgets it. Nothing happens where what it brought is no longer ours.
        """
        ...

    def let_go(self, delivery: Delivery) -> None:
        """Deliver again what was held back for it. Nothing happens where it is no longer ours."""
        ...

    @property
    def overdue(self) -> bool:
        """Whether the group has been silent for so long that `owns` may be wrong: `pause`, and poll before you write."""
        ...

    def processed(self, ends: Mapping[Delivery, int]) -> None:
        """Of each of these, all that was delivered below its offset is done with: that may be committed now."""
        ...

    def commit(self) -> None:
        """Commit what is processed, if a commit is due; never waits."""
        ...

    def pause(self) -> None:
        """From now on `poll` returns nothing, whatever is assigned meanwhile; it goes on to keep the membership."""
        ...

    def resume(self) -> None:
        """Deliver again, but what is held back."""
        ...

    def close(self) -> None:
        """Commit what is processed, and leave the group."""
        ...


class PreferenceTable(Protocol):
    """The customers' preferences, local to this process."""

    def words(self, customers: Iterable[bytes]) -> Sequence[Word]:
        """What may concern each of these, in short, as of what they asked for now: one for each, in their order.

        Their ids are in UTF-8.
        """
        ...

    def get(self, customer_id: str) -> Preferences | None:
        """What this customer asked for; None if nothing."""
        ...

    def get_many(self, customer_ids: Iterable[str]) -> Sequence[Preferences | None]:
        """The same of each of these, in their order, as of one moment."""
        ...

    def ready(self) -> bool:
        """Whether the table has caught up and is believed."""
        ...


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """What a batch changed: `cancelled` counts earlier notices that a reversal took back."""

    notices: int
    cancelled: int


class Lapsed(msgspec.Struct, frozen=True, kw_only=True):
    """A notice that time ended untold; `kinds` are all that it would have told of, what its text was about first."""

    notice_id: int
    kinds: tuple[str, ...]


class Swept(msgspec.Struct, frozen=True, kw_only=True):
    """What time alone changed. `lapsed` names those counted as `expired`."""

    leases_lost: int = 0
    doubts: int = 0
    expired: int = 0
    resent: int = 0
    held: int = 0
    lapsed: tuple[Lapsed, ...] = ()


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """What the outbox takes up where it lies, everything that goes with it included, and what is free there."""

    used_bytes: int
    free_bytes: int


class Recording(Protocol):
    """Changes that agree with all that the outbox holds, on their way to its disk. Nobody may rely on them yet."""

    def durable(self) -> Recorded:
        """What they changed, once no crash can undo it. Raises Unavailable or Broken: then nothing of it is there."""
        ...


class OutboxForIntake(Protocol):
    """The outbox as intake sees it."""

    def recall(self, questions: Questions) -> Memory:
        """The standings and the told occurrences asked for; raises Unavailable."""
        ...

    def record(self, changes: Sequence[Change], now: datetime) -> Recording:
        """Write all of it or nothing, without waiting for the disk. No event is in it twice.

        Raises Conflict or Unavailable. The caller recalls and records nothing more before this is durable.
        """
        ...

    def backlog(self, now: datetime, *, at_most: int) -> int:
        """How many notices may be sent now, counted no further than `at_most`; raises Unavailable."""
        ...

    def room(self) -> Room:
        """How large it is, and how large it may still grow; raises Unavailable."""
        ...

    def stops(self) -> Sequence[Position]:
        """Where floods of undecodable records stopped a process, one a partition; raises Unavailable."""
        ...

    def stop_at(self, stopped: Sequence[Position], now: datetime) -> None:
        """Remember these, each in the place of its partition's earlier one; raises Unavailable."""
        ...

    def pass_stops(self, passed: Sequence[Position]) -> None:
        """Forget these; raises Unavailable."""
        ...


class OutboxForDispatch(Protocol):
    """The outbox as dispatch sees it. Every call is durable when it returns; each may raise Unavailable."""

    def claim(self, *, owner: str, now: datetime, lease_until: datetime, limit: int) -> Sequence[Claim]:
        """Up to `limit` notices that are due and fresh, security first, then the oldest; each with a new fence."""
        ...

    def begin(self, claim: Claim, attempt: Attempt, now: datetime) -> bool:
        """From here a crash means doubt. False if the claim is no longer ours: then nothing may be sent."""
        ...

    def opted_out(self, phone_digest: str) -> bool:
        """Whether an attempt to this phone was settled as `opted_out`: then nothing is to be sent to it any more."""
        ...

    def settle(self, claim: Claim, settlement: Settlement, now: datetime) -> bool:
        """How it ended. False if the claim is no longer ours; a message id is kept in the history all the same."""
        ...

    def sweep(self, now: datetime, patience: Patience) -> Swept:
        """Give back lost leases, expire what is stale, resolve doubts that are due."""
        ...

    def due_at(self) -> datetime | None:
        """When the next pending notice may be tried; None if there is none."""
        ...


class Sms(msgspec.Struct, frozen=True, kw_only=True):
    """One text to one phone. Never printed."""

    phone: Phone
    text: str
    sms_type: SmsType

    def __repr__(self) -> str:
        """The type only."""
        return f"Sms(sms_type={self.sms_type.value!r})"


class SmsProvider(Protocol):
    """Who sends texts. Neither call raises: what goes wrong is a Failure."""

    def publish(self, sms: Sms) -> Outcome:
        """Exactly one request, or none."""
        ...

    def probe(self) -> Outcome:
        """A read-only call that tells whether the provider answers; `message_id` is empty."""
        ...


class OutboxReader(Protocol):
    """The outbox as an operator sees it, beside a running process."""

    def stats(self) -> Mapping[str, int]:
        """Notices by state."""
        ...

    def list(self, *, state: str | None, customer_id: str | None, limit: int) -> Sequence[NoticeSummary]:
        """The newest notices first."""
        ...

    def show(self, notice_id: int) -> NoticeStory | None:
        """One notice with its whole history; None if there is none."""
        ...
