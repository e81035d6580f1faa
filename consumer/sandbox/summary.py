"""The demo's last page: what passed, what was decided, what became of it, and whether the books balance."""

from collections import Counter
from collections.abc import Mapping

import msgspec
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, NumberDataPoint
from rich.columns import Columns
from rich.console import Console

from consumer.sandbox.ledger import Books, percentile
from consumer.sandbox.screen import counts

_MEDIAN, _TAIL = 0.5, 0.99


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """`counts` holds Avviso's own metrics, `published` how many records of each schema the bank says it sent."""

    counts: InMemoryMetricReader
    books: Books
    published: Mapping[str, int]

    @staticmethod
    def counts_in(reader: InMemoryMetricReader, metric: str, attribute: str) -> Counter[str]:
        """A counter's values by one attribute."""
        found: Counter[str] = Counter()
        data = reader.get_metrics_data()
        if data is None:
            return found
        for resource in data.resource_metrics:
            for scope in resource.scope_metrics:
                for one in scope.metrics:
                    if one.name == metric:
                        for point in one.data.data_points:
                            if isinstance(point, NumberDataPoint):
                                found[str((point.attributes or {}).get(attribute, ""))] += int(point.value)
        return found

    def show(self, console: Console) -> int:
        """Print it; returns 0 if the books balance, else 1."""
        states = Counter(story.summary.state for story in self.books.stories)
        tables = (
            counts("Events by type", self._counted("avviso.events", "event_type")),
            counts("Decisions by reason", self._counted("avviso.decisions", "reason")),
            counts("Notices by state", states),
            counts("Dead letters by reason", self._counted("avviso.dead_letters", "reason")),
        )
        if console.is_terminal:
            console.print(Columns(tables, padding=(0, 3)))
        else:
            for table in tables:
                console.print(table)
        console.print(f"Parts accepted: {self._counted('avviso.parts', 'alert_class').total()}", highlight=False)
        self._show_waits(console)
        return self._show_books(console)

    def _counted(self, metric: str, attribute: str) -> Counter[str]:
        return self.counts_in(self.counts, metric, attribute)

    def _show_waits(self, console: Console) -> None:
        waits = self.books.waits_s()
        if waits:
            median, tail = percentile(waits, _MEDIAN) * 1000, percentile(waits, _TAIL) * 1000
            line = f"From record timestamp to SNS request: p50 {median:.0f} ms, p99 {tail:.0f} ms"
            console.print(line, highlight=False)

    def _show_books(self, console: Console) -> int:
        disagreements = self.books.disagreements()
        for sentence in disagreements:
            console.print(f"The sums do not agree: {sentence}", style="bold red", markup=False, highlight=False)
        if disagreements:
            return 1
        taken = sum(request.accepted for request in self.books.requests)
        console.print(
            f"The sums agree: {len(self.books.stories)} notices accounted for, {taken} texts on phones, none twice.",
            style="bold green",
            highlight=False,
        )
        return 0
