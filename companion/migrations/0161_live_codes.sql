-- Whose codes they are, as a keyed hash: so many may be right at one time (SR-22). Codes of before have none, and end
-- within ten minutes.
ALTER TABLE challenges ADD COLUMN identifier TEXT;
CREATE INDEX challenges_by_identifier ON challenges (identifier, expires_at) WHERE identifier IS NOT NULL;
