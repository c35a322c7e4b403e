ALTER TABLE orders DROP COLUMN adjustment;
