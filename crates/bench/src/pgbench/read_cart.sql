\set user random(1, {each})
SELECT c.id, c.user_id, c.product_id, c.quantity, c.created_at, c.updated_at,
       p.id, p.sku, p.name, p.description, p.price, p.archived, p.created_at, p.updated_at, s.on_hand
FROM cart_items c JOIN products p ON p.id = c.product_id JOIN stock s ON s.product_id = p.id
WHERE c.user_id = :user ORDER BY c.id;
