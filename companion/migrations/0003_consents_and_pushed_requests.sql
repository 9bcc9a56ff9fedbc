-- What people allowed apps of others (OIDC Core 3.1.2.4). It outlives the grants: with it nobody is asked twice.
CREATE TABLE consents (
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    client_id  TEXT NOT NULL,
    -- All that was ever allowed and not withdrawn, as JSON: scopes, and for each resource its own.
    allowed    TEXT NOT NULL,
    given_at   BIGINT NOT NULL,
    -- When more was allowed, or the same again.
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, client_id)
);
CREATE INDEX consents_by_client ON consents (client_id);

-- Authorization requests that apps pushed (RFC 9126) and browsers have not brought yet: gone with the first use.
CREATE TABLE pushed_requests (
    -- The digest of the random part of the request_uri.
    digest     TEXT PRIMARY KEY,
    client_id  TEXT NOT NULL,
    request    TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX pushed_requests_by_client ON pushed_requests (client_id, expires_at);
CREATE INDEX pushed_requests_by_expiry ON pushed_requests (expires_at);
