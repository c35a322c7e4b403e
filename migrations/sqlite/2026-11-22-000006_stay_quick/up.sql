-- Refresh tokens that were used are forgotten by the hour.
CREATE INDEX refresh_tokens_used ON refresh_tokens (used_at) WHERE used_at IS NOT NULL;

-- The staff are few among all users.
CREATE INDEX users_staff ON users (id) WHERE is_staff;
