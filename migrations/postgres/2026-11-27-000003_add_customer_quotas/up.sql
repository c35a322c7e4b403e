-- What one customer can leave behind is bounded, and the ledger tells a level that was set from a
-- change.

-- The order quota counts the orders of one customer: those of the last hour, and the pending ones.
CREATE INDEX orders_of_user_by_creation ON orders (user_id, created_at);
CREATE INDEX orders_pending_of_user ON orders (user_id) WHERE status = 'pending';

-- The running total of the bytes that are kept for the user, up to this record: the first and the
-- last one tell how many there are. Records from before this migration count as nothing until they are
-- purged.
ALTER TABLE idempotency_keys ADD COLUMN running_bytes BIGINT NOT NULL DEFAULT 0;
CREATE INDEX idempotency_keys_by_total ON idempotency_keys (user_id, running_bytes);

-- The reason "set": staff set the level to a number, regardless of what it was before.
ALTER TABLE stock_movements DROP CONSTRAINT stock_movements_reason_check;
ALTER TABLE stock_movements ADD CONSTRAINT stock_movements_reason_check
    CHECK (reason IN ('opening', 'adjustment', 'set', 'sale', 'return'));
