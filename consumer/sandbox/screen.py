"""What the demo shows while it runs: events passing on one side, phones receiving on the other."""

import threading
from collections import deque
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol, Self

import msgspec
from rich import box
from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text as Styled

_EVENTS_SHOWN = 16
_TEXTS_SHOWN = 8
_REFRESHES_PER_S = 8


class Passing(msgspec.Struct, frozen=True, kw_only=True):
    """An event on its way through Kafka, as the bank tells of it."""

    at: datetime
    schema: str
    note: str


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """A text as it reached a phone."""

    at: datetime
    owner: str
    phone: str
    text: str


class Screen(Protocol):
    """Where the demo shows what happens; called from several threads."""

    def __enter__(self) -> Self:
        """Begin to show."""
        ...

    def __exit__(self, *_: object) -> None:
        """Leave the terminal as it was found."""
        ...

    def passing(self, event: Passing) -> None:
        """The bank has published something."""
        ...

    def received(self, text: Received) -> None:
        """A phone has received a text."""
        ...


class PlainScreen:
    """One line for each thing that is worth a line, for pipes and logs; silent traffic is only counted."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def __enter__(self) -> Self:
        """Nothing to prepare."""
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to restore."""

    def passing(self, event: Passing) -> None:
        """A line, if the bank's simulator has something to say of it."""
        if event.note:
            self._print(f"{event.at:%H:%M:%S}  event  {event.schema:<18} {event.note}")

    def received(self, text: Received) -> None:
        """A line."""
        self._print(f"{text.at:%H:%M:%S}  phone  {text.owner:<18} {text.text}")

    def _print(self, line: str) -> None:
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)


class LiveScreen:
    """Both sides, redrawn a few times a second."""

    def __init__(self, console: Console, title: str) -> None:
        self._title = title
        self._lock = threading.Lock()
        self._events: deque[Passing] = deque(maxlen=_EVENTS_SHOWN)
        self._texts: deque[Received] = deque(maxlen=_TEXTS_SHOWN)
        self._passed = 0
        self._live = Live(console=console, get_renderable=self._draw, refresh_per_second=_REFRESHES_PER_S)

    def __enter__(self) -> Self:
        """Take over the terminal."""
        self._live.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        """Give it back, with the last picture left standing."""
        self._live.__exit__(None, None, None)

    def passing(self, event: Passing) -> None:
        """Show it at the top of the left side."""
        with self._lock:
            self._passed += 1
            self._events.append(event)

    def received(self, text: Received) -> None:
        """Show it at the top of the right side."""
        with self._lock:
            self._texts.append(text)

    def _draw(self) -> Table:
        with self._lock:
            events, texts, passed = list(self._events), list(self._texts), self._passed
        page = Table.grid(expand=True)
        page.add_column(ratio=2)
        page.add_column(ratio=3)
        page.add_row(
            _panel(f"{self._title}: {passed} events", map(_event_line, reversed(events))),
            _panel("phones", map(_text_line, reversed(texts))),
        )
        return page


def _panel(title: str, lines: Iterable[Styled]) -> Panel:
    """The newest first, so that what does not fit is the oldest."""
    return Panel(Group(*lines), title=title, height=_EVENTS_SHOWN + 2)


def _event_line(event: Passing) -> Styled:
    told = bool(event.note) and "silent" not in event.note
    style = "bold" if told else "default" if event.note else "dim"
    return Styled(f"{event.at:%H:%M:%S} {event.note or event.schema}", style=style, no_wrap=True, overflow="ellipsis")


def _text_line(text: Received) -> Styled:
    line = Styled(f"{text.owner} ", style="bold cyan")
    return line.append(text.text, style="default")


def counts(title: str, rows: Mapping[str, int]) -> Table:
    """A small table of counts, the largest first."""
    table = Table(title=title, box=box.SIMPLE, title_justify="left", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for name, count in sorted(rows.items(), key=lambda row: -row[1]):
        table.add_row(name, str(count))
    return table
