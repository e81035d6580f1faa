"""What the scripted SNS endpoint does with a request: behaviours, and the script that chooses one."""

import enum
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Mapping

import msgspec


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request as the script sees it. `number` counts all requests from 1; `attributes`: SMS attribute to value."""

    number: int
    action: str
    phone: str
    text: str
    attributes: Mapping[str, str]

    def __repr__(self) -> str:
        """Which one, and nothing of what it says."""
        return f"Request(number={self.number}, action={self.action!r})"


class Accept(msgspec.Struct, frozen=True, kw_only=True):
    """Do what AWS does: check, take, reply with a message id."""

    name = "accept"


class Refuse(msgspec.Struct, frozen=True, kw_only=True):
    """Take nothing and answer with an error document."""

    status: int
    code: str
    message: str = "Scripted."
    name = "refuse"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Take nothing and answer with these bytes, whatever they are."""

    status: int
    body: bytes = b""
    content_type: str = "text/html"
    name = "answer"


class Hang(msgspec.Struct, frozen=True, kw_only=True):
    """Say nothing for so many seconds (None: until released); then reply if it was taken, else hang up."""

    accepts: bool
    for_s: float | None = None
    name = "hang"


class Drop(msgspec.Struct, frozen=True, kw_only=True):
    """Hang up without a reply, before or after taking the text."""

    accepts: bool
    name = "drop"


class BreakTls(msgspec.Struct, frozen=True, kw_only=True):
    """Write garbage under the TLS layer after the request was read, before or after taking the text."""

    accepts: bool
    name = "break_tls"


class BreakTlsBeforeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Write garbage under the TLS layer as soon as the client sends its first bytes; no request is read or logged."""

    name = "break_tls_before_request"


class Spoiling(enum.StrEnum):
    """How a reply of a text that was taken gets lost."""

    CUT = "cut"  # half the document, then the end
    EMPTY = "empty"  # 200 and no document
    NO_MESSAGE_ID = "no_message_id"  # a whole document without the id
    GARBLED_BODY = "garbled_body"  # bytes that are no XML
    GARBLED_STATUS = "garbled_status"  # a status line that is no HTTP
    GARBLED_HEADERS = "garbled_headers"  # two lengths that contradict each other


class Spoil(msgspec.Struct, frozen=True, kw_only=True):
    """Take the text and spoil the reply."""

    how: Spoiling
    name = "spoil"


Behaviour = Accept | Refuse | Answer | Hang | Drop | BreakTls | BreakTlsBeforeRequest | Spoil
Choice = Callable[[Request], Behaviour]

ACCEPT = Accept()
THROTTLE = Refuse(status=400, code="Throttling", message="Rate exceeded")
LOSE_REPLY = Drop(accepts=True)


def takes(behaviour: Behaviour) -> bool:
    """Whether a text that meets this behaviour is taken, if AWS's own rules let it pass."""
    match behaviour:
        case Accept() | Spoil():
            return True
        case Hang(accepts=accepts) | Drop(accepts=accepts) | BreakTls(accepts=accepts):
            return accepts
        case _:
            return False


class Script:
    """Behaviours queued per action, each for one request; where the queue is empty `otherwise` chooses. Thread-safe."""

    def __init__(self, otherwise: Choice) -> None:
        """Start with empty queues."""
        self._otherwise = otherwise
        self._queues: dict[str, deque[Behaviour]] = defaultdict(deque)
        self._lock = threading.Lock()

    def then(self, action: str, behaviours: tuple[Behaviour, ...]) -> None:
        """Queue them behind what is queued already."""
        with self._lock:
            self._queues[action].extend(behaviours)

    def choose(self, request: Request) -> Behaviour:
        """The behaviour for this request; a queued one is used up."""
        with self._lock:
            queue = self._queues[request.action]
            if queue:
                return queue.popleft()
        return self._otherwise(request)

    def breaks_tls_before_request(self) -> bool:
        """Whether the next request of any action is to be cut off unread; if so, that is used up."""
        with self._lock:
            for queue in self._queues.values():
                if queue and isinstance(queue[0], BreakTlsBeforeRequest):
                    queue.popleft()
                    return True
        return False
