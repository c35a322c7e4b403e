-- Refresh tokens, by their SHA-256 digests in hexadecimal digits: who reads this table can use none
-- of them. A family, named by its first token, is ended by deleting its rows.
CREATE TABLE refresh_tokens (
    digest TEXT COLLATE "C" PRIMARY KEY,
    family TEXT COLLATE "C" NOT NULL,
    user_id BIGINT NOT NULL,
    session_epoch BIGINT NOT NULL,
    signed_in_at BIGINT NOT NULL,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX refresh_tokens_of_family ON refresh_tokens (family);
CREATE INDEX refresh_tokens_of_user ON refresh_tokens (user_id);
CREATE INDEX refresh_tokens_by_end ON refresh_tokens (expires_at);
