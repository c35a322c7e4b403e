-- Tax, shipping and discounts of an imported order, in minor units:
-- total = sum of its lines + adjustment.
ALTER TABLE orders ADD COLUMN adjustment INTEGER NOT NULL DEFAULT 0;
