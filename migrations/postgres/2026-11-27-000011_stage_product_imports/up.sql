-- Rows of a file of products, until they are applied. They belong to an import, of which the newest
-- is the current one; rows of others are deleted in small steps.
CREATE TABLE product_imports (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    started_at BIGINT NOT NULL
);

-- Unlogged: the file still has the rows after a crash, which empties the table.
CREATE UNLOGGED TABLE product_import_rows (
    import_id BIGINT NOT NULL,
    line BIGINT NOT NULL,
    sku TEXT COLLATE "C" NOT NULL,
    -- NULL leaves a field of the product unchanged.
    name TEXT COLLATE "C",
    description TEXT COLLATE "C",
    price BIGINT,
    stock BIGINT,
    weight_grams BIGINT,
    archived BOOLEAN,
    PRIMARY KEY (import_id, line)
);
