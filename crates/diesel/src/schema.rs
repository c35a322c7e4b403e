//! Tables of both databases. Execution by hand: SQLite integers have 64 bits, which diesel's schema
//! inference does not know.

diesel::table! {
    shop (id) {
        id -> BigInt,
        currency -> Nullable<Text>,
        catalogue_size -> BigInt,
        feed -> Text,
        low_stock -> BigInt,
    }
}

diesel::table! {
    users (id) {
        id -> BigInt,
        username -> Text,
        username_key -> Text,
        email -> Nullable<Text>,
        email_key -> Nullable<Text>,
        password -> Text,
        is_staff -> Bool,
        is_active -> Bool,
        session_epoch -> BigInt,
        created_at -> BigInt,
        username_skeleton -> Nullable<Text>,
    }
}

diesel::table! {
    products (id) {
        id -> BigInt,
        sku -> Nullable<Text>,
        name -> Text,
        description -> Text,
        price -> BigInt,
        archived -> Bool,
        created_at -> BigInt,
        updated_at -> BigInt,
        weight_grams -> BigInt,
    }
}

diesel::table! {
    stock (product_id) {
        product_id -> BigInt,
        on_hand -> BigInt,
        low_stock -> Nullable<BigInt>,
    }
}

diesel::table! {
    cart_items (id) {
        id -> BigInt,
        user_id -> BigInt,
        product_id -> BigInt,
        quantity -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    orders (id) {
        id -> BigInt,
        user_id -> BigInt,
        status -> Text,
        total -> BigInt,
        adjustment -> BigInt,
        archived -> Bool,
        placement -> Text,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    order_lines (order_id, position) {
        order_id -> BigInt,
        position -> BigInt,
        user_id -> BigInt,
        product_id -> BigInt,
        name -> Text,
        unit_price -> BigInt,
        quantity -> BigInt,
    }
}

diesel::table! {
    stock_movements (id) {
        id -> BigInt,
        product_id -> BigInt,
        order_id -> Nullable<BigInt>,
        delta -> BigInt,
        reason -> Text,
        note -> Nullable<Text>,
        actor_id -> Nullable<BigInt>,
        created_at -> BigInt,
    }
}

diesel::table! {
    events (seq) {
        seq -> BigInt,
        kind -> Text,
        order_id -> Nullable<BigInt>,
        product_id -> Nullable<BigInt>,
        user_id -> Nullable<BigInt>,
        actor_id -> Nullable<BigInt>,
        detail -> Text,
        amount -> Nullable<BigInt>,
        at -> BigInt,
    }
}

diesel::table! {
    sales (bucket) {
        bucket -> BigInt,
        orders -> BigInt,
        revenue -> BigInt,
    }
}

diesel::table! {
    order_counts (status) {
        status -> Text,
        orders -> BigInt,
    }
}

diesel::table! {
    product_texts (product_id) {
        product_id -> BigInt,
        folded -> Text,
    }
}

diesel::table! {
    attempts (key) {
        key -> Text,
        tries -> BigInt,
        at -> BigInt,
    }
}

diesel::table! {
    clock_readings (id) {
        id -> BigInt,
        uptime -> BigInt,
        earliest -> BigInt,
    }
}

diesel::table! {
    known_networks (account, network) {
        account -> Text,
        network -> Text,
        is_staff -> Bool,
        at -> BigInt,
    }
}

diesel::table! {
    product_imports (id) {
        id -> BigInt,
        started_at -> BigInt,
        state -> Text,
        last_line -> BigInt,
        actor_id -> Nullable<BigInt>,
        applied_at -> BigInt,
    }
}

diesel::table! {
    product_import_rows (import_id, line) {
        import_id -> BigInt,
        line -> BigInt,
        sku -> Text,
        name -> Nullable<Text>,
        description -> Nullable<Text>,
        price -> Nullable<BigInt>,
        stock -> Nullable<BigInt>,
        weight_grams -> Nullable<BigInt>,
        archived -> Nullable<Bool>,
    }
}

diesel::joinable!(stock -> products (product_id));
diesel::joinable!(product_texts -> products (product_id));
diesel::joinable!(cart_items -> products (product_id));
diesel::allow_tables_to_appear_in_same_query!(
    products,
    stock,
    cart_items,
    product_texts,
    product_import_rows,
);
diesel::allow_tables_to_appear_in_same_query!(orders, order_lines);

diesel::table! {
    idempotency_keys (user_id, path, key) {
        user_id -> BigInt,
        path -> Text,
        key -> Text,
        fingerprint -> Text,
        answer -> Text,
        created_at -> BigInt,
        running_bytes -> BigInt,
    }
}

diesel::table! {
    ledger_checks (kind) {
        kind -> Text,
        at -> BigInt,
        products -> BigInt,
        orders -> BigInt,
        movements -> BigInt,
        discrepancies -> BigInt,
        first -> Text,
    }
}

diesel::table! {
    staff_sessions (digest) {
        digest -> Text,
        user_id -> BigInt,
        session_epoch -> BigInt,
        signed_in_at -> BigInt,
        used_at -> BigInt,
        expires_at -> BigInt,
    }
}

diesel::table! {
    refresh_tokens (digest) {
        digest -> Text,
        family -> Text,
        user_id -> BigInt,
        session_epoch -> BigInt,
        signed_in_at -> BigInt,
        issued_at -> BigInt,
        expires_at -> BigInt,
        used_at -> Nullable<BigInt>,
    }
}
