-- What is found by a digest, or by a pair of ids, rests where that belongs, and not in an order of its own with an index beside it:
-- each new row writes a page less. Rows that belong to nobody any more would stop the move, and stay behind.

CREATE TABLE new_codes (
    digest         TEXT PRIMARY KEY,
    grant_id       TEXT NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
    redirect_uri   TEXT NOT NULL,
    code_challenge TEXT,
    nonce          TEXT,
    issued_at      BIGINT NOT NULL,
    expires_at     BIGINT NOT NULL,
    used_at        BIGINT
) WITHOUT ROWID;
INSERT INTO new_codes SELECT * FROM codes WHERE grant_id IN (SELECT id FROM grants) ORDER BY digest;
DROP TABLE codes;
ALTER TABLE new_codes RENAME TO codes;
CREATE INDEX codes_by_grant ON codes (grant_id);

CREATE TABLE new_access_tokens (
    digest     TEXT PRIMARY KEY,
    grant_id   TEXT NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
    scope      TEXT NOT NULL,
    -- The resource of a JWT; none is an opaque token for the provider itself.
    resource   TEXT,
    issued_at  BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
) WITHOUT ROWID;
INSERT INTO new_access_tokens SELECT * FROM access_tokens WHERE grant_id IN (SELECT id FROM grants) ORDER BY digest;
DROP TABLE access_tokens;
ALTER TABLE new_access_tokens RENAME TO access_tokens;
CREATE INDEX access_tokens_by_grant ON access_tokens (grant_id);
CREATE INDEX access_tokens_by_expiry ON access_tokens (expires_at);

CREATE TABLE new_refresh_tokens (
    digest     TEXT PRIMARY KEY,
    grant_id   TEXT NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
    issued_at  BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT,
    -- The answer its use was given, sealed, for a repeat; gone once the successor is used.
    answer     TEXT
) WITHOUT ROWID;
INSERT INTO new_refresh_tokens SELECT * FROM refresh_tokens WHERE grant_id IN (SELECT id FROM grants) ORDER BY digest;
DROP TABLE refresh_tokens;
ALTER TABLE new_refresh_tokens RENAME TO refresh_tokens;
CREATE INDEX refresh_tokens_by_grant ON refresh_tokens (grant_id);
CREATE INDEX refresh_tokens_by_expiry ON refresh_tokens (expires_at);

CREATE TABLE new_sessions (
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
) WITHOUT ROWID;
INSERT INTO new_sessions SELECT * FROM sessions WHERE user_id IN (SELECT id FROM users) ORDER BY secret_digest;
DROP TABLE sessions;
ALTER TABLE new_sessions RENAME TO sessions;
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE new_session_apps (
    session_id TEXT NOT NULL,
    client_id  TEXT NOT NULL,
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (session_id, client_id)
) WITHOUT ROWID;
INSERT INTO new_session_apps SELECT * FROM session_apps WHERE user_id IN (SELECT id FROM users)
    ORDER BY session_id, client_id;
DROP TABLE session_apps;
ALTER TABLE new_session_apps RENAME TO session_apps;
CREATE INDEX session_apps_by_user ON session_apps (user_id);
CREATE INDEX session_apps_by_client ON session_apps (client_id);
