"""One event held against what one customer asked for, as far as that goes without memory."""

from collections.abc import Iterable

import msgspec

from consumer.core.candidate import Candidate, candidates
from consumer.core.catalogue import Catalogue
from consumer.core.event import Event
from consumer.core.preferences import Preferences
from consumer.core.pseudonym import Pseudonyms
from consumer.core.reason import Reason
from consumer.core.remembered import Remembered
from consumer.core.standing import OccurrenceKey, Questions, StandingKey


class Weighed(msgspec.Struct, frozen=True, kw_only=True):
    """One event for one customer, as far as it can be judged without memory: what may be told, under which keys.

    `closest`: the reason of the kind that came closest among those that are silent whatever is remembered.
    """

    found: tuple[Candidate, ...]
    closest: Reason
    keys: Remembered

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
    keys = Remembered(
        event=event, customer_id=customer_id, preferences=preferences, catalogue=catalogue, pseudonyms=pseudonyms
    )
    return Weighed(found=tuple(found), closest=closest, keys=keys)


def questions(batch: Iterable[Weighed]) -> Questions:
    """What must be remembered before `decide` can be asked about each of these."""
    standings, occurrences = set[StandingKey](), set[OccurrenceKey]()
    for weighed in batch:
        keys = weighed.keys
        for one in weighed.found:
            if one.side is not None:
                standings.add(keys.standing(one))
            occurrences.update(keys.occurrence_keys(one))
    return Questions(standings=frozenset(standings), occurrences=frozenset(occurrences))
