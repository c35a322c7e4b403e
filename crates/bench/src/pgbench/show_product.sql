\set product random(1, {products})
SELECT p.id, p.sku, p.name, p.description, p.price, p.archived, p.created_at, p.updated_at, s.on_hand
FROM products p JOIN stock s ON s.product_id = p.id WHERE p.id = :product LIMIT 1;
