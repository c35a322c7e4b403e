-- Rows of a file of products, until they are applied. They belong to an import, of which the newest
-- is the current one; rows of others are deleted in small steps.
CREATE TABLE product_imports (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    started_at INTEGER NOT NULL
) STRICT;

CREATE TABLE product_import_rows (
    import_id INTEGER NOT NULL,
    line INTEGER NOT NULL,
    sku TEXT NOT NULL,
    -- NULL leaves a field of the product unchanged.
    name TEXT,
    description TEXT,
    price INTEGER,
    stock INTEGER,
    weight_grams INTEGER,
    archived INTEGER CHECK (archived IN (0, 1)),
    PRIMARY KEY (import_id, line)
) STRICT, WITHOUT ROWID;

-- Texts that the trigram index does not have yet, with the text that it has instead. To index the
-- texts of a large import takes many times as long as all its other writes, and SQLite has one
-- writer. While rows remain here, a search reads every text.
CREATE TABLE unindexed_texts (
    product_id INTEGER PRIMARY KEY,
    indexed TEXT
) STRICT;

-- A transaction with a row here defers indexing. It deletes the row before it ends.
CREATE TABLE deferred_indexing (
    id INTEGER PRIMARY KEY CHECK (id = 1)
) STRICT;

DROP TRIGGER product_texts_added;
DROP TRIGGER product_texts_removed;
DROP TRIGGER product_texts_changed;
CREATE TRIGGER product_texts_added AFTER INSERT ON product_texts
WHEN NOT EXISTS (SELECT 1 FROM deferred_indexing) BEGIN
    INSERT INTO product_trigrams (rowid, folded) VALUES (new.product_id, new.folded);
END;
CREATE TRIGGER product_texts_added_unindexed AFTER INSERT ON product_texts
WHEN EXISTS (SELECT 1 FROM deferred_indexing) BEGIN
    INSERT INTO unindexed_texts (product_id, indexed) VALUES (new.product_id, NULL);
END;
CREATE TRIGGER product_texts_changed AFTER UPDATE ON product_texts
WHEN NOT EXISTS (SELECT 1 FROM deferred_indexing)
    AND NOT EXISTS (SELECT 1 FROM unindexed_texts WHERE product_id = old.product_id) BEGIN
    INSERT INTO product_trigrams (product_trigrams, rowid, folded)
    VALUES ('delete', old.product_id, old.folded);
    INSERT INTO product_trigrams (rowid, folded) VALUES (new.product_id, new.folded);
END;
CREATE TRIGGER product_texts_changed_unindexed AFTER UPDATE ON product_texts
WHEN EXISTS (SELECT 1 FROM deferred_indexing)
    AND NOT EXISTS (SELECT 1 FROM unindexed_texts WHERE product_id = old.product_id) BEGIN
    INSERT INTO unindexed_texts (product_id, indexed) VALUES (old.product_id, old.folded);
END;
CREATE TRIGGER product_texts_removed AFTER DELETE ON product_texts
WHEN NOT EXISTS (SELECT 1 FROM unindexed_texts WHERE product_id = old.product_id) BEGIN
    INSERT INTO product_trigrams (product_trigrams, rowid, folded)
    VALUES ('delete', old.product_id, old.folded);
END;
CREATE TRIGGER product_texts_removed_unindexed AFTER DELETE ON product_texts
WHEN EXISTS (SELECT 1 FROM unindexed_texts WHERE product_id = old.product_id) BEGIN
    INSERT INTO product_trigrams (product_trigrams, rowid, folded)
    SELECT 'delete', product_id, indexed FROM unindexed_texts
    WHERE product_id = old.product_id AND indexed IS NOT NULL;
    DELETE FROM unindexed_texts WHERE product_id = old.product_id;
END;
