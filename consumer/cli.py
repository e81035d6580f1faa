"""The command line: what can be asked of Avviso, and what is printed."""

import contextlib
import os
import re
import sys
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Never

import msgspec
import typer
from rich.console import Console

from consumer import __version__, app, desk, views, whatif
from consumer.core.delivery import State
from consumer.core.flood import Place, accepted_offsets
from consumer.core.shrinkage import Shrinkage, accepted_shrinkage
from consumer.errors import Broken, ExitCode, Unavailable
from consumer.ports import OutboxReader
from consumer.sandbox.demo import Wishes, run_demo
from consumer.settings import Settings, SettingsError, load

_ACCEPT = "--accept-dead-letters-until"

cli = typer.Typer(
    name="avviso",
    help="Turns a bank's Avro events into the one SMS a customer asked for.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
outbox = typer.Typer(help="Look into the outbox, beside a running process.", no_args_is_help=True)
schemas = typer.Typer(help="The Avro contract with the bank's core systems.", no_args_is_help=True)
cli.add_typer(outbox, name="outbox")
cli.add_typer(schemas, name="schemas")

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(s|m|h)?\Z")
_SECONDS = {"s": 1, "m": 60, "h": 3600, None: 1}


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"avviso {__version__}")
        raise typer.Exit


def _duration_s(text: str | float) -> float:
    if isinstance(text, float):
        return text  # the default comes this way too
    found = _DURATION.match(text)
    if not found:
        raise typer.BadParameter("write a duration as 30s, 2m or 1h")
    return float(found[1]) * _SECONDS[found[2]]


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise typer.BadParameter("write an instant with its offset, as 2026-11-22T14:30:00+01:00")
    return at.astimezone(UTC)


def _offsets(texts: Sequence[str], topics: Collection[str]) -> Mapping[Place, int]:
    """As many as were given; all of them of `topics`."""
    if not texts:
        return {}
    try:
        found = accepted_offsets(",".join(texts))
    except ValueError as problem:
        what = f"{problem}; write topic:partition:offset, several with commas between"
        raise typer.BadParameter(what, param_hint=_ACCEPT) from None
    unread = sorted({topic for topic, _ in found} - set(topics))
    if unread:
        what = f"{', '.join(unread)}: not read here; {', '.join(sorted(topics))} are"
        raise typer.BadParameter(what, param_hint=_ACCEPT)
    return found


def _shrinkage(text: str) -> Shrinkage:
    try:
        return accepted_shrinkage(text)
    except ValueError as problem:
        raise typer.BadParameter(f"{problem}; write LEFT/BEFORE, as the alarm preferences_shrunken does") from None


