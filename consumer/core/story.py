"""What became of a notice, as an operator is told it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from consumer.core.delivery import Claim


class NoticeSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One line of `avviso outbox list`."""

    notice_id: int
    customer_id: str
    kind: str
    state: str
    reason: str
    occurred_at: datetime
    not_before: datetime
    attempts: int


class HistoryEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One change of one notice's state. `detail`: codes and ids, never a text or a number."""

    at: datetime
    trigger: str
    state: str
    reason: str
    detail: Mapping[str, str]


class NoticeStory(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is known of one notice."""

    summary: NoticeSummary
    claim: Claim
    history: Sequence[HistoryEntry]
