-- What text messages cost, a row for each day (counted from the epoch, UTC).
CREATE TABLE text_message_days (
    day      BIGINT PRIMARY KEY,
    messages BIGINT NOT NULL,
    -- Millionths of the operator's currency.
    cost     BIGINT NOT NULL
);

-- The jobs that have been counted: a job that is tried again sends the same message.
CREATE TABLE counted_text_messages (
    job_id TEXT PRIMARY KEY,
    day    BIGINT NOT NULL
);
CREATE INDEX counted_text_messages_by_day ON counted_text_messages (day);
