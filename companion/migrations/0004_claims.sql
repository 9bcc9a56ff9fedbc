-- The claims that the authorization request asked for by name (OIDC Core 5.5), as JSON; none is none.
ALTER TABLE grants ADD COLUMN claims TEXT;
