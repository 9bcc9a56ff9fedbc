-- A verified address that an account has lost: for a while a frozen account is thawed over it, since whoever changed
-- the address may have been a thief.
CREATE TABLE former_addresses (
    user_id     TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- The normal form of an e-mail address or a phone number.
    address     TEXT NOT NULL,
    verified_at BIGINT NOT NULL,
    replaced_at BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    PRIMARY KEY (user_id, address)
);
CREATE INDEX former_addresses_by_address ON former_addresses (address);
CREATE INDEX former_addresses_by_expiry ON former_addresses (expires_at);

-- Since when an account is frozen: what the operator has set after that is not contested.
ALTER TABLE users ADD COLUMN frozen_at BIGINT;
UPDATE users SET frozen_at = updated_at WHERE status = 'frozen';
