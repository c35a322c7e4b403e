\set user random(1, {each})
\set product random(1, {products})
SELECT id, username, email, is_staff, is_active, session_epoch, created_at
FROM users WHERE id = :user;
SELECT p.id, p.sku, p.name, p.description, p.price, p.archived, p.created_at, p.updated_at, s.on_hand
FROM products p JOIN stock s ON s.product_id = p.id WHERE p.id = :product LIMIT 1;
