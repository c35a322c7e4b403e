-- The address books of customers: personal data, which is deleted with its account. The check of
-- the foreign key waits for nothing: each write holds the lock of its user.
CREATE TABLE addresses (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    label TEXT,
    name TEXT NOT NULL,
    company TEXT,
    line1 TEXT NOT NULL,
    line2 TEXT,
    postal_code TEXT,
    city TEXT,
    region TEXT,
    country TEXT COLLATE "C" NOT NULL CHECK (length(country) = 2),
    phone TEXT,
    tax_id TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX addresses_of_user ON addresses (user_id, id);
