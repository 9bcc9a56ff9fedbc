-- Times are milliseconds since 1970 (UTC), ids are text, digests are base64url of SHA-256.
-- The same text runs on SQLite and PostgreSQL.

-- Accounts: rows of the embedded backend alone.
CREATE TABLE users (
    id             TEXT PRIMARY KEY,
    username       TEXT UNIQUE,
    email          TEXT UNIQUE,
    email_verified BOOLEAN NOT NULL DEFAULT FALSE,
    phone          TEXT UNIQUE,
    phone_verified BOOLEAN NOT NULL DEFAULT FALSE,
    name           TEXT,
    -- The further standard claims (OIDC Core 5.1) as a JSON object.
    profile        TEXT NOT NULL DEFAULT '{}',
    status         TEXT NOT NULL DEFAULT 'active',
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL,
    -- Tokens issued before this moment are dead.
    not_before     BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE credentials (
    user_id       TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    password_hash TEXT NOT NULL,
    changed_at    BIGINT NOT NULL
);

-- The browser sessions of the provider. The cookie's secret rests as a digest;
-- `id` is the public `sid` of tokens.
CREATE TABLE sessions (
    secret_digest TEXT PRIMARY KEY,
    id            TEXT NOT NULL UNIQUE,
    user_id       TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    auth_time     BIGINT NOT NULL,
    amr           TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    last_seen_at  BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL,
    user_agent    TEXT,
    client_ip     TEXT
);
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- The reset: flows and challenges, whoever owns the accounts.
CREATE TABLE reset_flows (
    id         TEXT PRIMARY KEY,
    version    BIGINT NOT NULL,
    flow       TEXT NOT NULL,
    subject    TEXT,
    expires_at BIGINT NOT NULL
);
CREATE INDEX reset_flows_by_subject ON reset_flows (subject);
CREATE INDEX reset_flows_by_expiry ON reset_flows (expires_at);

CREATE TABLE challenges (
    id            TEXT PRIMARY KEY,
    flow_id       TEXT NOT NULL REFERENCES reset_flows (id) ON DELETE CASCADE,
    code_digest   TEXT NOT NULL,
    key_id        TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL,
    attempts      BIGINT NOT NULL DEFAULT 0,
    superseded_at BIGINT,
    -- Written by the worker that finds the account; none is a decoy.
    subject       TEXT
);
CREATE INDEX challenges_by_flow ON challenges (flow_id);
CREATE INDEX challenges_by_subject ON challenges (subject);

-- Limits: one number per key, the theoretical arrival time of GCRA in microseconds since 1970.
CREATE TABLE limits (
    key TEXT PRIMARY KEY,
    tat BIGINT NOT NULL
);
CREATE INDEX limits_by_tat ON limits (tat);

-- The outbox: what is written with the change and delivered after it, at least once.
CREATE TABLE jobs (
    id           TEXT PRIMARY KEY,
    kind         TEXT NOT NULL,
    -- What the job belongs to: the challenge of a code.
    reference    TEXT,
    -- Sealed: it may hold a code.
    payload      TEXT NOT NULL,
    attempts     BIGINT NOT NULL DEFAULT 0,
    created_at   BIGINT NOT NULL,
    run_at       BIGINT NOT NULL,
    lease_until  BIGINT NOT NULL DEFAULT 0,
    expires_at   BIGINT NOT NULL,
    last_error   TEXT
);
CREATE INDEX jobs_by_run_at ON jobs (run_at);
CREATE INDEX jobs_by_reference ON jobs (reference);

CREATE TABLE audit (
    id         TEXT PRIMARY KEY,
    at         BIGINT NOT NULL,
    event      TEXT NOT NULL,
    -- `visitor`, `user`, `operator`.
    actor      TEXT NOT NULL,
    subject    TEXT,
    -- A keyed hash: lines about one address can be put together, the address can't be read.
    identifier TEXT,
    flow_id    TEXT,
    client_id  TEXT,
    client_ip  TEXT,
    detail     TEXT NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_by_at ON audit (at);
