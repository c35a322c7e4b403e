-- Shipping weight of one unit in grams; zero if it is not known.
ALTER TABLE products ADD COLUMN weight_grams BIGINT NOT NULL DEFAULT 0
    CHECK (weight_grams BETWEEN 0 AND 1000000);
