-- When the person last signed in: webhooks tell it of an account. None has not since this column is there.
ALTER TABLE users ADD COLUMN last_sign_in_at BIGINT;
