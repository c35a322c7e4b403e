-- Lists in every order that a client may ask for, and words that occur in products.

-- Staff alone write products, so that each order has an index of its own.
CREATE INDEX products_by_id ON products (archived, id);
CREATE INDEX products_by_name ON products (archived, name, id);
CREATE INDEX products_by_price ON products (archived, price, id);
CREATE INDEX products_by_creation ON products (archived, created_at, id);

-- What is searched of a product: name and description, folded by the program, which fills in what
-- is missing after every migration.
CREATE TABLE product_texts (
    product_id INTEGER PRIMARY KEY REFERENCES products (id),
    folded TEXT NOT NULL
) STRICT;

-- Finds three characters in a row and more. The text itself stays in its table; triggers keep the
-- two in step.
CREATE VIRTUAL TABLE product_trigrams USING fts5 (
    folded,
    content = 'product_texts',
    content_rowid = 'product_id',
    tokenize = 'trigram case_sensitive 1'
);
CREATE TRIGGER product_texts_added AFTER INSERT ON product_texts BEGIN
    INSERT INTO product_trigrams (rowid, folded) VALUES (new.product_id, new.folded);
END;
CREATE TRIGGER product_texts_removed AFTER DELETE ON product_texts BEGIN
    INSERT INTO product_trigrams (product_trigrams, rowid, folded)
    VALUES ('delete', old.product_id, old.folded);
END;
CREATE TRIGGER product_texts_changed AFTER UPDATE ON product_texts BEGIN
    INSERT INTO product_trigrams (product_trigrams, rowid, folded)
    VALUES ('delete', old.product_id, old.folded);
    INSERT INTO product_trigrams (rowid, folded) VALUES (new.product_id, new.folded);
END;

-- Every order that is placed pays for these.
CREATE INDEX orders_by_creation ON orders (created_at, id) WHERE NOT archived;
CREATE INDEX orders_by_total ON orders (total, id) WHERE NOT archived;
CREATE INDEX orders_by_status ON orders (status, id) WHERE NOT archived;
CREATE INDEX orders_archived ON orders (id) WHERE archived;
