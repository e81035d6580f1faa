"""The demo's books: what the outbox says was sent against what the phones have received."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from consumer.core.delivery import State
from consumer.core.story import NoticeStory
from consumer.sandbox.sns_log import LoggedRequest

_UNFINISHED = frozenset({State.CLAIMED.value, State.SENDING.value, State.IN_DOUBT.value})
_IN_DOUBT = frozenset({State.IN_DOUBT.value, State.HELD.value, State.SENDING.value})


class Books(msgspec.Struct, frozen=True, kw_only=True):
    """Both sides. `recorded`: how many notices intake says it recorded; `phones`: each customer's number.

    `unread`: how many published records intake has not got to. `interrupted`: somebody ended it early, so what is on its way
    may be left where it is; otherwise everything has come to its end, or waits for the end of somebody's quiet hours.
    """

    stories: Sequence[NoticeStory]
    requests: Sequence[LoggedRequest]
    phones: Mapping[str, str]
    recorded: int
    unread: int = 0
    interrupted: bool = False

    def disagreements(self) -> list[str]:
        """What does not add up, one sentence each; nothing private but the customers' names of the sandbox."""
        on_the_way = () if self.interrupted else self._on_the_way()
        return [*self._unaccounted(), *on_the_way, *self._miscounted(), *self._strangers(), *self._twice()]

    def waits_s(self) -> list[float]:
        """Seconds from each accepted notice's record timestamp to its request, smallest first."""
        sent_at = {request.message_id: request.at for request in self.requests if request.accepted}
        waits: list[timedelta] = [
            sent_at[message_id] - story.claim.notice.record_timestamp
            for story in self.stories
            if (message_id := _message_id(story)) in sent_at
        ]
        return sorted(wait.total_seconds() for wait in waits)

    def _unaccounted(self) -> Iterable[str]:
        if len(self.stories) != self.recorded:
            yield f"intake recorded {self.recorded} notices, the outbox holds {len(self.stories)}"

    def _on_the_way(self) -> Iterable[str]:
        if self.unread:
            yield f"{self.unread} records were published and never read"
        for story in self.stories:
            state, tried = story.summary.state, story.claim.attempts
            if state in _UNFINISHED or (state == State.PENDING.value and tried) or state == State.FAILED.value:
                yield f"notice {story.summary.notice_id} is {state} ({story.summary.reason}) after {tried} attempts"

    def _strangers(self) -> Iterable[str]:
        known = set(self.phones.values())
        strangers = sum(request.accepted and request.phone not in known for request in self.requests)
        if strangers:
            yield f"{strangers} texts went to phones that are nobody's"

    def _miscounted(self) -> Iterable[str]:
        """Per phone: taken by the endpoint = accepted + those in doubt that it had taken."""
        for customer_id, phone in self.phones.items():
            taken = {request.message_id for request in self.requests if request.accepted and request.phone == phone}
            stories = [story for story in self.stories if story.claim.notice.key.customer_id == customer_id]
            accepted = {_message_id(story) for story in stories if story.summary.state == State.ACCEPTED.value}
            doubts = sum(story.summary.state in _IN_DOUBT for story in stories)
            if missing := accepted - taken:
                yield f"{customer_id}: {len(missing)} accepted notices never reached the endpoint"
            if len(taken - accepted) > doubts:
                yield f"{customer_id}: {len(taken - accepted)} texts taken without proof, but {doubts} notices in doubt"

    def _twice(self) -> Iterable[str]:
        """Every text of the sandbox tells of another event, so the same words on the same phone are the same notice."""
        texts = Counter((request.phone, request.text) for request in self.requests if request.accepted)
        for (phone, _), count in texts.items():
            if count > 1:
                owner = next((name for name, number in self.phones.items() if number == phone), "an unknown phone")
                yield f"{owner}: one text arrived {count} times"


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of the sorted `values` lie; they are not empty."""
    return values[min(len(values) - 1, int(share * len(values)))]


def due(stories: Iterable[NoticeStory], now: datetime) -> int:
    """How many notices still have something to be done about them at `now`."""
    return sum(_is_due(story, now) for story in stories)


def _is_due(story: NoticeStory, now: datetime) -> bool:
    match story.summary.state:
        case State.PENDING.value:
            return story.summary.not_before <= now
        case State.CLAIMED.value | State.SENDING.value | State.IN_DOUBT.value:
            return True
        case _:
            return False


def _message_id(story: NoticeStory) -> str:
    proofs = (entry.detail.get("message_id", "") for entry in reversed(story.history))
    return next(filter(None, proofs), "")
