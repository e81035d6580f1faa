"""The composition root: the only place that knows which adapter stands behind which port."""

import contextlib
import functools
import logging
import os
import random
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TextIO

import msgspec

from consumer import __version__
from consumer.adapters import resources
from consumer.adapters.avro import AvroDecoder
from consumer.adapters.kafka_dead_letters import KafkaDeadLetters
from consumer.adapters.kafka_source import KafkaSource, SourceLimits
from consumer.adapters.outbox_sqlite import SqliteOutbox
from consumer.adapters.preference_table import Pace, PreferenceTable, this_boot
from consumer.adapters.registry import Asking, Errands, GlueSchemas, at_once
from consumer.adapters.sns import SnsProvider
from consumer.backoff import endless, exponential
from consumer.core.catalogue import Catalogue
from consumer.core.flood import Place, Watch, as_far_as_there_is, as_offsets
from consumer.core.gate import Gate
from consumer.core.pseudonym import Pseudonyms
from consumer.core.record import Position
from consumer.core.screen import Screen
from consumer.core.shrinkage import Shrinkage
from consumer.core.texts import Texts
from consumer.desk import alerts_of_the_bank, registry_at
from consumer.dispatch import Dispatch, DispatchLimits
from consumer.errors import Broken, ExitCode, Unavailable
from consumer.guards import FloodGuard, RoomGuard
from consumer.intake import Intake, IntakeLimits
from consumer.pipeline import Pipeline
from consumer.process import drained, elapsed_s, rare_collections, signals_set, when_available
from consumer.settings import Settings
from consumer.settings.limits import flood_limits, load_limits, rate, tolerance
from consumer.telemetry import Line, configure_logging, log
from consumer.waiting import Waiting


