DROP TRIGGER product_texts_added;
DROP TRIGGER product_texts_added_unindexed;
DROP TRIGGER product_texts_changed;
DROP TRIGGER product_texts_changed_unindexed;
DROP TRIGGER product_texts_removed;
DROP TRIGGER product_texts_removed_unindexed;
INSERT INTO product_trigrams (product_trigrams, rowid, folded)
SELECT 'delete', product_id, indexed FROM unindexed_texts WHERE indexed IS NOT NULL;
INSERT INTO product_trigrams (rowid, folded)
SELECT product_id, folded FROM product_texts
WHERE product_id IN (SELECT product_id FROM unindexed_texts);
DROP TABLE unindexed_texts;
DROP TABLE deferred_indexing;
DROP TABLE product_import_rows;
DROP TABLE product_imports;
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
