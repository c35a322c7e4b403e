DROP TABLE stock_movements;
DROP TABLE order_lines;
DROP TABLE orders;
DROP TABLE cart_items;
DROP TABLE stock;
DROP TABLE products;
DROP TABLE users;
DROP TABLE shop;
