-- A contested change of the password freezes its account until a reset over an address verified before that change.

-- Since when an address is verified.
ALTER TABLE users ADD COLUMN email_verified_at BIGINT;
ALTER TABLE users ADD COLUMN phone_verified_at BIGINT;
UPDATE users SET email_verified_at = created_at WHERE email_verified;
UPDATE users SET phone_verified_at = created_at WHERE phone_verified;
-- When the change was made for which the account is frozen: the earliest of several.
ALTER TABLE users ADD COLUMN contested_at BIGINT;

-- The links of the notices: one for each change. The token rests as a digest.
CREATE TABLE freeze_links (
    token_digest TEXT PRIMARY KEY,
    user_id      TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    changed_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL
);
CREATE INDEX freeze_links_by_user ON freeze_links (user_id);
CREATE INDEX freeze_links_by_expiry ON freeze_links (expires_at);
