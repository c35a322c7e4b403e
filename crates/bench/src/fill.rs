//! The data of a shop that has been open for a while, in SQL that both databases understand.

use crate::plan::Basket;

/// Initial stock of every product: it never sells out.
const STOCK: u32 = 1_000_000_000;
/// A time in 2023, in microseconds.
const THEN: u64 = 1_700_000_000_000_000;

/// The first product of cart or order `n`, without early repetition. `n` and the number of products
/// replace `{n}` and `{products}`. pgbench can evaluate it too.
pub(crate) const FIRST: &str = "1 + ({n} * {n} % 999983 * {n} + 7 * {n}) % 999983 % {products}";
/// Distance of the second product from the first, less one: they always differ.
pub(crate) const STEP: &str =
    "({n} * {n} % 999979 * {n} + 11 * {n} + 5) % 999979 % ({products} - 1)";

/// Replaces the placeholders of an expression.
pub(crate) fn of(expression: &str, n: &str, products: u32) -> String {
    let expression = expression.replace("{products}", &products.to_string());
    expression.replace("{n}", n)
}

/// The second product, given the first.
pub(crate) fn second(first: &str, n: &str, products: u32) -> String {
    let step = of(STEP, n, products);
    format!("1 + ({first} + {step}) % {products}")
}

/// A script with all data of a shop before the measurement. User 1 is staff.
pub(crate) fn shop(products: u32, users: u32, orders: u32) -> String {
    let first = of(FIRST, "n", products);
    let second = second(&format!("({first})"), "n", products);
    let (goods, people, orders) = (numbers(products), numbers(users), numbers(orders));
    format!(
        "{goods}
        INSERT INTO products (sku, name, description, price, archived, created_at, updated_at)
        SELECT 'SKU-' || n, 'Product number ' || n,
               'What there is to say about product number ' || n || ', in one sentence or two.',
               100 + n % 9900, FALSE, {THEN} + n, {THEN} + n FROM numbers ORDER BY n;

        INSERT INTO product_texts (product_id, folded)
        SELECT id, lower(name) || '\n' || lower(description) FROM products ORDER BY id;

        INSERT INTO stock (product_id, on_hand) SELECT id, {STOCK} FROM products ORDER BY id;
        INSERT INTO stock_movements (product_id, delta, reason, created_at)
        SELECT id, {STOCK}, 'opening', created_at FROM products ORDER BY id;
        UPDATE shop SET catalogue_size = {products};

        {people}
        INSERT INTO users (username, username_key, email, email_key, password, is_staff, is_active,
                           session_epoch, created_at)
        SELECT 'buyer' || n, 'buyer' || n, 'buyer' || n || '@example.org',
               'buyer' || n || '@example.org', 'nobody signs in with a password here',
               n = 1, TRUE, 0, {THEN} FROM numbers ORDER BY n;

        {orders}
        INSERT INTO orders (user_id, status, total, archived, placement, created_at, updated_at)
        SELECT 1 + n % {users}, 'delivered', one.price + (1 + n % 3) * other.price, FALSE,
               (n * 2654435761 % 4294967296) || '-' || n, {THEN} + n * 1000000, {THEN} + n * 2000000
        FROM numbers JOIN products AS one ON one.id = {first}
                     JOIN products AS other ON other.id = {second} ORDER BY n;

        {orders}
        INSERT INTO order_lines
            (order_id, position, user_id, product_id, name, unit_price, quantity)
        SELECT n, 0, 1 + n % {users}, id, name, price, 1
        FROM numbers JOIN products ON id = {first} ORDER BY n;

        {orders}
        INSERT INTO order_lines
            (order_id, position, user_id, product_id, name, unit_price, quantity)
        SELECT n, 1, 1 + n % {users}, id, name, price, 1 + n % 3
        FROM numbers JOIN products ON id = {second} ORDER BY n;

        INSERT INTO stock_movements (product_id, order_id, delta, reason, actor_id, created_at)
        SELECT product_id, order_id, -quantity, 'sale', user_id, {THEN} + order_id * 1000000
        FROM order_lines ORDER BY order_id, position;

        UPDATE stock SET on_hand =
            (SELECT SUM(delta) FROM stock_movements WHERE product_id = stock.product_id);"
    )
}

/// The event log of these orders, and its sums. A compared program may have none.
pub(crate) const EVENT_LOG: &str = "
        INSERT INTO events (seq, kind, order_id, user_id, actor_id, detail, amount, at)
        SELECT (SELECT COALESCE(MAX(seq), 0) FROM events) + row_number() OVER (ORDER BY id),
               'order.imported', id, user_id, NULL, status, total, created_at FROM orders ORDER BY id;
        INSERT INTO sales (bucket, orders, revenue)
        SELECT created_at - created_at % 900000000, COUNT(*), SUM(total) FROM orders GROUP BY 1;
        INSERT INTO order_counts (status, orders)
        SELECT status, COUNT(*) FROM orders GROUP BY status;";

/// Fills the carts of users 1 to `carts`; all others are empty. The ids of the lines begin at 1 and
/// follow the users, provided that the table was truncated before.
pub(crate) fn carts(basket: Basket, carts: u32, products: u32) -> String {
    let numbers = numbers(carts);
    let lines = match basket {
        Basket::One => "SELECT n, 1 AS line, 1 AS product FROM numbers".to_owned(),
        Basket::Spread => {
            let first = of(FIRST, "n", products);
            let second = second(&format!("({first})"), "n", products);
            format!(
                "SELECT n, 1 AS line, {first} AS product FROM numbers
                 UNION ALL SELECT n, 2, {second} FROM numbers"
            )
        }
    };
    format!(
        "{numbers}
        INSERT INTO cart_items (user_id, product_id, quantity, created_at, updated_at)
        SELECT n, product, 1 + (n + line) % 3, {THEN}, {THEN} FROM ({lines}) AS wanted
        ORDER BY n, line;"
    )
}

/// The numbers from 1 to `last`, as a prefix of the statement that uses them.
fn numbers(last: u32) -> String {
    format!(
        "WITH RECURSIVE numbers(n) AS (
            SELECT CAST(1 AS BIGINT) UNION ALL SELECT n + 1 FROM numbers WHERE n < {last})"
    )
}
