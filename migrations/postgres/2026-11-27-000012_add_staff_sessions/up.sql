-- Sessions of staff in the admin interface, by the SHA-256 digests of their secrets in hexadecimal
-- digits: a reader of this table cannot use any of them. Signing out deletes the row.
CREATE TABLE staff_sessions (
    digest TEXT COLLATE "C" PRIMARY KEY,
    user_id BIGINT NOT NULL,
    session_epoch BIGINT NOT NULL,
    signed_in_at BIGINT NOT NULL,
    used_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX staff_sessions_of_user ON staff_sessions (user_id);
CREATE INDEX staff_sessions_by_end ON staff_sessions (expires_at);
