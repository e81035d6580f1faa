"""The tables of the outbox, and how an older file becomes a newer one."""

APPLICATION_ID = 0x41565653  # "AVVS" in the file's header: what tells our file from somebody else's

# What to tell is written once and wide; where it stands changes often and is narrow, so that a page holds many. A history
# begins with the notice itself; `history` holds what came after. Instants are microseconds since 1970, UTC. Nothing here
# needs more than SQLite 3.24 (no RETURNING, no STRICT): banks run old systems.
_V1 = (
    "CREATE TABLE identity (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    """CREATE TABLE control (
        name TEXT PRIMARY KEY, value TEXT NOT NULL, changed_at INTEGER NOT NULL
    ) WITHOUT ROWID""",
    """CREATE TABLE notices (
        id INTEGER PRIMARY KEY,
        tenant TEXT NOT NULL, event_type TEXT NOT NULL, event_id TEXT NOT NULL, customer_id TEXT NOT NULL,
        kind TEXT NOT NULL, also TEXT NOT NULL, alert_class TEXT NOT NULL, rank INTEGER NOT NULL,
        in_doubt TEXT NOT NULL, detail_level TEXT NOT NULL, masked_values TEXT NOT NULL, facts TEXT NOT NULL,
        catalogue_version TEXT NOT NULL,
        occurred_at INTEGER NOT NULL, recorded_at INTEGER NOT NULL, stale_at INTEGER NOT NULL, not_before INTEGER NOT NULL,
        record_topic TEXT NOT NULL, record_partition INTEGER NOT NULL, record_offset INTEGER NOT NULL,
        record_timestamp INTEGER NOT NULL,
        preferences_topic TEXT, preferences_partition INTEGER, preferences_offset INTEGER,
        traceparent TEXT, transaction_id TEXT, reverses TEXT, occurrences TEXT NOT NULL,
        UNIQUE (event_id, customer_id, event_type, tenant)
    )""",
    "CREATE INDEX notices_of_customer ON notices (customer_id, transaction_id)",
    """CREATE TABLE deliveries (
        notice_id INTEGER PRIMARY KEY REFERENCES notices (id),
        state TEXT NOT NULL CHECK (state IN ('pending', 'claimed', 'sending', 'accepted', 'delivered', 'undelivered',
            'failed', 'expired', 'cancelled', 'in_doubt', 'held')),
        reason TEXT NOT NULL, rank INTEGER NOT NULL, occurred_at INTEGER NOT NULL, stale_at INTEGER NOT NULL,
        not_before INTEGER NOT NULL,
        fence INTEGER NOT NULL DEFAULT 0, owner TEXT NOT NULL DEFAULT '', lease_until INTEGER NOT NULL DEFAULT 0,
        attempts INTEGER NOT NULL DEFAULT 0, doubts INTEGER NOT NULL DEFAULT 0,
        doubted_at INTEGER, resolve_at INTEGER
    )""",
    "CREATE INDEX deliveries_due ON deliveries (rank, not_before, occurred_at, stale_at) WHERE state = 'pending'",
    "CREATE INDEX deliveries_stale ON deliveries (stale_at) WHERE state = 'pending'",
    "CREATE INDEX deliveries_leased ON deliveries (lease_until) WHERE state IN ('claimed', 'sending')",
    "CREATE INDEX deliveries_in_doubt ON deliveries (notice_id) WHERE state = 'in_doubt'",
    """CREATE TABLE history (
        id INTEGER PRIMARY KEY,
        notice_id INTEGER NOT NULL REFERENCES notices (id),
        at INTEGER NOT NULL, trigger TEXT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL
    )""",
    "CREATE INDEX history_of_notice ON history (notice_id)",
    """CREATE TABLE attempts (
        notice_id INTEGER NOT NULL REFERENCES notices (id), fence INTEGER NOT NULL,
        phone_digest TEXT NOT NULL, parts INTEGER NOT NULL, language TEXT NOT NULL, began_at INTEGER NOT NULL,
        ended_at INTEGER, outcome TEXT, reason TEXT, message_id TEXT, request_id TEXT,
        PRIMARY KEY (notice_id, fence)
    ) WITHOUT ROWID""",
    """CREATE TABLE occurrences (
        customer_id TEXT NOT NULL, kind TEXT NOT NULL, scope TEXT NOT NULL, amount TEXT, currency TEXT,
        notice_id INTEGER NOT NULL REFERENCES notices (id),
        PRIMARY KEY (customer_id, kind, scope)
    ) WITHOUT ROWID""",
    """CREATE TABLE standings (
        customer_id TEXT NOT NULL, account TEXT NOT NULL, kind TEXT NOT NULL,
        side TEXT NOT NULL, sequence INTEGER NOT NULL, notice_id INTEGER REFERENCES notices (id),
        PRIMARY KEY (customer_id, account, kind)
    ) WITHOUT ROWID""",
    "CREATE INDEX standings_of_notice ON standings (notice_id) WHERE notice_id IS NOT NULL",
    "CREATE TRIGGER history_keeps BEFORE UPDATE ON history BEGIN SELECT RAISE(ABORT, 'history is append-only'); END",
    "CREATE TRIGGER history_stays BEFORE DELETE ON history BEGIN SELECT RAISE(ABORT, 'history is append-only'); END",
    "CREATE TRIGGER notices_keep BEFORE UPDATE ON notices BEGIN SELECT RAISE(ABORT, 'a notice is written once'); END",
)

_V2 = ("CREATE INDEX attempts_opted_out ON attempts (phone_digest) WHERE reason = 'opted_out'",)

MIGRATIONS: tuple[tuple[str, ...], ...] = (_V1, _V2)
"""Entry n leads from schema version n to n + 1. Never edit one that was released: add another."""

VERSION = len(MIGRATIONS)
