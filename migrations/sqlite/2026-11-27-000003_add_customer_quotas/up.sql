-- What one customer can leave behind is bounded, and the ledger tells a level that was set from a
-- change.

-- The order quota counts the orders of one customer: those of the last hour, and the pending ones.
CREATE INDEX orders_of_user_by_creation ON orders (user_id, created_at);
CREATE INDEX orders_pending_of_user ON orders (user_id) WHERE status = 'pending';

-- The running total of the bytes that are kept for the user, up to this record: the first and the
-- last one tell how many there are. Records from before this migration count as nothing until they are
-- purged.
ALTER TABLE idempotency_keys ADD COLUMN running_bytes INTEGER NOT NULL DEFAULT 0;
CREATE INDEX idempotency_keys_by_total ON idempotency_keys (user_id, running_bytes);

-- The reason "set": staff set the level to a number, regardless of what it was before. A constraint
-- of a table cannot be changed here, so the table is copied.
CREATE TABLE new_stock_movements (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    product_id INTEGER NOT NULL REFERENCES products (id),
    order_id INTEGER REFERENCES orders (id),
    delta INTEGER NOT NULL CHECK (delta <> 0),
    reason TEXT NOT NULL CHECK (reason IN ('opening', 'adjustment', 'set', 'sale', 'return')),
    note TEXT,
    actor_id INTEGER REFERENCES users (id),
    created_at INTEGER NOT NULL,
    CHECK ((order_id IS NOT NULL) = (reason IN ('sale', 'return')))
) STRICT;
INSERT INTO new_stock_movements
    (id, product_id, order_id, delta, reason, note, actor_id, created_at)
SELECT id, product_id, order_id, delta, reason, note, actor_id, created_at
FROM stock_movements ORDER BY id;
DROP TABLE stock_movements;
ALTER TABLE new_stock_movements RENAME TO stock_movements;
CREATE INDEX stock_movements_of_product ON stock_movements (product_id, id);
CREATE UNIQUE INDEX stock_movements_of_order ON stock_movements (order_id, product_id, reason)
    WHERE order_id IS NOT NULL;
