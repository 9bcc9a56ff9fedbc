-- Clients that sign instead of knowing a secret, that act for themselves, or that have no browser.

-- Client assertions (RFC 7523) that were used: each serves once, and is remembered until it has expired.
CREATE TABLE client_assertions (
    client_id  TEXT NOT NULL,
    -- Of the `jti`.
    jti_digest TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (client_id, jti_digest)
);
CREATE INDEX client_assertions_by_expiry ON client_assertions (expires_at);

-- Access tokens of apps that act for themselves (RFC 6749 4.4): no person, no session, hence no grant to hang on.
CREATE TABLE machine_tokens (
    digest     TEXT PRIMARY KEY,
    client_id  TEXT NOT NULL,
    scope      TEXT NOT NULL,
    -- The resource of a JWT; none is an opaque token for the provider itself.
    resource   TEXT,
    issued_at  BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX machine_tokens_by_client ON machine_tokens (client_id);
CREATE INDEX machine_tokens_by_expiry ON machine_tokens (expires_at);

-- Device sign-ins (RFC 8628): asked for by a device, answered by a person in a browser.
CREATE TABLE device_codes (
    -- Public and random: names the sign-in in addresses and cookies.
    id          TEXT PRIMARY KEY,
    -- Of the device code, which is random.
    digest      TEXT NOT NULL UNIQUE,
    -- Keyed, of the user code, which is short.
    user_digest TEXT NOT NULL UNIQUE,
    client_id   TEXT NOT NULL,
    scope       TEXT NOT NULL,
    -- Resource indicators as a JSON array.
    resources   TEXT NOT NULL,
    -- Where the device asked from: shown to the person.
    client_ip   TEXT,
    -- `waiting`, `approved`, `denied` or `used`.
    state       TEXT NOT NULL,
    -- What the approval gave. The code ends with it, as by a reset.
    grant_id    TEXT REFERENCES grants (id) ON DELETE CASCADE,
    answered_at BIGINT,
    -- Milliseconds that the device must leave between two polls, and its last poll.
    poll_every  BIGINT NOT NULL,
    polled_at   BIGINT,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL
);
CREATE INDEX device_codes_by_client ON device_codes (client_id);
CREATE INDEX device_codes_by_grant ON device_codes (grant_id);
CREATE INDEX device_codes_by_expiry ON device_codes (expires_at);
