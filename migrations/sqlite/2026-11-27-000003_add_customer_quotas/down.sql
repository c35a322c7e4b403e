CREATE TABLE new_stock_movements (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    product_id INTEGER NOT NULL REFERENCES products (id),
    order_id INTEGER REFERENCES orders (id),
    delta INTEGER NOT NULL CHECK (delta <> 0),
    reason TEXT NOT NULL CHECK (reason IN ('opening', 'adjustment', 'sale', 'return')),
    note TEXT,
    actor_id INTEGER REFERENCES users (id),
    created_at INTEGER NOT NULL,
    CHECK ((order_id IS NOT NULL) = (reason IN ('sale', 'return')))
) STRICT;
INSERT INTO new_stock_movements
    (id, product_id, order_id, delta, reason, note, actor_id, created_at)
SELECT id, product_id, order_id, delta, CASE reason WHEN 'set' THEN 'adjustment' ELSE reason END, note, actor_id, created_at
FROM stock_movements ORDER BY id;
DROP TABLE stock_movements;
ALTER TABLE new_stock_movements RENAME TO stock_movements;
CREATE INDEX stock_movements_of_product ON stock_movements (product_id, id);
CREATE UNIQUE INDEX stock_movements_of_order ON stock_movements (order_id, product_id, reason)
    WHERE order_id IS NOT NULL;
DROP INDEX idempotency_keys_by_total;
ALTER TABLE idempotency_keys DROP COLUMN running_bytes;
DROP INDEX orders_pending_of_user;
DROP INDEX orders_of_user_by_creation;
