-- Codes that apps have sent over the APIs, apart from those of resets. The code rests as a digest, the address as another.
CREATE TABLE sent_codes (
    id              TEXT PRIMARY KEY,
    -- Who may try it: an app, or a session of a person.
    holder          TEXT NOT NULL,
    identifier_hash TEXT NOT NULL,
    code_digest     TEXT NOT NULL,
    key_id          TEXT NOT NULL,
    created_at      BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL,
    attempts        BIGINT NOT NULL DEFAULT 0,
    UNIQUE (holder, identifier_hash)
);
CREATE INDEX sent_codes_by_expiry ON sent_codes (expires_at);
