-- One-time tokens that apps have made for e-mail addresses. The token rests as a digest; the address in its normal form.
CREATE TABLE one_time_tokens (
    id                TEXT PRIMARY KEY,
    token_digest      TEXT NOT NULL UNIQUE,
    email             TEXT NOT NULL,
    -- What it serves for; with none, for everything.
    interaction_event TEXT,
    -- "active", "consumed" or "revoked"; that it has expired is read off the time.
    status            TEXT NOT NULL,
    created_at        BIGINT NOT NULL,
    expires_at        BIGINT NOT NULL
);
CREATE INDEX one_time_tokens_by_email ON one_time_tokens (email);
CREATE INDEX one_time_tokens_by_expiry ON one_time_tokens (expires_at);
