-- The Management API finds user names whatever their case is, as Logto's does.
CREATE INDEX users_by_lower_username ON users (LOWER(username));
