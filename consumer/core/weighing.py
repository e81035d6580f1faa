"""One event held against what one customer asked for, as far as that goes without memory."""

from collections.abc import Iterable

import msgspec

from consumer.core.candidate import Candidate, candidates
from consumer.core.catalogue import Catalogue
from consumer.core.event import Event
from consumer.core.preferences import Preferences
from consumer.core.pseudonym import Pseudonyms
from consumer.core.reason import Reason
from consumer.core.remembered import Keys, keyed, other_stage
from consumer.core.standing import OccurrenceKey, Questions, StandingKey


class Weighed(msgspec.Struct, frozen=True, kw_only=True):
    """One event for one customer, as far as it can be judged without memory: what may be told, under which keys.

    `closest`: the reason of the kind that came closest among those that are silent whatever is remembered. `other_stage`:
    under which keys another stage of the same payment may have been told. `preferences` None: nothing is known.
    """

    event: Event
    preferences: Preferences | None
    found: tuple[tuple[Candidate, Keys], ...]
    closest: Reason
    other_stage: tuple[OccurrenceKey, ...]

    def __repr__(self) -> str:
        """Nothing of it: thresholds and events are private."""
        return "Weighed()"


def weigh(
    event: Event,
    customer_id: str,
    preferences: Preferences | None,
    catalogue: Catalogue,
    pseudonyms: Pseudonyms,
) -> Weighed:
    """Hold the event against what the customer asked for. `preferences` None: nothing is known, so mandatory kinds only."""
    assert preferences is None or preferences.customer_id == customer_id, "judged by another customer's preferences"
    found, closest = candidates(event, preferences, catalogue)
    return Weighed(
        event=event,
        preferences=preferences,
        found=keyed(found, event, customer_id, preferences, pseudonyms) if found else (),
        closest=closest,
        other_stage=other_stage(event, customer_id, catalogue) if found else (),
    )


def questions(batch: Iterable[Weighed]) -> Questions:
    """What must be remembered before `decide` can be asked about each of these."""
    standings, occurrences = set[StandingKey](), set[OccurrenceKey]()
    for weighed in batch:
        occurrences.update(weighed.other_stage)
        for _, keys in weighed.found:
            if keys.standing is not None:
                standings.add(keys.standing)
            if keys.stage is not None:
                occurrences.add(keys.stage)
            if keys.day is not None:
                occurrences.add(keys.day)
    return Questions(standings=standings, occurrences=occurrences)
