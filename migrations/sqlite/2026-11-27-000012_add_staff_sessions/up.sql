-- Sessions of staff in the admin interface, by the SHA-256 digests of their secrets in hexadecimal
-- digits: a reader of this table cannot use any of them. Signing out deletes the row.
CREATE TABLE staff_sessions (
    digest TEXT PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id),
    session_epoch INTEGER NOT NULL,
    signed_in_at INTEGER NOT NULL,
    used_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX staff_sessions_of_user ON staff_sessions (user_id);
CREATE INDEX staff_sessions_by_end ON staff_sessions (expires_at);
