-- Answers to captchas that were used: each serves once.
CREATE TABLE captcha_answers (
    digest     TEXT PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE INDEX captcha_answers_by_expiry ON captcha_answers (expires_at);
