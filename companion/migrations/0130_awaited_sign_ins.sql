-- Whether the password was set by a reset and nobody has signed in with it yet: the end of the way back.
ALTER TABLE credentials ADD COLUMN awaits_sign_in BOOLEAN NOT NULL DEFAULT FALSE;
