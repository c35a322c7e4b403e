-- One order of two lines in a transaction of its own.
\set u 1 + :client_id * {each} + :done
\set done :done + 1
\set a {first}
\set b {second}
\set qa 1 + (:u + 1) % 3
\set qb 1 + (:u + 2) % 3
\set low least(:a, :b)
\set high greatest(:a, :b)
\set line 2 * :u
\set r1 random(1, 9000000000000000000)
\set r2 random(1, 9000000000000000000)
BEGIN;
SELECT id FROM users WHERE id = :u FOR NO KEY UPDATE;
SELECT id, user_id, product_id, quantity, created_at, updated_at FROM cart_items WHERE user_id = :u ORDER BY id;
SELECT product_id FROM stock WHERE product_id IN (:low, :high) ORDER BY product_id FOR NO KEY UPDATE;
SELECT products.id, name, price, archived, on_hand FROM products JOIN stock ON product_id = products.id WHERE products.id IN (:a, :b);
WITH placed AS (INSERT INTO orders (user_id, status, total, archived, placement, created_at, updated_at) VALUES (:u, 'pending', :qa * (100 + CAST(:a AS bigint) % 9900) + :qb * (100 + CAST(:b AS bigint) % 9900), FALSE, to_hex(CAST(:r1 AS bigint)) || to_hex(CAST(:r2 AS bigint)), 1800000000000000, 1800000000000000) RETURNING id, user_id, total, created_at), told AS (INSERT INTO outbox (kind, order_id, user_id, actor_id, detail, amount, at) SELECT 'order.placed', id, user_id, user_id, '', total, created_at FROM placed) SELECT id AS order_id FROM placed \gset
INSERT INTO order_lines (order_id, position, user_id, product_id, name, unit_price, quantity) VALUES (:order_id, 0, :u, :a, 'Product number ' || CAST(:a AS bigint), 100 + CAST(:a AS bigint) % 9900, :qa), (:order_id, 1, :u, :b, 'Product number ' || CAST(:b AS bigint), 100 + CAST(:b AS bigint) % 9900, :qb);
INSERT INTO stock_movements (product_id, order_id, delta, reason, actor_id, created_at) VALUES (:a, :order_id, - CAST(:qa AS bigint), 'sale', :u, 1800000000000000), (:b, :order_id, - CAST(:qb AS bigint), 'sale', :u, 1800000000000000);
UPDATE stock SET on_hand = stock.on_hand - sold.units FROM (VALUES (CAST(:a AS bigint), CAST(:qa AS bigint)), (CAST(:b AS bigint), CAST(:qb AS bigint))) AS sold (product_id, units) WHERE stock.product_id = sold.product_id;
DELETE FROM cart_items WHERE id IN (:line - 1, :line);
COMMIT;
