-- Lists in every order that a client may ask for, and words that occur in products.

-- Staff alone write products, so that each order has an index of its own.
CREATE INDEX products_by_id ON products (archived, id);
CREATE INDEX products_by_name ON products (archived, name, id);
CREATE INDEX products_by_price ON products (archived, price, id);
CREATE INDEX products_by_creation ON products (archived, created_at, id);

-- What is searched of a product: name and description, folded by the program, which fills in what
-- is missing after every migration.
CREATE TABLE product_texts (
    product_id BIGINT PRIMARY KEY REFERENCES products (id),
    folded TEXT COLLATE "C" NOT NULL
);

-- Finds three characters in a row and more. Where the server does not have the extension, or does
-- not let this user create it, searching reads every text: slower, and nothing else.
DO $$
BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
    CREATE INDEX product_trigrams ON product_texts USING gin (folded gin_trgm_ops);
EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported
        OR undefined_object OR invalid_schema_name THEN
    RAISE NOTICE 'no trigrams: %', SQLERRM;
END
$$;

-- Every order that is placed pays for these.
CREATE INDEX orders_by_creation ON orders (created_at, id) WHERE NOT archived;
CREATE INDEX orders_by_total ON orders (total, id) WHERE NOT archived;
CREATE INDEX orders_by_status ON orders (status, id) WHERE NOT archived;
CREATE INDEX orders_archived ON orders (id) WHERE archived;
