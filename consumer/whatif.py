"""`avviso decide`: one event judged and put into words by the code that judges records, with nothing sent or kept."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from consumer.core.catalogue import Catalogue
from consumer.core.decision import Notify, Suppress, decide
from consumer.core.egress import refusal
from consumer.core.event import Event
from consumer.core.masking import masked_values
from consumer.core.preferences import DetailLevel, Preferences
from consumer.core.pseudonym import Pseudonyms
from consumer.core.standing import Memory
from consumer.core.texts import Text, Texts
from consumer.core.weighing import weigh


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What one customer would be told, in each language, and why; or why not. `stale`: it would expire instead."""

    customer_id: str
    decision: Notify | Suppress
    detail_level: DetailLevel
    texts: Mapping[str, Text]
    stale: bool


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What an event would come to at `now` (aware UTC), after all that `memory` holds."""

    catalogue: Catalogue
    texts: Texts
    pseudonyms: Pseudonyms
    memory: Memory
    now: datetime

    def answers(self, event: Event, customers: Mapping[str, Preferences]) -> list[Answer]:
        """One answer per customer that the event names, in its order."""
        return [self._answer(event, customer_id, customers.get(customer_id)) for customer_id in event.customer_ids]

    def _answer(self, event: Event, customer_id: str, preferences: Preferences | None) -> Answer:
        weighed = weigh(event, customer_id, preferences, self.catalogue, self.pseudonyms)
        decision = decide(weighed, self.memory, self.now)
        level = DetailLevel.NONE if preferences is None else preferences.detail_level
        time_zone = "UTC" if preferences is None else preferences.time_zone
        languages = self.texts.languages if isinstance(decision, Notify) else ()
        composed = {
            language: self.texts.compose(
                kind=decision.kind,
                language=language,
                level=level,
                values=masked_values(event, level),
                time_zone=time_zone,
            )
            for language in languages
            if isinstance(decision, Notify)
        }
        stale = isinstance(decision, Notify) and decision.stale_at <= decision.not_before
        return Answer(customer_id=customer_id, decision=decision, detail_level=level, texts=composed, stale=stale)


def described(answer: Answer) -> dict[str, Any]:
    """The answer as plain JSON values."""
    described: dict[str, Any] = {"customer_id": answer.customer_id}
    match answer.decision:
        case Suppress(reason=reason):
            return described | {"decision": "suppress", "reason": reason.value}
        case notify:
            return described | {
                "decision": "notify",
                "kind": notify.kind,
                "also": list(notify.also),
                "facts": dict(notify.facts),
                "not_before": notify.not_before.isoformat(),
                "stale_at": notify.stale_at.isoformat(),
                "stale": answer.stale,
                "detail_level": answer.detail_level.value,
                "texts": {
                    language: {"text": text.body, "parts": text.parts, "refused": refusal(text)}
                    for language, text in answer.texts.items()
                },
            }
