-- Whom a job calls: one that doesn't answer takes few places at a time.
ALTER TABLE jobs ADD COLUMN target TEXT;

-- Which apps took part in a session, until it ends: they are told of its end, also where what they held is gone.
CREATE TABLE session_apps (
    session_id TEXT NOT NULL,
    client_id  TEXT NOT NULL,
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (session_id, client_id)
);
CREATE INDEX session_apps_by_user ON session_apps (user_id);
CREATE INDEX session_apps_by_client ON session_apps (client_id);
INSERT INTO session_apps (session_id, client_id, user_id)
    SELECT DISTINCT g.session_id, g.client_id, g.user_id FROM grants g JOIN sessions s ON s.id = g.session_id;
