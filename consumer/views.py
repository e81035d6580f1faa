"""What the commands print: decisions and notices for people, with nothing private that the outbox does not hold."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from rich.console import Console

from consumer.core.decision import Notify, Suppress
from consumer.core.egress import refusal
from consumer.core.masking import Masked, MaskedDigits, MaskedInstant, MaskedMoney, MaskedName, MaskedSymbol
from consumer.core.story import HistoryEntry, NoticeStory, NoticeSummary
from consumer.whatif import Answer


def show_answers(console: Console, answers: Iterable[Answer]) -> None:
    """One block per customer: the decision, its reason or its text in each language, with the number of parts."""
    for answer in answers:
        match answer.decision:
            case Suppress(reason=reason):
                _line(console, f"{answer.customer_id}: suppress, {reason.value}")
            case Notify() as notify:
                also = f" (and with it {', '.join(notify.also)})" if notify.also else ""
                _line(console, f"{answer.customer_id}: notify, {notify.kind}{also}")
                _line(console, f"  because    {_listed(notify.facts)}")
                late = ": too late, it would expire" if answer.stale else ""
                _line(console, f"  not before {_at(notify.not_before)}, stale at {_at(notify.stale_at)}{late}")
                for language, text in answer.texts.items():
                    refused = refusal(text)
                    guard = f", refused by the guard ({refused})" if refused else ""
                    _line(console, f"  {language}, {_parts(text.parts)}{guard}: {text.body}")


def show_stats(console: Console, stats: Mapping[str, int]) -> None:
    """Notices by state, and their sum."""
    for state, count in stats.items():
        _line(console, f"{state:<12} {count:>8}")
    _line(console, f"{'all':<12} {sum(stats.values()):>8}")


def show_list(console: Console, summaries: Sequence[NoticeSummary]) -> None:
    """One line per notice, in columns as wide as they need to be: nothing is cut, in a pipe neither."""
    rows = [("notice", "occurred", "customer", "kind", "state", "reason", "not before", "attempts")]
    rows += [
        (
            str(one.notice_id),
            _at(one.occurred_at),
            one.customer_id,
            one.kind,
            one.state,
            one.reason,
            _at(one.not_before),
            str(one.attempts),
        )
        for one in summaries
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        _line(console, "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def show_story(console: Console, story: NoticeStory) -> None:
    """Why this customer got this text, or did not: where it came from, what was compared, and all that became of it."""
    notice = story.claim.notice
    also = f", which counts for {', '.join(notice.also)} too" if notice.also else ""
    preferences = "none known" if notice.preferences is None else str(notice.preferences)
    rows = {
        "notice": f"{story.summary.notice_id}, {story.summary.state} ({story.summary.reason})",
        "customer": notice.key.customer_id,
        "kind": f"{notice.kind} ({notice.alert_class}){also}",
        "event": f"{notice.key.event_type} {notice.key.event_id} of tenant {notice.key.tenant}",
        "transaction": notice.transaction_id or "-",
        "record": f"{notice.record} at {_at(notice.record_timestamp)}",
        "trace": notice.traceparent or "-",
        "preferences": preferences,
        "catalogue": f"version {notice.catalogue_version}",
        "compared": _listed(notice.facts),
        "values": f"{_listed({name: _value(value) for name, value in notice.values.items()})} (detail level "
        f"{notice.detail_level.value})",
        "occurred": _at(notice.occurred_at),
        "not before": _at(story.summary.not_before),
        "stale at": _at(notice.stale_at),
        "in doubt": f"{notice.in_doubt.value}; {story.claim.doubts} doubts in {story.claim.attempts} attempts",
    }
    for title, value in rows.items():
        _line(console, f"{title:<12} {value}")
    _line(console, "history")
    for entry in story.history:
        _line(console, f"  {_entry(entry)}")


def _entry(entry: HistoryEntry) -> str:
    parts = [f"{entry.at:%Y-%m-%d %H:%M:%S.%f}"[:-3] + "Z", f"{entry.trigger:<11}", f"-> {entry.state:<11}"]
    return " ".join((*parts, entry.reason, _listed(entry.detail))).rstrip()


def _value(value: Masked) -> str:
    match value:
        case MaskedDigits(last_four=last_four):
            return f"..{last_four}"
        case MaskedMoney(amount=amount, currency=currency):
            return f"{amount:f} {currency}"
        case MaskedName(name=name):
            return name
        case MaskedInstant(at=at):
            return _at(at)
        case MaskedSymbol(symbol=symbol):
            return symbol


def _listed(values: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


def _parts(count: int) -> str:
    return "1 part" if count == 1 else f"{count} parts"


def _at(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}Z"


def _line(console: Console, line: str) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True)
