-- What was answered under an idempotency key, written in the transaction of its command.
CREATE TABLE idempotency_keys (
    user_id BIGINT NOT NULL,
    path TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    fingerprint TEXT COLLATE "C" NOT NULL,
    answer TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, path, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
