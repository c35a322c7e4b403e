-- Amounts are minor units of the shop's currency, times are microseconds since 1970 in UTC.
-- Text compares by code point, as on every other store.

CREATE TABLE shop (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    -- Set at the first start.
    currency TEXT CHECK (length(currency) = 3),
    -- Products in the catalogue, so that no list has to count them. Only staff's writes touch it.
    catalogue_size BIGINT NOT NULL CHECK (catalogue_size >= 0)
);
INSERT INTO shop (id, currency, catalogue_size) VALUES (1, NULL, 0);

CREATE TABLE users (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    username TEXT COLLATE "C" NOT NULL,
    -- The username and the e-mail address with their case folded: what is unique.
    username_key TEXT COLLATE "C" NOT NULL UNIQUE,
    email TEXT COLLATE "C",
    email_key TEXT COLLATE "C" UNIQUE,
    password TEXT COLLATE "C" NOT NULL,
    is_staff BOOLEAN NOT NULL,
    is_active BOOLEAN NOT NULL,
    session_epoch BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    CHECK ((email IS NULL) = (email_key IS NULL))
);

CREATE TABLE products (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sku TEXT COLLATE "C" UNIQUE,
    name TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C" NOT NULL,
    price BIGINT NOT NULL CHECK (price > 0),
    archived BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- Beside products, so that a sale never rewrites the wide row; half empty, so that it stays on its
-- page. No index on on_hand: it would end that.
CREATE TABLE stock (
    product_id BIGINT PRIMARY KEY REFERENCES products (id),
    on_hand BIGINT NOT NULL CHECK (on_hand >= 0)
) WITH (fillfactor = 50);

CREATE TABLE cart_items (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id BIGINT NOT NULL,
    product_id BIGINT NOT NULL,
    quantity BIGINT NOT NULL CHECK (quantity BETWEEN 1 AND 9999),
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (user_id, product_id)
);

CREATE TABLE orders (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id BIGINT NOT NULL,
    status TEXT COLLATE "C" NOT NULL
        CHECK (status IN ('pending', 'processing', 'shipped', 'delivered', 'cancelled')),
    total BIGINT NOT NULL CHECK (total >= 0),
    archived BOOLEAN NOT NULL,
    -- The random name of the attempt that placed it: its outcome is looked up by it.
    placement TEXT COLLATE "C" NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    CHECK (NOT archived OR status = 'cancelled')
);
CREATE INDEX orders_of_user ON orders (user_id, id);

-- Snapshots: name and price of the moment. Lines and movements carry no foreign keys: checking one
-- waits for whoever holds the row that it refers to, and a batch of orders must not wait. What they
-- refer to is never deleted, and `verify` proves it.
CREATE TABLE order_lines (
    order_id BIGINT NOT NULL,
    position BIGINT NOT NULL CHECK (position >= 0),
    user_id BIGINT NOT NULL,
    product_id BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    unit_price BIGINT NOT NULL CHECK (unit_price > 0),
    quantity BIGINT NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (order_id, position)
);

-- The ledger: rows are added, never changed.
CREATE TABLE stock_movements (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    product_id BIGINT NOT NULL,
    order_id BIGINT,
    delta BIGINT NOT NULL CHECK (delta <> 0),
    reason TEXT COLLATE "C" NOT NULL CHECK (reason IN ('opening', 'adjustment', 'sale', 'return')),
    note TEXT COLLATE "C",
    actor_id BIGINT,
    created_at BIGINT NOT NULL,
    CHECK ((order_id IS NOT NULL) = (reason IN ('sale', 'return')))
);
CREATE INDEX stock_movements_of_product ON stock_movements (product_id, id);
-- One sale and one return for each product of an order, whatever goes wrong above.
CREATE UNIQUE INDEX stock_movements_of_order ON stock_movements (order_id, product_id, reason)
    WHERE order_id IS NOT NULL;
