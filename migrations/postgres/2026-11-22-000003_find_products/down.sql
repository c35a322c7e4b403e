-- The extension stays: something else may use it by now.
DROP INDEX orders_archived;
DROP INDEX orders_by_status;
DROP INDEX orders_by_total;
DROP INDEX orders_by_creation;
DROP TABLE product_texts;
DROP INDEX products_by_creation;
DROP INDEX products_by_price;
DROP INDEX products_by_name;
DROP INDEX products_by_id;
