-- The event log: history, audit and feed. Rows are added, never changed; `seq` has no gaps. Typed
-- columns and no personal data. `kind` is the name of an event, `detail` a few words that belong to
-- it, `amount` a number.
--
-- A transaction writes its events into `outbox`, whose ids have gaps and may become visible in
-- another order than they ascend. A sequencer, one at a time, moves them into `events`, and gives
-- out the numbers. The events of one subject are in the order of their commits, as a transaction
-- writes them while it holds the lock of the subject.
--
-- No row may be written while the first event of each is. A write locks its user first, and so do
-- these locks, which prevents deadlocks.
LOCK TABLE users, products, stock, orders, shop IN ACCESS EXCLUSIVE MODE;

CREATE TABLE outbox (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL,
    order_id BIGINT,
    product_id BIGINT,
    user_id BIGINT,
    actor_id BIGINT,
    detail TEXT COLLATE "C" NOT NULL,
    amount BIGINT,
    at BIGINT NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

CREATE TABLE events (
    seq BIGINT PRIMARY KEY CHECK (seq > 0),
    kind TEXT COLLATE "C" NOT NULL,
    order_id BIGINT,
    product_id BIGINT,
    user_id BIGINT,
    actor_id BIGINT,
    detail TEXT COLLATE "C" NOT NULL,
    amount BIGINT,
    at BIGINT NOT NULL
);

-- Sales in buckets of a quarter of an hour, by the start of the bucket, and numbers of orders: sums
-- of events, so that a report costs the same in a shop of any size.
CREATE TABLE sales (
    bucket BIGINT PRIMARY KEY,
    orders BIGINT NOT NULL,
    revenue BIGINT NOT NULL
);
CREATE TABLE order_counts (
    status TEXT COLLATE "C" PRIMARY KEY,
    orders BIGINT NOT NULL
);

-- The first event of each existing row.
INSERT INTO events (seq, kind, order_id, product_id, user_id, actor_id, detail, amount, at)
SELECT row_number() OVER (ORDER BY at, rank, id),
       kind, order_id, product_id, user_id, NULL, detail, amount, at
FROM (
    SELECT 1 AS rank, id, 'account.registered' AS kind, CAST(NULL AS BIGINT) AS order_id,
           CAST(NULL AS BIGINT) AS product_id, id AS user_id, '' AS detail,
           CAST(NULL AS BIGINT) AS amount, created_at AS at
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
ALTER TABLE shop ADD COLUMN feed TEXT COLLATE "C" NOT NULL DEFAULT '';
UPDATE shop SET feed = substr(md5(CAST(random() AS TEXT) || CAST(clock_timestamp() AS TEXT)), 1, 8);

-- Thresholds of low stock: of the shop, and of products that have their own.
ALTER TABLE shop ADD COLUMN low_stock BIGINT NOT NULL DEFAULT 5 CHECK (low_stock >= 0);
ALTER TABLE stock ADD COLUMN low_stock BIGINT CHECK (low_stock >= 0);
