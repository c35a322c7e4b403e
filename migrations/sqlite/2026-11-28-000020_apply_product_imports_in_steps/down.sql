ALTER TABLE product_imports DROP COLUMN state;
ALTER TABLE product_imports DROP COLUMN last_line;
ALTER TABLE product_imports DROP COLUMN actor_id;
ALTER TABLE product_imports DROP COLUMN applied_at;
