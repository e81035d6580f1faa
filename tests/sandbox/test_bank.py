"""The bank of the sandbox: the same day for the same seed, with everything in it that a demo must show."""

from consumer.adapters.avro import AvroDecoder
from consumer.adapters.catalogue_file import load_catalogue
from consumer.adapters.resources import catalogue, schemas
from consumer.core.event import Event
from consumer.core.preferences import Preferences
from consumer.core.record import Position
from consumer.core.standing import Memory
from consumer.pipeline import Pipeline
from consumer.ports import DeadLetter
from consumer.sandbox.bank import PREFERENCES, Bank, Happening
from consumer.sandbox.encoding import SingleObjects
from tests.builders import NOW, PSEUDONYMS, record
from tests.fakes import Listed

CATALOGUE = load_catalogue(catalogue())
ENCODE = SingleObjects(schemas())
DECODER = AvroDecoder(schemas=schemas(), registry=None, now=lambda: NOW)


def bank(seed: int = 1) -> Bank:
    return Bank(seed=seed, start=NOW, catalogue=CATALOGUE)


def value(happening: Happening) -> bytes:
    return happening.raw if happening.fields is None else ENCODE(happening.schema, happening.fields)


def customers() -> list[Preferences]:
    return [DECODER.preferences(record(value=value(one))) for one in bank().preferences()]


def judged() -> tuple[list[str], set[str], list[Event]]:
    """Every reason, every kind told, every event."""
    pipeline = Pipeline(
        decoder=DECODER, preferences=Listed(*customers()), catalogue=CATALOGUE, pseudonyms=PSEUDONYMS, tenant="demo"
    )
    memory = Memory(standings={}, told={})
    reasons: list[str] = []
    kinds: set[str] = set()
    events = []
    for offset, happening in enumerate(bank().day(NOW, 30.0, 10.0)):
        one = record(value=value(happening), position=Position(topic="t", partition=0, offset=offset))
        read = pipeline.read(one)
        if isinstance(read, DeadLetter):
            reasons.append(read.reason)
            continue
        for case in pipeline.cases([(one, read)]):
            events.append(case.event)
            verdict = pipeline.judge(case, memory, set(), NOW)
            reasons.append(verdict.reason)
            if verdict.change is not None and verdict.change.notice is not None:
                kinds |= {verdict.change.notice.kind, *verdict.change.notice.also}
    return reasons, kinds, events


def test_the_same_seed_is_the_same_day_and_another_seed_another() -> None:
    first, again, other = ([value(one) for one in bank(seed).day(NOW, 30.0, 10.0)] for seed in (1, 1, 2))

    assert first == again
    assert first != other


def test_every_alert_kind_there_is_is_told_among_many_events_that_stay_silent() -> None:
    reasons, kinds, _ = judged()

    assert kinds == {kind.name for kind in CATALOGUE.kinds}
    assert reasons.count("notify") < len(reasons) / 10
    assert {"below_threshold", "switched_off", "no_preferences", "already_told", "not_recovered"} <= set(reasons)
    assert reasons.count("no_framing") == 1


def test_there_are_two_languages_a_joint_account_and_quiet_hours_around_now() -> None:
    asked = customers()

    assert {one.language for one in asked} == {"it", "en"}
    assert any(len(event.customer_ids) > 1 for event in judged()[2])
    assert [one.customer_id for one in asked if one.quiet_hours is not None] == ["nora"]


def test_one_record_is_published_twice() -> None:
    events = [one.fields["event_id"] for one in bank().day(NOW, 30.0, 10.0) if one.fields is not None]

    assert len(events) - len(set(events)) == 1


def test_everyones_preferences_are_published_once_each() -> None:
    published = list(bank().preferences())

    assert {one.schema for one in published} == {PREFERENCES}
    assert len({one.key for one in published}) == len(published)
