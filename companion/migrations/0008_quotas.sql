-- Large authorization requests that an app has pushed don't share the rows of those that anybody can send.

-- The app whose quota a request counts for; empty for what browsers bring.
ALTER TABLE interactions ADD COLUMN quota TEXT NOT NULL DEFAULT '';
CREATE INDEX interactions_by_quota ON interactions (quota);