File = Annotated[Path, typer.Option(exists=True, dir_okay=False, readable=True)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for other programs.")]


@cli.callback()
def main(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
) -> None:
    """Settings come from the environment (AVVISO_...); the README lists them."""


@cli.command()
def run(
    letters: Annotated[
        list[str] | None,
        typer.Option(
            _ACCEPT,
            metavar="OFFSETS",
            help="Set aside what cannot be read below these offsets, however much it is: topic:partition:offset,... "
            "May be given again, for other partitions.",
        ),
    ] = None,
    shrunken: Annotated[
        Shrinkage | None,
        typer.Option(
            "--accept-preferences",
            parser=_shrinkage,
            metavar="LEFT/BEFORE",
            help="Believe preferences that were read anew although so few customers are left of so many.",
        ),
    ] = None,
) -> None:
    """Read the bank's events and send the SMS, until told to stop."""
    settings = _settings(to_run=True)
    accepted = app.Accepted(dead_letters=_offsets(letters or (), settings.topics.read), preferences=shrunken)
    app.run(settings, stopping=threading.Event(), stream=sys.stderr, accepted=accepted)


@cli.command()
def demo(
    duration_s: Annotated[
        float, typer.Option("--for", parser=_duration_s, metavar="DURATION", help="How long the bank talks.")
    ] = 30.0,
    seed: Annotated[int, typer.Option(help="The same seed, the same events.")] = 1,
    plain: Annotated[bool, typer.Option("--plain", help="Print lines, for pipes and logs.")] = False,
) -> None:
    """Show all of it on embedded parts: a Kafka, an SNS, a bank that talks. Exits 0 only if the sums agree."""
    console = Console()
    wishes = Wishes(duration_s=duration_s, seed=seed, plain=plain or not console.is_terminal)
    raise typer.Exit(run_demo(wishes, console))


@cli.command()
def decide(
    event: File,
    preferences: File,
    standing: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="What was seen and told.")] = None,
    now: Annotated[datetime | None, typer.Option(parser=_instant, metavar="INSTANT", help="Default: now.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say what one event would be told as, to whom and why: the decision, its reason, the text in each language."""
    try:
        answers = desk.decide_on_paper(_settings(), event=event, preferences=preferences, memory=standing, now=now)
    except (desk.UnusableInput, Broken) as problem:
        _refuse(problem)
    if as_json:
        _print_json([whatif.described(answer) for answer in answers])
    else:
        views.show_answers(Console(), answers)


@outbox.command("stats")
def outbox_stats(as_json: AsJson = False) -> None:
    """Count the notices by state."""
    with _reader() as reader:
        stats = reader.stats()
    if as_json:
        _print_json(dict(stats))
    else:
        views.show_stats(Console(), stats)


@outbox.command("list")
def outbox_list(
    state: Annotated[State | None, typer.Option(help="Only notices in this state.")] = None,
    customer: Annotated[str | None, typer.Option(help="Only this customer's notices.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List notices, the newest first."""
    with _reader() as reader:
        summaries = reader.list(state=state.value if state else None, customer_id=customer, limit=limit)
    if as_json:
        _print_json(list(summaries))
    else:
        views.show_list(Console(), summaries)


@outbox.command("show")
def outbox_show(notice_id: int, as_json: AsJson = False) -> None:
    """Tell all that is known of one notice: where it came from, what was compared, and everything that became of it."""
    with _reader() as reader:
        story = reader.show(notice_id)
    if story is None:
        _refuse(f"there is no notice {notice_id}; `avviso outbox list` tells which there are")
    if as_json:
        _print_json(story)
    else:
        views.show_story(Console(), story)


@schemas.command("check")
def schemas_check(
    folder: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="Default: the built-in ones.")
    ] = None,
) -> None:
    """See that every version can read every other, fields, logical types, scales and units included."""
    problems = desk.schema_problems(folder)
    for problem in problems:
        typer.echo(problem)
    if problems:
        raise typer.Exit(1)
    typer.echo("the schemas keep their rules")


@schemas.command("register")
def schemas_register(
    registry: Annotated[str | None, typer.Option(metavar="URL", help="Default: AVVISO_REGISTRY__URL.")] = None,
) -> None:
    """Tell a Confluent-compatible registry our schemas, under `<topic>-value` for each topic of the settings."""
    try:
        registered = desk.register_schemas(_settings(), registry)
    except (Broken, desk.RegistrationRefused, Unavailable) as problem:
        _refuse(problem)
    for one in registered:
        typer.echo(f"{one.subject} version {one.version}: id {one.schema_id}")


def _settings(*, to_run: bool = False) -> Settings:
    try:
        return load(os.environ, to_run=to_run)
    except SettingsError as problem:
        _refuse(problem)


@contextlib.contextmanager
def _reader() -> Iterator[OutboxReader]:
    try:
        with desk.outbox_reader(_settings()) as reader:
            yield reader
    except (Broken, Unavailable) as problem:
        _refuse(problem)


def _refuse(problem: Exception | str) -> Never:
    """Ours only: their texts say what, where and how to mend it, and nothing private."""
    typer.echo(f"avviso: {problem}", err=True)
    raise typer.Exit(problem.exit_code if isinstance(problem, Broken) else int(ExitCode.SETTINGS))


def _print_json(value: object) -> None:
    typer.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())
