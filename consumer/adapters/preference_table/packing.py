"""Preferences as the bytes that the table keeps: what many customers have in common stands in front, in one piece."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import time
from typing import TypeVar

import msgspec

from consumer.core.preferences import AlertPreference, DetailLevel, Phone, Preferences, QuietHours
from consumer.core.record import Position
from consumer.core.screen import Word

KNOWN_MAX = 20_000
"""Sets of wishes that are remembered in their meaning: about 30 MB when all are there; the oldest makes room."""
KEY_BYTES_MAX = 1024
"""Longer ones are rare, and seldom the same."""
_LENGTH_BYTES = 4
_T = TypeVar("_T")


class Wishes(msgspec.Struct, frozen=True, array_like=True):
    """What a customer wants to hear of: all that the screen asks for, and nothing that is theirs alone."""

    consents: Mapping[str, bool]
    alerts: Mapping[str, AlertPreference]
    suspended: bool

    def __repr__(self) -> str:
        """Nothing of it."""
        return "Wishes()"


class Rest(msgspec.Struct, frozen=True, array_like=True):
    """Who they are, and how to reach them."""

    customer_id: str
    language: str
    time_zone: str
    detail_level: DetailLevel
    phone: str | None
    phone_verified: bool
    quiet_hours: tuple[time, time] | None
    topic: str
    partition: int
    offset: int

    def __repr__(self) -> str:
        """Nothing of it."""
        return "Rest()"


class Packing:
    """Packs and unpacks; what was unpacked of one customer's wishes serves all who share them. Any thread may call."""

    def __init__(self, word: Callable[[Preferences | None], Word], known_max: int = KNOWN_MAX) -> None:
        """`word`: what the screen wants to know of a customer, which depends on their wishes only."""
        self._word = word
        self._words = Known[Word](known_max)
        self._wishes = Known[Wishes](known_max)
        self._pack = msgspec.msgpack.Encoder().encode
        self._wishes_of = msgspec.msgpack.Decoder(Wishes).decode
        self._rest_of = msgspec.msgpack.Decoder(Rest).decode
        self.stranger = word(None)

    def pack(self, preferences: Preferences) -> bytes:
        """The length of the wishes, the wishes, the rest."""
        wishes = self._pack(Wishes(preferences.consents, preferences.alerts, preferences.suspended))
        return len(wishes).to_bytes(_LENGTH_BYTES, "little") + wishes + self._pack(_rest(preferences))

    def unpack(self, packed: bytes) -> Preferences:
        """What was packed; raises ValueError where it can be used no longer."""
        end = _LENGTH_BYTES + int.from_bytes(packed[:_LENGTH_BYTES], "little")
        wishes = packed[_LENGTH_BYTES:end]
        asked = self._wishes.get(wishes) or self._wishes.keep(wishes, self._wishes_of(wishes))
        return _preferences(asked, self._rest_of(packed[end:]))

    def word(self, packed: bytes) -> Word:
        """What the screen wants to know of whoever this is; raises as `unpack`."""
        wishes = packed[_LENGTH_BYTES : _LENGTH_BYTES + int.from_bytes(packed[:_LENGTH_BYTES], "little")]
        return self._words.get(wishes) or self._words.keep(wishes, self._word(self.unpack(packed)))


class Known(OrderedDict[bytes, _T]):
    """What some bytes mean, for those that were met lately."""

    def __init__(self, size_max: int) -> None:
        """Nothing is known yet."""
        super().__init__()
        self._size_max = size_max

    def keep(self, key: bytes, meaning: _T) -> _T:
        """Remember it, unless it is very long; another thread may have done so meanwhile, which is as good."""
        if len(key) > KEY_BYTES_MAX:
            return meaning
        self[key] = meaning
        if len(self) > self._size_max:
            self.popitem(last=False)
        return meaning


def _rest(of: Preferences) -> Rest:
    at, quiet = of.position, of.quiet_hours
    return Rest(
        of.customer_id,
        of.language,
        of.time_zone,
        of.detail_level,
        None if of.phone is None else of.phone.e164,
        of.phone_verified,
        None if quiet is None else (quiet.start, quiet.end),
        at.topic,
        at.partition,
        at.offset,
    )


def _preferences(wishes: Wishes, rest: Rest) -> Preferences:
    return Preferences(
        customer_id=rest.customer_id,
        language=rest.language,
        time_zone=rest.time_zone,
        detail_level=rest.detail_level,
        phone=None if rest.phone is None else Phone(rest.phone),
        phone_verified=rest.phone_verified,
        quiet_hours=None
        if rest.quiet_hours is None
        else QuietHours(start=rest.quiet_hours[0], end=rest.quiet_hours[1]),
        consents=wishes.consents,
        alerts=wishes.alerts,
        suspended=wishes.suspended,
        position=Position(topic=rest.topic, partition=rest.partition, offset=rest.offset),
    )
