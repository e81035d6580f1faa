"""Preferences as the bytes that the table keeps: a customer's own, and apart from them what many ask for alike."""

import hashlib
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
WISHES_BYTES_MAX = 1024
"""Longer ones are rare, and seldom the same: they are understood anew each time."""
NAME_BYTES = 16
LookUp = Callable[[bytes], bytes | None]
"""From the name of wishes to what was packed of them."""
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
        self.words = Known[Word](known_max)
        self._wishes = Known[Wishes](known_max)
        self._pack = msgspec.msgpack.Encoder().encode
        self._wishes_of = msgspec.msgpack.Decoder(Wishes).decode
        self._rest_of = msgspec.msgpack.Decoder(Rest).decode
        self.stranger = word(None)

    def pack(self, preferences: Preferences) -> tuple[bytes, bytes]:
        """The customer's row, which begins with the name of their wishes, and these."""
        wishes = self._pack(Wishes(preferences.consents, preferences.alerts, preferences.suspended))
        return hashlib.blake2b(wishes, digest_size=NAME_BYTES).digest() + self._pack(_rest(preferences)), wishes

    def unpack(self, row: bytes, look_up: LookUp) -> Preferences:
        """What was packed; raises ValueError where it can be used no longer."""
        name = row[:NAME_BYTES]
        return _preferences(self._wishes.get(name) or self._learn(name, look_up), self._rest_of(row[NAME_BYTES:]))

    def word(self, row: bytes, look_up: LookUp) -> Word:
        """What the screen wants to know of whoever this is; raises as `unpack`. `words` holds those met lately."""
        return self.words.keep(row[:NAME_BYTES], self._word(self.unpack(row, look_up)))

    def _learn(self, name: bytes, look_up: LookUp) -> Wishes:
        packed = look_up(name)
        if packed is None:
            raise ValueError("the customer's wishes are not there")
        wishes = self._wishes_of(packed)
        return wishes if len(packed) > WISHES_BYTES_MAX else self._wishes.keep(name, wishes)


class Known(OrderedDict[bytes, _T]):
    """What the wishes of some names mean, for those that were met lately."""

    def __init__(self, size_max: int) -> None:
        """Nothing is known yet."""
        super().__init__()
        self._size_max = size_max

    def keep(self, name: bytes, meaning: _T) -> _T:
        """Remember it; another thread may have done so meanwhile, which is as good."""
        self[name] = meaning
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
