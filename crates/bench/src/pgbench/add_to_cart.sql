-- Adds one line to a cart, with the statements of the server's transaction.
\set u 1 + :client_id * {each} + :done
\set done :done + 1
\set product 1 + :u * 37 % {products}
BEGIN ISOLATION LEVEL READ COMMITTED;
SELECT id FROM users WHERE id = :u ORDER BY id FOR NO KEY UPDATE;
SELECT id, user_id, product_id, quantity, created_at, updated_at FROM cart_items WHERE user_id = :u ORDER BY id;
SELECT products.id, sku, name, description, price, archived, created_at, updated_at, on_hand FROM products JOIN stock ON product_id = products.id WHERE products.id = :product LIMIT 1;
INSERT INTO cart_items (user_id, product_id, quantity, created_at, updated_at) VALUES (:u, :product, 1, 1800000000000000, 1800000000000000) RETURNING id, user_id, product_id, quantity, created_at, updated_at;
SELECT CAST(pg_current_xact_id_if_assigned() AS TEXT) AS value;
COMMIT;
