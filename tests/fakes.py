"""Small stand-ins for what the loops ask of the world; each does what its port promises, on lists and dictionaries."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from consumer.core.catalogue import Catalogue
from consumer.core.event import Event
from consumer.core.preferences import Preferences
from consumer.core.record import Delivery, Fetched, Position, Record
from consumer.core.screen import Glance, Screen, Word
from consumer.errors import Awaited, Unavailable
from consumer.ports import DeadLetter, Recorded
from tests.deciding import CATALOGUE


def take_below(ends: Mapping[Delivery, int], delivered: list[Record]) -> list[Record]:
    """Those of the delivered that these offsets say are done with; they are delivered no longer."""
    done = [one for one in delivered if one.position.offset < ends.get(one.delivery, 0)]
    delivered[:] = [one for one in delivered if one not in done]
    return done


class ScriptedSource:
    """A record source that delivers one prepared batch per poll, as far as that is asked for.

    It forgets nothing of what was asked of it.

    What was delivered behind what is held back, and what comes behind it, is a batch of its own once it is let go. A topic
    that was `made_again` has none of it any more.

    `when_polled_empty` runs on every poll that waits and has nothing (left) to deliver: where a test lets the world move on.
    `meanwhile` runs on the polls that do not wait, one after the other: while a batch is on its way to the disk.
    """

    def __init__(self, batches: Sequence[Sequence[Record]], when_polled_empty: Callable[[], None]) -> None:
        self._batches = list(batches)
        self._when_polled_empty = when_polled_empty
        self.meanwhile: list[Callable[[], object]] = []
        self._paused = False
        self._delivered: list[Record] = []
        self._held_back: dict[Delivery, list[Record]] = {}
        self.timeouts_s: list[float] = []
        self.before_revoke: Callable[[], None] = lambda: None
        self.overdue = False
        self.epoch = 0
        self.former_epochs: set[int] = set()
        self.processed_positions: list[Position] = []
        self.journal: list[str] = []

    def poll(self, *, records_max: int, timeout_s: float, before_revoke: Callable[[], None] = lambda: None) -> Fetched:
        self.timeouts_s.append(timeout_s)
        self.before_revoke = before_revoke
        if not timeout_s and self.meanwhile:
            self.meanwhile.pop(0)()
        while self._batches and not self._paused:
            polled = self._batches.pop(0)
            if len(polled) > records_max:
                self._batches.insert(0, polled[records_max:])
            flowing = [one for one in polled[:records_max] if not self._keeps_back(one)]
            if flowing:
                self._delivered += flowing
                return Fetched(flowing)
        if timeout_s:
            self.overdue = False
            self._when_polled_empty()
        return Fetched()

    @property
    def flow(self) -> list[str]:
        """What was asked of it, but for the commits, which come at any time."""
        return [step for step in self.journal if step != "commit"]

    def deliver(self, batch: Sequence[Record]) -> None:
        """One batch more than was scripted."""
        self._batches.append(batch)

    def reassign(self, left: Sequence[Record]) -> None:
        """A rebalance took everything and gave it back: `left` is what it delivers then."""
        self.epoch += 1
        self._batches = [left] if left else []

    def _keeps_back(self, record: Record) -> bool:
        behind = self._held_back.get(record.delivery)
        if behind is not None:
            behind.append(record)
        return behind is not None

    def made_again(self) -> None:
        """All that was not delivered is gone, and what was is nobody else's."""
        self.former_epochs.add(self.epoch)
        self.reassign(())
        self._held_back.clear()

    def hold_back(self, delivery: Delivery, offset: int) -> None:
        self.journal.append("hold_back")
        if delivery[2] == self.epoch:
            same = [one for one in self._delivered if one.delivery == delivery]
            self._held_back[delivery] = [one for one in same if one.position.offset >= offset]
            self._delivered = [one for one in self._delivered if one not in self._held_back[delivery]]

    def let_go(self, delivery: Delivery) -> None:
        self.journal.append("let_go")
        behind = self._held_back.pop(delivery, None)
        if behind and delivery[2] == self.epoch:
            self._batches.insert(0, behind)

    def owns(self, record: Record) -> bool:
        return record.epoch == self.epoch or record.epoch in self.former_epochs

    def processed(self, ends: Mapping[Delivery, int]) -> None:
        self.journal.append("processed")
        self.processed_positions += [one.position for one in take_below(ends, self._delivered) if self.owns(one)]

    def commit(self) -> None:
        self.journal.append("commit")

    def pause(self) -> None:
        self._paused = True
        self.journal.append("pause")

    def resume(self) -> None:
        self._paused = False
        self.journal.append("resume")

    def close(self) -> None:
        self.journal.append("close")


class Decoded:
    """A decoder that knows what stands at each offset: an event, or what to raise; and what is `seen` of it before."""

    def __init__(self, content: Mapping[int, Event | Exception]) -> None:
        self._content = dict(content)
        self.decoded: list[int] = []
        self.asked: list[int] = []
        self.seen: dict[int, Glance] = {}

    def glances(self, records: Fetched) -> list[Glance | None]:
        return [self.seen.get(record.position.offset) for record in records]

    def decode(self, record: Record) -> Event:
        self.decoded.append(record.position.offset)
        found = self._content[record.position.offset]
        if isinstance(found, Exception):
            raise found
        return found

    def awaited(self, record: Record) -> Awaited | None:
        self.asked.append(record.position.offset)
        found = self._content[record.position.offset]
        return found if isinstance(found, Awaited) else None

    def learn(self, offset: int, event: Event | Exception) -> None:
        self._content[offset] = event


class Listed:
    """Preferences from a dictionary, and what the screen makes of them and of the `kinds` there are."""

    def __init__(self, *preferences: Preferences, kinds: Catalogue = CATALOGUE) -> None:
        self._screen = Screen(kinds)
        self.by_customer = {one.customer_id: one for one in preferences}
        self.caught_up = True

    def get(self, customer_id: str) -> Preferences | None:
        return self.by_customer.get(customer_id)

    def get_many(self, customer_ids: Iterable[str]) -> list[Preferences | None]:
        return [self.get(one) for one in customer_ids]

    def words(self, customers: Iterable[bytes]) -> list[Word]:
        return [self._screen.word(self.get(one.decode())) for one in customers]

    def ready(self) -> bool:
        return self.caught_up


class Durable:
    """A recording that is on the disk already; or one that never gets there."""

    def __init__(self, recorded: Recorded, failure: Exception | None = None) -> None:
        self._recorded = recorded
        self._failure = failure

    def durable(self) -> Recorded:
        if self._failure is not None:
            raise self._failure
        return self._recorded


class Drawer:
    """Dead letters in a list; refuses as often as `outages` says."""

    def __init__(self, outages: int = 0) -> None:
        self.letters: list[DeadLetter] = []
        self.outages = outages

    def write(self, letters: Sequence[DeadLetter]) -> None:
        if self.outages:
            self.outages -= 1
            raise Unavailable("dead letters", "not_acknowledged")
        self.letters += letters
