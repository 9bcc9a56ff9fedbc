-- Calls to other servers have a lane of their own: what is sent to people doesn't wait behind apps that don't answer.
ALTER TABLE jobs ADD COLUMN lane TEXT NOT NULL DEFAULT 'messages';
CREATE INDEX jobs_by_lane ON jobs (lane, run_at);
DROP INDEX jobs_by_run_at;
