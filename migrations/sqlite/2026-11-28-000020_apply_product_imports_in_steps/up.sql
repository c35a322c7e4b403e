-- An import of products is applied in steps, each a short transaction, so that orders pass in between.
-- A newer import may replace one that is `staged`. In the other states, edits of products conflict
-- with it until its row is deleted: `checking` decides every row and writes nothing, `applying` has
-- written the rows up to `last_line`. Any process may take the next step.
ALTER TABLE product_imports ADD COLUMN state TEXT NOT NULL DEFAULT 'staged'
    CHECK (state IN ('staged', 'checking', 'applying'));
ALTER TABLE product_imports ADD COLUMN last_line INTEGER NOT NULL DEFAULT 0;
-- The acting user, or NULL for the operator, and the time of the changes.
ALTER TABLE product_imports ADD COLUMN actor_id INTEGER;
ALTER TABLE product_imports ADD COLUMN applied_at INTEGER NOT NULL DEFAULT 0;