def utc_now() -> datetime:
    """The wall clock, aware."""
    return datetime.now(UTC)


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator has looked at and lets pass, this once.

    Dead letters below the offsets of `dead_letters` are no flood, however many they are; a table of preferences may lose as
    many customers as `preferences` says.
    """

    dead_letters: Mapping[Place, int] = {}
    preferences: Shrinkage | None = None


NOTHING_ACCEPTED = Accepted()


def run(
    settings: Settings, *, stopping: threading.Event, stream: TextIO, accepted: Accepted = NOTHING_ACCEPTED
) -> None:
    """Read, decide and send on the calling (main) thread until `stopping` is set or a signal sets it.

    Log lines go to `stream`. Raises Broken where it cannot go on. What was built last is undone first: calls in flight are
    settled, then the outbox is closed, then the offsets are committed and the group is left.
    """
    configure_logging(stream, logging.getLevelNamesMapping()[settings.log_level.upper()])
    log(Line.STARTED, version=__version__)
    catalogue, texts = alerts_of_the_bank(settings)
    with contextlib.ExitStack() as undo:
        undo.enter_context(signals_set(stopping))
        intake = _build(settings, catalogue, texts, stopping, undo, accepted)
        if intake is not None:
            undo.enter_context(rare_collections())
            intake.run()
        log(Line.STOPPING)
    log(Line.STOPPED)


def _repeat(accepted: Accepted, asked: Accepted) -> None:
    """Keep in the log what is let pass; a warning where more was asked for."""
    if accepted.dead_letters:
        level = logging.INFO if accepted == asked else logging.WARNING
        log(Line.DEAD_LETTERS_ACCEPTED, level, partitions=as_offsets(_positions(accepted.dead_letters)))
    if (lost := accepted.preferences) is not None:
        log(Line.PREFERENCES_ACCEPTED, customers=lost.after, customers_before=lost.before)


def _positions(places: Mapping[Place, int]) -> Iterator[Position]:
    return (Position(topic=topic, partition=number, offset=end) for (topic, number), end in places.items())


def _build(
    settings: Settings,
    catalogue: Catalogue,
    texts: Texts,
    stopping: threading.Event,
    undo: contextlib.ExitStack,
    accepted: Accepted,
) -> Intake | None:
    """Everything, wired; None if told to stop before Kafka answered."""
    assert settings.pseudonym_key is not None, "settings that are loaded to run have one"
    pseudonyms = Pseudonyms(settings.pseudonym_key.get_secret_value())
    errands = undo.enter_context(Errands(backoff=endless(first_s=0.5, longest_s=5.0, chance=random.SystemRandom())))
    decoder = _decoder(settings, undo, lambda what: functools.partial(errands.send, what))
    source = undo.enter_context(_source(settings))
    answers = when_available(lambda: (source.cluster_id(), source.ends(accepted.dead_letters)), stopping)
    if answers is None:
        return None
    cluster_id, ends = answers
    asked, letters = accepted, as_far_as_there_is(accepted.dead_letters, ends)
    accepted = msgspec.structs.replace(asked, dead_letters=letters)
    _repeat(accepted, asked)
    outbox = undo.enter_context(_outbox(settings, cluster_id))
    asking = _decoder(settings, undo, lambda _: at_once)
    aside = _dead_letters(settings, undo)
    preferences = undo.enter_context(_preferences(settings, catalogue, asking, aside, accepted))
    dispatch = _dispatch(settings, outbox, preferences, catalogue, texts, pseudonyms)
    dispatch.start()
    undo.enter_context(drained(functools.partial(dispatch.stop, settings.drain_s), stopping))

    def check() -> None:
        dispatch.check()
        preferences.check()

    pipeline = Pipeline(
        decoder=decoder,
        preferences=preferences,
        catalogue=catalogue,
        pseudonyms=pseudonyms,
        tenant=settings.tenant,
    )
    return Intake(
        source=source,
        pipeline=pipeline,
        waiting=Waiting(source=source, pipeline=pipeline, now=utc_now),
        outbox=outbox,
        dead_letters=_dead_letters(settings, undo),
        room=_room_guard(settings, outbox),
        floods=_flood_guard(settings, outbox, accepted.dead_letters),
        ready=preferences.ready,
        wake=dispatch.wake,
        check=check,
        now=utc_now,
        stopping=stopping,
        limits=IntakeLimits(
            batch_records_max=settings.intake.batch_records_max, poll_timeout_s=settings.intake.poll_timeout_s
        ),
    )


def _decoder(settings: Settings, undo: contextlib.ExitStack, asking: Callable[[str], Asking]) -> AvroDecoder:
    """Intake must not wait for a schema; the table of preferences must, or it would be believed without what it lacks."""
    url = settings.registry.url
    registry = None if url is None else undo.enter_context(registry_at(settings, url, asking("registry")))
    glue = _glue(settings, undo, asking("glue"))
    return AvroDecoder(schemas=resources.schemas(), registry=registry, glue=glue, now=utc_now)


def _glue(settings: Settings, undo: contextlib.ExitStack, asking: Asking) -> GlueSchemas | None:
    region = settings.registry.glue_region
    if region is None:
        return None
    return undo.enter_context(
        GlueSchemas(
            region=region,
            endpoint_url=settings.registry.glue_endpoint_url,
            timeout_s=settings.registry.timeout_s,
            asking=asking,
        )
    )


def _source(settings: Settings) -> KafkaSource:
    return KafkaSource(
        settings.kafka_config(),
        group=settings.group_id,
        topics=(settings.topics.transactions, settings.topics.balances),
        sole_owner=True,
        clock=elapsed_s,
        limits=SourceLimits(sole_owner_patience_s=settings.intake.sole_owner_patience_s),
    )


def _outbox(settings: Settings, cluster_id: str) -> SqliteOutbox:
    """Raises Broken also where the file only does not open now: whoever starts the process must see to it."""
    topics = ",".join(sorted((settings.topics.transactions, settings.topics.balances)))
    identity = {"cluster": cluster_id, "group": settings.group_id, "topics": topics}
    path = settings.outbox.path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return SqliteOutbox.open(path, identity=identity, now=utc_now())
    except OSError as problem:
        code = f"errno_{problem.errno}"
    except Unavailable as outage:
        code = outage.code
    raise Broken(
        f"the outbox {path.absolute()} cannot be opened for writing ({code}): its folder must be writable, its disk have "
        "space, and no other program may hold the file locked; or name another by AVVISO_OUTBOX__URL",
        ExitCode.OUTBOX_DAMAGED,
    )


def _dead_letters(settings: Settings, undo: contextlib.ExitStack) -> KafkaDeadLetters:
    """One for each thread that writes some: what one waits for does not hold up the other."""
    config, topic = settings.kafka_config(), settings.topics.dead_letters
    return undo.enter_context(KafkaDeadLetters(config, topic=topic, version=__version__, now=utc_now))


def _preferences(
    settings: Settings,
    catalogue: Catalogue,
    decoder: AvroDecoder,
    dead_letters: KafkaDeadLetters,
    accepted: Accepted,
) -> PreferenceTable:
    return PreferenceTable(
        settings.kafka_config(),
        topic=settings.topics.preferences,
        path=settings.preferences.path,
        decode=decoder.preferences,
        dead_letters=dead_letters,
        word=Screen(catalogue).word,
        customers_min=settings.preferences.min_records,
        size_max_bytes=settings.preferences.size_max_bytes,
        flood=flood_limits(settings),
        accepted=accepted.preferences,
        accepted_letters=accepted.dead_letters,
        now=utc_now,
        clock=elapsed_s,
        pace=Pace(stale_max_s=settings.preferences.stale_max_s),
        boot_id=this_boot(),
    )


def _room_guard(settings: Settings, outbox: SqliteOutbox) -> RoomGuard:
    return RoomGuard(outbox=outbox, limits=load_limits(settings), now=utc_now)


def _flood_guard(settings: Settings, outbox: SqliteOutbox, accepted: Mapping[Place, int]) -> FloodGuard:
    watch = Watch(flood_limits(settings), stops=outbox.stops(), accepted=accepted)
    return FloodGuard(outbox=outbox, watch=watch, now=utc_now)


def _dispatch(
    settings: Settings,
    outbox: SqliteOutbox,
    preferences: PreferenceTable,
    catalogue: Catalogue,
    texts: Texts,
    pseudonyms: Pseudonyms,
) -> Dispatch:
    sending, sns = settings.dispatch, settings.sns
    return Dispatch(
        outbox=outbox,
        preferences=preferences,
        catalogue=catalogue,
        texts=texts,
        provider=SnsProvider(
            region=sns.region,
            endpoint_url=sns.endpoint_url,
            ca_bundle=sns.ca_bundle,
            sender_id=sns.sender_id,
            origination_number=sns.origination_number,
            connect_timeout_s=sns.connect_timeout_s,
            read_timeout_s=sns.read_timeout_s,
            connections_max=sending.workers + 1,
        ),
        pseudonyms=pseudonyms,
        gate=Gate(rate=rate(settings), tolerance=tolerance(settings), now=utc_now()),
        backoff=exponential(
            first_s=sending.backoff_first_s,
            longest_s=sending.backoff_longest_s,
            attempts_max=sending.attempts_max,
            total_s=sending.retry_total_s,
            chance=random.SystemRandom(),
        ),
        owner=f"{socket.gethostname()}:{os.getpid()}",
        now=utc_now,
        limits=DispatchLimits(
            workers=sending.workers,
            queued_max=sending.workers,
            lease_s=sending.lease_s,
            call_timeout_s=settings.call_timeout_s,
            doubt_s=sending.doubt_s,
            phone_wait_s=sending.phone_wait_s,
            parts_max=sending.parts_max,
        ),
    )
