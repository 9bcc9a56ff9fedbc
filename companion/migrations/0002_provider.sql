-- The rows of the OpenID provider: they exist with the embedded backend alone.

-- Apps added by `keyback app add`; those of the file are no rows.
CREATE TABLE apps (
    client_id     TEXT PRIMARY KEY,
    -- The app as JSON, in the form of an [[app]] of the file, without its secret.
    app           TEXT NOT NULL,
    -- The digest of the client secret, which is random.
    secret_digest TEXT,
    created_at    BIGINT NOT NULL
);

-- The signing keys. A key is published before it signs and after it signed.
CREATE TABLE provider_keys (
    kid        TEXT PRIMARY KEY,
    algorithm  TEXT NOT NULL,
    -- PKCS #8, sealed by the root key; gone once the key no longer signs.
    sealed     TEXT,
    public_jwk TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    signs_from BIGINT NOT NULL,
    -- Written by a rotation: the key signs until its successor does, and leaves the key set later.
    leaves_at  BIGINT
);
-- One key of an algorithm is the last of its line: of two starts at once, one makes it.
CREATE UNIQUE INDEX provider_keys_last ON provider_keys (algorithm) WHERE leaves_at IS NULL;

-- A grant is what one authorization request was given. Codes and tokens hang on it and end with it.
CREATE TABLE grants (
    id         TEXT PRIMARY KEY,
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    client_id  TEXT NOT NULL,
    -- The browser session it was given in. No reference: an offline grant outlives its session.
    session_id TEXT NOT NULL,
    offline    BOOLEAN NOT NULL,
    scope      TEXT NOT NULL,
    -- Granted resource indicators (RFC 8707) as a JSON array.
    resources  TEXT NOT NULL,
    auth_time  BIGINT NOT NULL,
    amr        TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX grants_by_user ON grants (user_id);
CREATE INDEX grants_by_session ON grants (session_id);
CREATE INDEX grants_by_client ON grants (client_id);
CREATE INDEX grants_by_expiry ON grants (expires_at);

-- Authorization codes. A used one stays as long as its grant, so that a replay is seen.
CREATE TABLE codes (
    digest         TEXT PRIMARY KEY,
    grant_id       TEXT NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
    redirect_uri   TEXT NOT NULL,
    code_challenge TEXT,
    nonce          TEXT,
    issued_at      BIGINT NOT NULL,
    expires_at     BIGINT NOT NULL,
    used_at        BIGINT
);
CREATE INDEX codes_by_grant ON codes (grant_id);

-- Access tokens, opaque ones and JWTs alike: a JWT that has no row was revoked.
CREATE TABLE access_tokens (
    digest     TEXT PRIMARY KEY,
    grant_id   TEXT NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
    scope      TEXT NOT NULL,
    -- The resource of a JWT; none is an opaque token for the provider itself.
    resource   TEXT,
    issued_at  BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX access_tokens_by_grant ON access_tokens (grant_id);
CREATE INDEX access_tokens_by_expiry ON access_tokens (expires_at);

-- Refresh tokens: those of one grant are a family. A used one stays until it would have expired, so that reuse is seen.
CREATE TABLE refresh_tokens (
    digest     TEXT PRIMARY KEY,
    grant_id   TEXT NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
    issued_at  BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT,
    -- The answer its use was given, sealed, for a repeat; gone once the successor is used.
    answer     TEXT
);
CREATE INDEX refresh_tokens_by_grant ON refresh_tokens (grant_id);
CREATE INDEX refresh_tokens_by_expiry ON refresh_tokens (expires_at);

-- Authorization requests that wait for the person and are too large for a cookie.
CREATE TABLE interactions (
    id         TEXT PRIMARY KEY,
    request    TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX interactions_by_expiry ON interactions (expires_at);
