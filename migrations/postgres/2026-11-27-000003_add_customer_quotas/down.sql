UPDATE stock_movements SET reason = 'adjustment' WHERE reason = 'set';
ALTER TABLE stock_movements DROP CONSTRAINT stock_movements_reason_check;
ALTER TABLE stock_movements ADD CONSTRAINT stock_movements_reason_check
    CHECK (reason IN ('opening', 'adjustment', 'sale', 'return'));
DROP INDEX idempotency_keys_by_total;
ALTER TABLE idempotency_keys DROP COLUMN running_bytes;
DROP INDEX orders_pending_of_user;
DROP INDEX orders_of_user_by_creation;
