"""The guard: the last look at a finished text before it leaves."""

from consumer.core.leaks import leaks
from consumer.core.text import Text


def refusal(text: Text) -> str | None:
    """Why `text` must not be sent, as a short code, or None.

    `control`, `iban`, `card_number`, `link` or `phone_number`: something of that sort stands outside the spans that we
    formatted ourselves. Inside them are amounts, dates and last fours, whose digits together pass Luhn's test too often.
    """
    for piece in text.free:
        for leak in leaks(piece):
            return leak.what.value
    return None
