-- The event log: history, audit and feed. Rows are added, never changed; `seq` is given to each in
-- the order of the commits, without gaps. Typed columns and no personal data. `kind` is the name of
-- an event, `detail` a few words that belong to it, `amount` a number.
CREATE TABLE events (
    seq INTEGER PRIMARY KEY CHECK (seq > 0),
    kind TEXT NOT NULL,
    order_id INTEGER,
    product_id INTEGER,
    user_id INTEGER,
    actor_id INTEGER,
    detail TEXT NOT NULL,
    amount INTEGER,
    at INTEGER NOT NULL
) STRICT;

-- Sales in buckets of a quarter of an hour, by the start of the bucket, and numbers of orders: sums
-- of events, so that a report costs the same in a shop of any size.
CREATE TABLE sales (
    bucket INTEGER PRIMARY KEY,
    orders INTEGER NOT NULL,
    revenue INTEGER NOT NULL
) STRICT;
CREATE TABLE order_counts (
    status TEXT PRIMARY KEY,
    orders INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The first event of each existing row.
INSERT INTO events (seq, kind, order_id, product_id, user_id, actor_id, detail, amount, at)
SELECT row_number() OVER (ORDER BY at, rank, id),
       kind, order_id, product_id, user_id, NULL, detail, amount, at
FROM (
    SELECT 1 AS rank, id, 'account.registered' AS kind, NULL AS order_id, NULL AS product_id,
           id AS user_id, '' AS detail, NULL AS amount, created_at AS at
    FROM users
    UNION ALL
    SELECT 2, id, 'product.created', NULL, id, NULL, '', NULL, created_at FROM products
    UNION ALL
    SELECT 3, id, 'order.imported', id, NULL, user_id, status, total, created_at FROM orders
) AS existing;

INSERT INTO sales (bucket, orders, revenue)
SELECT created_at - ((created_at % 900000000) + 900000000) % 900000000, count(*),
       sum(CASE WHEN status = 'cancelled' THEN 0 ELSE total END)
FROM orders GROUP BY 1;

INSERT INTO order_counts (status, orders) SELECT status, count(*) FROM orders GROUP BY status;

-- An order that is placed pays for one row in the first of these. The others leave out
-- `order.placed`: the orders of a user lead to it.
CREATE INDEX events_of_order ON events (order_id, seq) WHERE order_id IS NOT NULL;
CREATE INDEX events_of_product ON events (product_id, seq) WHERE product_id IS NOT NULL;
CREATE INDEX events_of_user ON events (user_id, seq)
    WHERE user_id IS NOT NULL AND kind <> 'order.placed';
CREATE INDEX events_by_actor ON events (actor_id, seq)
    WHERE actor_id IS NOT NULL AND kind <> 'order.placed';
CREATE INDEX events_by_kind ON events (kind, seq) WHERE kind <> 'order.placed';

-- Identity of the event log. Another shop has another one.
ALTER TABLE shop ADD COLUMN feed TEXT NOT NULL DEFAULT '';
UPDATE shop SET feed = lower(hex(randomblob(4)));

-- Thresholds of low stock: of the shop, and of products that have their own.
ALTER TABLE shop ADD COLUMN low_stock INTEGER NOT NULL DEFAULT 5 CHECK (low_stock >= 0);
ALTER TABLE stock ADD COLUMN low_stock INTEGER CHECK (low_stock >= 0);
