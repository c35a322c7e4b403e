-- Amounts are minor units of the shop's currency, times are microseconds since 1970 in UTC.
-- AUTOINCREMENT: an id that was given is never given again, even after its row is gone.

-- "TPST": whose file this is.
PRAGMA application_id = 1414550356;

CREATE TABLE shop (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    -- Set at the first start.
    currency TEXT CHECK (length(currency) = 3),
    -- Products in the catalogue, so that no list has to count them. Only staff's writes touch it.
    catalogue_size INTEGER NOT NULL CHECK (catalogue_size >= 0)
) STRICT;
INSERT INTO shop (id, currency, catalogue_size) VALUES (1, NULL, 0);

CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    username TEXT NOT NULL,
    -- The username and the e-mail address with their case folded: what is unique.
    username_key TEXT NOT NULL UNIQUE,
    email TEXT,
    email_key TEXT UNIQUE,
    password TEXT NOT NULL,
    is_staff INTEGER NOT NULL CHECK (is_staff IN (0, 1)),
    is_active INTEGER NOT NULL CHECK (is_active IN (0, 1)),
    session_epoch INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    CHECK ((email IS NULL) = (email_key IS NULL))
) STRICT;

CREATE TABLE products (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    sku TEXT UNIQUE,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    price INTEGER NOT NULL CHECK (price > 0),
    archived INTEGER NOT NULL CHECK (archived IN (0, 1)),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

-- Beside products, so that a sale never rewrites the wide row.
CREATE TABLE stock (
    product_id INTEGER PRIMARY KEY REFERENCES products (id),
    on_hand INTEGER NOT NULL CHECK (on_hand >= 0)
) STRICT;

CREATE TABLE cart_items (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL REFERENCES users (id),
    product_id INTEGER NOT NULL REFERENCES products (id),
    quantity INTEGER NOT NULL CHECK (quantity BETWEEN 1 AND 9999),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (user_id, product_id)
) STRICT;

CREATE TABLE orders (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL REFERENCES users (id),
    status TEXT NOT NULL
        CHECK (status IN ('pending', 'processing', 'shipped', 'delivered', 'cancelled')),
    total INTEGER NOT NULL CHECK (total >= 0),
    archived INTEGER NOT NULL CHECK (archived IN (0, 1)),
    -- The random name of the attempt that placed it: its outcome is looked up by it.
    placement TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CHECK (archived = 0 OR status = 'cancelled')
) STRICT;
CREATE INDEX orders_of_user ON orders (user_id, id);

-- Snapshots: name and price of the moment.
CREATE TABLE order_lines (
    order_id INTEGER NOT NULL REFERENCES orders (id),
    position INTEGER NOT NULL CHECK (position >= 0),
    user_id INTEGER NOT NULL,
    product_id INTEGER NOT NULL REFERENCES products (id),
    name TEXT NOT NULL,
    unit_price INTEGER NOT NULL CHECK (unit_price > 0),
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (order_id, position)
) STRICT, WITHOUT ROWID;

-- The ledger: rows are added, never changed.
CREATE TABLE stock_movements (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    product_id INTEGER NOT NULL REFERENCES products (id),
    order_id INTEGER REFERENCES orders (id),
    delta INTEGER NOT NULL CHECK (delta <> 0),
    reason TEXT NOT NULL CHECK (reason IN ('opening', 'adjustment', 'sale', 'return')),
    note TEXT,
    actor_id INTEGER REFERENCES users (id),
    created_at INTEGER NOT NULL,
    CHECK ((order_id IS NOT NULL) = (reason IN ('sale', 'return')))
) STRICT;
CREATE INDEX stock_movements_of_product ON stock_movements (product_id, id);
-- One sale and one return for each product of an order, whatever goes wrong above.
CREATE UNIQUE INDEX stock_movements_of_order ON stock_movements (order_id, product_id, reason)
    WHERE order_id IS NOT NULL;
