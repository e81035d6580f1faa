"""How fast the table follows its topic."""

import msgspec


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How much at once, how long each wait is, and how old the table may be: past `stale_max_s` it is believed no more.

    Customers come in no order, so every batch touches pages all over the table, and each of these is written anew: while a
    whole topic is read, one batch of twenty thousand costs a small part of twenty of a thousand. While a schema is waited
    for that the registry does not have, nobody is told anything: `unknown_tries_max`, one each `retry_s`, are long enough
    for a registry that lags, which is asked anew each half minute.
    """

    batch_records_max: int = 20_000
    poll_s: float = 0.2
    request_timeout_s: float = 5.0
    retry_s: float = 1.0
    unknown_tries_max: int = 90
    recheck_s: float = 60.0
    stale_max_s: float = 900.0
    question_timeout_s: float = 2.0

    def __post_init__(self) -> None:
        """Refuse a table that would be too old between two looks at its topic."""
        if self.stale_max_s < 2 * self.recheck_s:
            raise ValueError("stale_max_s is at least twice recheck_s")
