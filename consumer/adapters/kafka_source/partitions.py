"""The partitions that are ours now, and how far each has got."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import count

from consumer.core.record import Delivery, Position, Record

Key = tuple[str, int]
"""A topic and the number of one of its partitions."""


def key_of(position: Position) -> Key:
    """Of the partition in which a record lies."""
    return position.topic, position.partition


@dataclass(slots=True)
class _Progress:
    """Each offset is that of the next record: the first one, to deliver, to process, as told to Kafka, and as confirmed.

    `former`: the epoch before its topic was made again, and up to where it had been delivered then. `beginning`: where it
    was placed before anything of it was delivered.
    """

    epoch: int
    former: tuple[int, int] | None = None
    beginning: int | None = None
    start: int | None = None
    delivered: int | None = None
    processed: int | None = None
    told: int | None = None
    confirmed: int | None = None

    def knows(self, epoch: int) -> bool:
        """Whether what this epoch delivered may still be written."""
        return epoch == self.epoch or (self.former is not None and epoch == self.former[0])


class Partitions:
    """Books of what was delivered, processed and committed since each partition became ours. Does nothing itself.

    A partition that is taken away and comes back starts a new epoch: what an older epoch delivered counts no more. One whose
    topic was made again starts one too, but what was delivered before may still be written: it is nobody else's. Until that
    is done the partition may be held back in the name of the former epoch.
    """

    def __init__(self) -> None:
        self._held: dict[Key, _Progress] = {}
        self._held_back: dict[Key, int] = {}
        self._beginning: set[Key] = set()
        self._epochs = count(1)

    def assigned(self, keys: Iterable[Key]) -> None:
        """These became ours, all in one new epoch."""
        epoch = next(self._epochs)
        for key in keys:
            self._held[key] = _Progress(epoch=epoch)
            self._flow_freely(key)

    def made_again(self, keys: Iterable[Key]) -> None:
        """These are still ours, and hold other records than before: nothing of them is delivered before they are placed."""
        epoch = next(self._epochs)
        for key in keys:
            old = self._held[key]
            former = old.former if old.delivered is None else (old.epoch, old.delivered)
            self._held[key] = _Progress(epoch=epoch, former=former)
            self._beginning.add(key)

    def gone(self, keys: Iterable[Key]) -> None:
        """These are ours no more."""
        for key in keys:
            self._held.pop(key, None)
            self._flow_freely(key)

    def _flow_freely(self, key: Key) -> None:
        self._held_back.pop(key, None)
        self._beginning.discard(key)

    @property
    def keys(self) -> AbstractSet[Key]:
        """All that are ours."""
        return self._held.keys()

    @property
    def topics(self) -> AbstractSet[str]:
        """Those of which something is ours."""
        return {topic for topic, _ in self._held}

    @property
    def held_back(self) -> AbstractSet[Key]:
        """Those of which nothing is to be delivered for now; what was taken away and comes back is none of them."""
        return self._held_back.keys() | self._beginning

    @property
    def anew(self) -> AbstractSet[Key]:
        """Those that are to be placed in a topic that was made again: what is committed of them may be of the old one."""
        return self._beginning

    def is_held_back(self, key: Key) -> bool:
        """Whether it is one of these."""
        return key in self._held_back or key in self._beginning

    def hold_back(self, delivery: Delivery) -> bool:
        """Nothing of its partition, from now on; False where what it brought is not ours any more."""
        topic, partition, epoch = delivery
        progress = self._held.get((topic, partition))
        if progress is None or not progress.knows(epoch):
            return False
        self._held_back[topic, partition] = epoch
        return True

    def let_go(self, delivery: Delivery) -> bool:
        """Deliver of its partition again; False where that is not held back, or by another."""
        topic, partition, epoch = delivery
        if self._held_back.get((topic, partition)) != epoch:
            return False
        del self._held_back[topic, partition]
        return True

    @property
    def epochs(self) -> Mapping[Key, int]:
        """In which epoch each of ours is held."""
        return {key: progress.epoch for key, progress in self._held.items()}

    def epoch_of(self, key: Key) -> int | None:
        """In which epoch this one is held; None where it is not ours."""
        progress = self._held.get(key)
        return None if progress is None else progress.epoch

    def delivered(self, ends: Mapping[Delivery, int]) -> None:
        """Of each of these, all of them ours, what lies below its offset is on its way to the caller."""
        for (topic, partition, _), end in ends.items():
            self._held[topic, partition].delivered = end

    def resume_at(self, key: Key) -> int | None:
        """The record after the last one delivered; None where none was, or the partition is not ours."""
        progress = self._held.get(key)
        return None if progress is None else progress.delivered

    def placed(self, key: Key, offset: int) -> None:
        """It is fetched from here on, whatever it has delivered."""
        self._beginning.discard(key)
        progress = self._held[key]
        progress.start = offset
        if progress.delivered is None and progress.processed is None:
            progress.beginning = offset
        if progress.delivered != offset:
            progress.delivered = None

    def place_of(self, key: Key) -> int | None:
        """Where it would have to be fetched from if it were placed anew; None where nobody has asked yet."""
        progress = self._held[key]
        return progress.start if progress.delivered is None else progress.delivered

    def rewound(self, position: Position) -> None:
        """What lies here is delivered once more."""
        self._held[position.topic, position.partition].delivered = position.offset

    def owns(self, record: Record) -> bool:
        """Whether its partition has been ours ever since it was delivered, though it may be in no topic any more."""
        progress = self._held.get(key_of(record.position))
        if progress is None or progress.epoch == record.epoch:
            return progress is not None
        epoch, end = progress.former or (progress.epoch, 0)
        return epoch == record.epoch and record.position.offset < end

    def processed(self, ends: Mapping[Delivery, int]) -> None:
        """Below these nothing need be delivered again. Never moves backwards; what is not there any more counts not."""
        for (topic, partition, epoch), end in ends.items():
            progress = self._held.get((topic, partition))
            if progress is not None and progress.epoch == epoch:
                progress.processed = max(progress.processed or 0, end)

    def untold(self) -> Mapping[Key, int]:
        """What was processed since Kafka was told last."""
        return {
            key: progress.processed
            for key, progress in self._held.items()
            if progress.processed is not None and progress.processed != progress.told
        }

    def unconfirmed(self, keys: Iterable[Key]) -> Mapping[Key, int]:
        """What was processed of these and Kafka has not confirmed yet."""
        held = ((key, self._held[key]) for key in keys if key in self._held)
        return {
            key: progress.processed
            for key, progress in held
            if progress.processed is not None and progress.processed != progress.confirmed
        }

    def known(self) -> Mapping[Key, int]:
        """Below what offset nothing is left to do, of each of which that is known: Kafka may be told it any time."""
        offsets = {
            key: next((one for one in (held.processed, held.beginning, held.confirmed) if one is not None), None)
            for key, held in self._held.items()
        }
        return {key: offset for key, offset in offsets.items() if offset is not None}

    def told(self, offsets: Mapping[Key, int]) -> None:
        """These offsets are on their way to Kafka."""
        for key, offset in offsets.items():
            self._held[key].told = offset

    def answered(self, key: Key, offset: int, *, confirmed: bool) -> None:
        """Kafka's answer to what it was told; refused, it is told again.

        Unless something newer is on its way, or the answer is to what was told before the partition's epoch began.
        """
        progress = self._held.get(key)
        if progress is None or progress.told != offset:
            return
        if confirmed:
            progress.confirmed = offset
        else:
            progress.told = None
