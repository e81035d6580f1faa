"""Preferences as the bytes that the table keeps: a customer's own, and apart from them what many ask for alike."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import time
from typing import NamedTuple

import msgspec

from consumer.core.lately import Lately
from consumer.core.preferences import AlertPreference, DetailLevel, Phone, Preferences, QuietHours
from consumer.core.record import Position
from consumer.core.screen import Word

WORDS_MAX = 50_000
"""Of sets of wishes, those whose word is remembered: about 30 MB when all are there."""
WISHES_MAX = 20_000
"""Those that are remembered whole, because who has them was to be told something: as much again."""
WISHES_BYTES_MAX = 1024
"""Longer ones are rare, and seldom the same: they are understood anew each time."""
PACKED_MAX = 40_000
"""As many as the decoder remembers. Only who fills a table ever comes near it."""
NAME_BYTES = 16
LookUp = Callable[[bytes], bytes | None]
"""From the name of wishes to what was packed of them."""


class Wishes(msgspec.Struct, frozen=True, array_like=True):
    """What a customer wants to hear of: all that the screen asks for, and nothing that is theirs alone."""

    consents: Mapping[str, bool]
    alerts: Mapping[str, AlertPreference]
    suspended: bool

    def __repr__(self) -> str:
        """Nothing of it."""
        return "Wishes()"


class Rest(msgspec.Struct, frozen=True, array_like=True):
    """How to reach them. Who they are is the row's key, and all rows of a table are of one topic."""

    language: str
    time_zone: str
    detail_level: DetailLevel
    phone: str | None
    phone_verified: bool
    quiet_hours: tuple[time, time] | None
    partition: int
    offset: int

    def __repr__(self) -> str:
        """Nothing of it."""
        return "Rest()"


class Packed(NamedTuple):  # not a Struct: at millions of them it counts
    """A customer's row, which begins with the name of their wishes, and these."""

    row: bytes
    wishes: bytes

    def __repr__(self) -> str:
        """Nothing of it."""
        return "Packed()"


class _KnownWishes(msgspec.Struct, frozen=True, kw_only=True):
    """Wishes that were packed, and from what: as long as that is held here no other mapping has its identity."""

    alerts: Mapping[str, AlertPreference]
    consents: Mapping[str, bool]
    name: bytes
    wishes: bytes

    def __repr__(self) -> str:
        """Nothing of it."""
        return "_KnownWishes()"


class Packing:
    """Packs and unpacks; what was unpacked of one customer's wishes serves all who share them. Any thread may call."""

    def __init__(self, word: Callable[[Preferences | None], Word], words_max: int = WORDS_MAX) -> None:
        """`word`: what the screen wants to know of a customer, which depends on their wishes only."""
        self._word = word
        self._words = Lately[bytes, Word](words_max)
        self._wishes = Lately[bytes, Wishes](WISHES_MAX)
        self._packed = Lately[int, _KnownWishes](PACKED_MAX)  # by the identity of the mapping of alerts
        self._pack = msgspec.msgpack.Encoder(order="deterministic").encode  # the same wishes have one name
        self._wishes_of = msgspec.msgpack.Decoder(Wishes).decode
        self._rest_of = msgspec.msgpack.Decoder(Rest).decode
        self.stranger = word(None)

    def pack(self, preferences: Preferences) -> Packed:
        """As they are to lie in the table. For one thread."""
        alerts, consents = preferences.alerts, preferences.consents
        known = self._packed.get(id(alerts))
        if known is None or known.consents != consents or preferences.suspended:
            known = self._packed_anew(preferences)
        return Packed(known.name + self._pack(_rest(preferences)), known.wishes)

    def _packed_anew(self, preferences: Preferences) -> "_KnownWishes":
        """Remembered by which mapping the alerts are: decoding gives the same to all who asked in the same bytes."""
        alerts, consents = preferences.alerts, preferences.consents
        wishes = self._pack(Wishes(consents, alerts, preferences.suspended))
        name = hashlib.blake2b(wishes, digest_size=NAME_BYTES).digest()
        packed = _KnownWishes(alerts=alerts, consents=consents, name=name, wishes=wishes)
        if not preferences.suspended and len(wishes) <= WISHES_BYTES_MAX:
            self._packed.keep(id(alerts), packed)
        return packed

    def unpack(self, row: bytes, look_up: LookUp, customer_id: str, topic: str) -> Preferences:
        """What was packed of this customer's, from this topic; raises ValueError where it can be used no longer."""
        name = row[:NAME_BYTES]
        wishes = self._wishes.get(name)
        if wishes is None:
            wishes, short = self._looked_up(name, look_up)
            if short:
                self._wishes.keep(name, wishes)
        return _preferences(wishes, self._rest_of(row[NAME_BYTES:]), customer_id, topic)

    def word(self, row: bytes, look_up: LookUp) -> Word:
        """What the screen wants to know of whoever this is; raises as `unpack`. Of most it is all that is ever asked."""
        name = row[:NAME_BYTES]
        word = self._words.get(name)
        if word is None:
            wishes, _ = self._looked_up(name, look_up)
            word = self._words.keep(name, self._word(_preferences(wishes, _UNREACHABLE, "anybody", "any topic")))
        return word

    def _looked_up(self, name: bytes, look_up: LookUp) -> tuple[Wishes, bool]:
        """And whether they are short enough to be remembered."""
        packed = look_up(name)
        if packed is None:
            raise ValueError("the customer's wishes are not there")
        return self._wishes_of(packed), len(packed) <= WISHES_BYTES_MAX


def _rest(of: Preferences) -> Rest:
    at, quiet = of.position, of.quiet_hours
    return Rest(
        of.language,
        of.time_zone,
        of.detail_level,
        None if of.phone is None else of.phone.e164,
        of.phone_verified,
        None if quiet is None else (quiet.start, quiet.end),
        at.partition,
        at.offset,
    )


_UNREACHABLE = Rest("en", "UTC", DetailLevel.NONE, None, phone_verified=False, quiet_hours=None, partition=0, offset=0)
"""What says nothing of what anybody wants to hear."""


def _preferences(wishes: Wishes, rest: Rest, customer_id: str, topic: str) -> Preferences:
    return Preferences(
        customer_id=customer_id,
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
        position=Position(topic=topic, partition=rest.partition, offset=rest.offset),
    )
