ALTER TABLE stock DROP COLUMN low_stock;
ALTER TABLE shop DROP COLUMN low_stock;
ALTER TABLE shop DROP COLUMN feed;
DROP TABLE order_counts;
DROP TABLE sales;
DROP TABLE events;
DROP TABLE outbox;
