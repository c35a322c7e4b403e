-- One order of one line, all for the same product.
\set u 1 + :client_id * {each} + :done
\set done :done + 1
\set qa 1 + (:u + 1) % 3
\set r1 random(1, 9000000000000000000)
\set r2 random(1, 9000000000000000000)
BEGIN;
SELECT id FROM users WHERE id = :u FOR NO KEY UPDATE;
SELECT id, user_id, product_id, quantity, created_at, updated_at FROM cart_items WHERE user_id = :u ORDER BY id;
SELECT product_id FROM stock WHERE product_id = 1 ORDER BY product_id FOR NO KEY UPDATE;
SELECT products.id, name, price, archived, on_hand FROM products JOIN stock ON product_id = products.id WHERE products.id = 1;
WITH placed AS (INSERT INTO orders (user_id, status, total, archived, placement, created_at, updated_at) VALUES (:u, 'pending', CAST(:qa AS bigint) * 101, FALSE, to_hex(CAST(:r1 AS bigint)) || to_hex(CAST(:r2 AS bigint)), 1800000000000000, 1800000000000000) RETURNING id, user_id, total, created_at), told AS (INSERT INTO outbox (kind, order_id, user_id, actor_id, detail, amount, at) SELECT 'order.placed', id, user_id, user_id, '', total, created_at FROM placed) SELECT id AS order_id FROM placed \gset
INSERT INTO order_lines (order_id, position, user_id, product_id, name, unit_price, quantity) VALUES (:order_id, 0, :u, 1, 'Product number 1', 101, :qa);
INSERT INTO stock_movements (product_id, order_id, delta, reason, actor_id, created_at) VALUES (1, :order_id, - CAST(:qa AS bigint), 'sale', :u, 1800000000000000);
UPDATE stock SET on_hand = on_hand - :qa WHERE product_id = 1;
DELETE FROM cart_items WHERE id = :u;
COMMIT;
