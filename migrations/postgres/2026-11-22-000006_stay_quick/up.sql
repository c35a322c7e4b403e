-- Refresh tokens that were used are forgotten by the hour.
CREATE INDEX refresh_tokens_used ON refresh_tokens (used_at) WHERE used_at IS NOT NULL;
