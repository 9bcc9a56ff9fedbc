-- E-mail and text messages have a lane each, so that neither waits for the other. Which of them a job of before carries is
-- sealed in its payload: those few of a moment go the way of e-mail, and still to where they should.
UPDATE jobs SET lane = 'email' WHERE lane = 'messages';
