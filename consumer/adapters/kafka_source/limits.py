"""How often, and for how long, a source does what it does."""

import msgspec


class SourceLimits(msgspec.Struct, frozen=True, kw_only=True):
    """`request_timeout_s` bounds each question to the cluster; what came to nothing is asked again each `recheck_s`."""

    commit_interval_s: float = 1.0
    request_timeout_s: float = 5.0
    recheck_s: float = 1.0
    sole_owner_patience_s: float = 60.0
