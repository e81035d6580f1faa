"""How things go wrong, in our own words: never with a foreign message, which may hold anything."""

import enum

from consumer.core.notice import EventKey


class ExitCode(enum.IntEnum):
    """How the process ended, for whoever restarts it."""

    OK = 0
    CRASHED = 1  # a defect of ours; the log names the place
    SETTINGS = 2  # a setting, the catalogue or a text is refused
    KAFKA_FATAL = 10  # the Kafka client has ended itself
    NOT_SOLE_OWNER = 11  # on SQLite, and another member of the consumer group owns some of the partitions
    OUTBOX_IN_USE = 20  # another process works on the file
    OUTBOX_FOREIGN = 21  # the file belongs to another cluster, group or set of topics, or is no outbox
    OUTBOX_SCHEMA = 22  # a newer version wrote the file
    OUTBOX_DAMAGED = 23  # SQLite finds the file damaged, or its writer has died
    PREFERENCES_DAMAGED = 30  # the local table of preferences is unusable; without its folder it fills again from Kafka
    PREFERENCES_IN_USE = 31  # another process fills the local table of preferences
    POISON_FLOOD = 40  # so many records cannot be read that the configuration or a producer must be wrong


class Unavailable(Exception):
    """Something outside does not answer now: nothing was changed, the same call may be made again.

    `what` names the dependency, `code` its last word; never a foreign message.
    """

    def __init__(self, what: str, code: str) -> None:
        """Say who and what."""
        super().__init__(f"{what} is unavailable ({code})")
        self.what = what
        self.code = code


class Awaited(Unavailable):
    """What a record was written with is being asked for: until the answer comes, the record alone cannot be read.

    `schema`: its id or fingerprint; `code`: `no_answer`, or the outage that the latest question met.
    """

    def __init__(self, what: str, code: str, schema: str) -> None:
        """Say who is asked, and for which schema."""
        super().__init__(what, code)
        self.schema = schema


class DeadLetterReason(enum.StrEnum):
    """Why a record cannot be processed: the closed list."""

    NO_VALUE = "no_value"  # the record is empty, and nothing is erased by that here
    TOO_LARGE = "too_large"  # more bytes than any event has
    NO_FRAMING = "no_framing"  # nothing tells which schema it was written with
    NO_REGISTRY = "no_registry"  # it names a registry's id, and no registry is set
    UNKNOWN_SCHEMA = "unknown_schema"  # neither the registry nor `schemas/` knows what it names
    SCHEMA_REFUSED = "schema_refused"  # invalid, dangerous, or with a field that cannot be read as ours
    WRONG_TYPE = "wrong_type"  # a schema whose full name is not expected here
    UNDECODABLE = "undecodable"  # the bytes are not what the schema says
    TRAILING_BYTES = "trailing_bytes"  # more bytes than the schema accounts for
    INVALID_EVENT = "invalid_event"  # decoded, and no possible event
    INVALID_PREFERENCES = "invalid_preferences"  # decoded, and no possible preferences
    UNUSABLE_KEY = "unusable_key"  # preferences whose key is no customer's id
    KEY_IS_ANOTHER_CUSTOMER = "key_is_another_customer"  # preferences under another customer's id than they name
    FROM_FUTURE = "from_future"  # an event that is still to happen


class Undecodable(Exception):
    """A record that nothing can be read from. `reason`: a DeadLetterReason; `detail`: field and rule, nothing private."""

    def __init__(self, reason: str, detail: str, *, schema: str | None = None) -> None:
        """Say which rule broke and, where it is known, the schema's id or fingerprint."""
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.schema = schema


class Conflict(Exception):
    """The batch was judged on what is not so, and nothing of it was written: read again and judge again.

    `known` are those of its event keys that the outbox holds already: redelivered, or replayed.
    """

    def __init__(self, known: frozenset[EventKey] = frozenset()) -> None:
        """Say which events were recorded before, if that is the reason."""
        super().__init__("what was read from the outbox has changed")
        self.known = known


class Broken(Exception):
    """The process cannot go on and must end with `exit_code`; nothing is lost, a restart finds all of it.

    `str()` says what, where and how to mend it, and nothing private.
    """

    def __init__(self, message: str, exit_code: int) -> None:
        """Say it to whoever reads the last line of the log."""
        super().__init__(message)
        self.exit_code = exit_code
