\set page random(0, {pages} - 1)
SELECT p.id, p.sku, p.name, p.description, p.price, p.archived, p.created_at, p.updated_at, s.on_hand,
       (SELECT catalogue_size FROM shop WHERE id = 1)
FROM products p LEFT JOIN stock s ON s.product_id = p.id
WHERE p.archived = FALSE ORDER BY p.id DESC LIMIT 10 OFFSET 10 * :page;
