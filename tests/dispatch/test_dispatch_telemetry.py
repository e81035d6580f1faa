"""What an attempt leaves behind for operators: a span in the record's trace, and figures without anything private."""

from collections.abc import Iterator

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader, NumberDataPoint
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from consumer import telemetry
from tests.builders import PHONE
from tests.dispatch.rig import AMBIGUOUS, Rig

TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE}-b7ad6b7169203331-01"


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(telemetry, "_TRACER", provider.get_tracer("tests"))
    yield exporter
    provider.shutdown()


@pytest.fixture
def meters(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemoryMetricReader]:
    reader = InMemoryMetricReader()
    provider = MeterProvider(metric_readers=[reader])
    meter = provider.get_meter("tests")
    for name in ("SETTLED", "FAULTS", "PARTS"):
        monkeypatch.setattr(telemetry, name, meter.create_counter(name))
    for name in ("PUBLISH_S", "AGE_S"):
        monkeypatch.setattr(telemetry, name, meter.create_histogram(name))
    yield reader
    provider.shutdown()


def points(reader: InMemoryMetricReader, name: str) -> dict[tuple[str, ...], float]:
    """The sums by attribute values; of a histogram, of what was recorded."""
    data = reader.get_metrics_data()
    assert data is not None
    found: dict[tuple[str, ...], float] = {}
    for metric in data.resource_metrics[0].scope_metrics[0].metrics:
        for point in metric.data.data_points if metric.name == name.lower() else ():
            assert isinstance(point, NumberDataPoint | HistogramDataPoint)
            value = point.value if isinstance(point, NumberDataPoint) else point.sum
            found[tuple(str(one) for one in (point.attributes or {}).values())] = value
    return found


def test_an_attempt_is_a_span_in_the_trace_of_its_record(rig: Rig, spans: InMemorySpanExporter) -> None:
    rig.record(traceparent=TRACEPARENT)

    rig.run()

    (span,) = spans.get_finished_spans()
    assert span.name == "send"
    assert span.context is not None
    assert f"{span.context.trace_id:032x}" == TRACE
    assert span.attributes is not None
    assert span.attributes["messaging.message.id"] == "message-1"
    assert span.attributes["avviso.kind"] == "large_debit"
    assert span.status.status_code is StatusCode.UNSET


def test_a_failed_attempt_is_a_span_with_the_fault_and_nothing_private(rig: Rig, spans: InMemorySpanExporter) -> None:
    rig.record(traceparent=TRACEPARENT)
    rig.provider.outcomes.append(AMBIGUOUS)

    rig.run()

    (span,) = spans.get_finished_spans()
    assert span.attributes is not None
    assert (span.attributes["error.type"], span.attributes["avviso.outcome"]) == ("ReadTimeoutError", "ambiguous")
    assert span.status.status_code is StatusCode.ERROR
    assert not [value for value in span.attributes.values() if PHONE[1:] in str(value) or "250" in str(value)]


def test_a_notice_without_a_trace_starts_one_of_its_own(rig: Rig, spans: InMemorySpanExporter) -> None:
    rig.record()

    rig.run()

    (span,) = spans.get_finished_spans()
    assert span.parent is None


def test_attempts_parts_and_times_are_counted(rig: Rig, meters: InMemoryMetricReader) -> None:
    rig.record()
    rig.record()
    rig.provider.outcomes.append(AMBIGUOUS)
    rig.provider.meanwhile = lambda: rig.clock.advance(0.25)

    rig.run()

    assert points(meters, "SETTLED") == {
        ("doubt", "ReadTimeoutError", "transaction"): 1,
        ("accept", "accepted", "transaction"): 1,
    }
    assert points(meters, "FAULTS") == {("ambiguous", "ReadTimeoutError"): 1}
    assert points(meters, "PARTS") == {("transaction",): 1}
    assert points(meters, "PUBLISH_S") == {("ambiguous",): 0.25, ("accepted",): 0.25}
    assert points(meters, "AGE_S") == {("transaction",): 4.0 + 4.25}
