//! The measurements, and their size.

/// Size of the measurement.
pub(crate) struct Scale {
    /// Number of measurements of each row; the rows take turns.
    pub(crate) rounds: u32,
    /// Requests or orders in a round of most rows.
    pub(crate) orders: u32,
    /// Orders that pgbench places in single transactions for one product, which is slow.
    pub(crate) orders_on_one: u32,
    /// Requests in a round of a read-only row.
    pub(crate) reads: u32,
    /// Earlier orders of the shop with many products.
    pub(crate) many_orders: u32,
}

impl Scale {
    pub(crate) const FULL: Self = Self {
        rounds: 5,
        orders: 20_000,
        orders_on_one: 4_000,
        reads: 20_000,
        many_orders: 1_000_000,
    };
    /// For a quick check: under three minutes.
    pub(crate) const QUICK: Self = Self {
        rounds: 3,
        orders: 4_000,
        orders_on_one: 1_600,
        reads: 4_000,
        many_orders: 50_000,
    };

    /// Number of buyers: each places one order in a round of a row. Some are for warming up.
    pub(crate) fn users(&self) -> u32 {
        let most = self.orders.max(self.reads);
        most + warm_up(most)
    }
}

/// Number of warm-up requests, which do not count: they open connections and prepare statements, as
/// in a shop that has been open for a minute.
pub(crate) const fn warm_up(requests: u32) -> u32 {
    requests / 20
}

/// Products in the shop of most rows.
pub(crate) const PRODUCTS: u32 = 1_000;
/// Products in the shop that shows the cost of a large catalogue.
pub(crate) const MANY_PRODUCTS: u32 = 100_000;
/// Earlier orders of the other shops.
pub(crate) const EARLIER_ORDERS: u32 = 50_000;
/// Rows per cursor page; the number of rows is a multiple of it.
pub(crate) const WALKED: u32 = 100;
/// Connections of the load generator.
pub(crate) const CONNECTIONS: usize = 64;
/// Orders in a raw batch: the server's maximum.
pub(crate) const BATCH: usize = 64;
/// Connections of pgbench.
pub(crate) const PGBENCH_CLIENTS: u32 = 16;

/// The two databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Store {
    Postgres,
    Sqlite,
}

/// Content of the carts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Basket {
    /// Two products, spread over the catalogue.
    Spread,
    /// One product, the same in every cart.
    One,
}

impl Row {
    /// The label of the row: measurement and variant.
    pub(crate) fn name(self) -> String {
        match self {
            Self::OneByOne(basket) => format!("pgbench, orders one by one, {}", basket.name()),
            Self::AddOneByOne => "pgbench, lines added to carts".to_owned(),
            Self::Select(act) => format!("pgbench -S, {}", act.name()),
            Self::Raw(store, basket) => {
                format!(
                    "raw batches of {BATCH}, {}, {}",
                    store.name(),
                    basket.name()
                )
            }
            Self::Static(store, act) => {
                format!("static response, beside {}, {}", store.name(), act.name())
            }
            Self::Http(store, act) => format!("HTTP, {}, {}", store.name(), act.name()),
            Self::Against(store, act) => {
                format!("compared binary, {}, {}", store.name(), act.name())
            }
            Self::StaticByWrk(store, act) => {
                format!(
                    "wrk, static response, beside {}, {}",
                    store.name(),
                    act.name()
                )
            }
            Self::ByWrk(store, act) => format!("wrk, {}, {}", store.name(), act.name()),
        }
    }
}

impl Store {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL",
            Self::Sqlite => "SQLite",
        }
    }
}

impl Basket {
    fn name(self) -> &'static str {
        match self {
            Self::Spread => "spread",
            Self::One => "one product",
        }
    }
}

impl Act {
    fn name(self) -> String {
        match self {
            Self::Order(basket) => format!("orders, {}", basket.name()),
            Self::AddToCart => "lines added to carts".to_owned(),
            Self::Shop => "shopping sessions".to_owned(),
            Self::ReadCart => "carts read".to_owned(),
            Self::ListProducts => format!("product list, {PRODUCTS}"),
            Self::ListManyProducts => format!("product list, {MANY_PRODUCTS}"),
            Self::ShowProduct => "product detail".to_owned(),
            Self::ShowHeld => "product detail, 304".to_owned(),
            Self::ShowToAnybody => "product detail, not signed in".to_owned(),
            Self::ShowCounted => "product detail, signed in and counted".to_owned(),
            Self::Health => "/healthz".to_owned(),
            Self::ListPacked => format!("product list, {PRODUCTS}, gzip"),
            Self::ShowUnlogged => "product detail, no access log".to_owned(),
            Self::HealthUnlogged => "/healthz, no access log".to_owned(),
            Self::Search => format!("search of {MANY_PRODUCTS} products"),
            Self::FirstPage => "orders by cursor, first page".to_owned(),
            Self::LastPage => "orders by cursor, last page".to_owned(),
        }
    }
}

/// A kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Act {
    Order(Basket),
    AddToCart,
    /// A shopping session: two additions to the cart, a read of the cart, and the order.
    Shop,
    ReadCart,
    ListProducts,
    ShowProduct,
    /// In the shop with many products, as the next one.
    ListManyProducts,
    /// A word that about twenty products have.
    Search,
    /// First page of all orders, sorted by total.
    FirstPage,
    LastPage,
    /// With the current `ETag` in If-None-Match.
    ShowHeld,
    /// Without a token.
    ShowToAnybody,
    /// By a few recurring users, from a server with rate limits.
    ShowCounted,
    /// The health check: a response without a query.
    Health,
    /// A page of products for a client that accepts gzip.
    ListPacked,
    /// A product detail from a server without an access log, as the next one.
    ShowUnlogged,
    HealthUnlogged,
}

impl Act {
    /// Whether it is compared with a static response of the same size.
    pub(crate) fn has_limit(self) -> bool {
        use Act::{Health, ListProducts, ReadCart, ShowProduct, ShowToAnybody};
        [Health, ListProducts, ReadCart, ShowProduct, ShowToAnybody].contains(&self)
    }

    /// How its server is started.
    pub(crate) fn mode(self) -> Mode {
        match self {
            Self::ShowCounted => Mode::Counted,
            Self::ShowUnlogged | Self::HealthUnlogged => Mode::Unlogged,
            _ => Mode::Plain,
        }
    }
}

/// The settings of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// With the access log, and without rate limits.
    Plain,
    /// With rate limits as well.
    Counted,
    /// Without the access log.
    Unlogged,
}

/// A row of the table, in the order of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Row {
    /// pgbench places orders in single transactions.
    OneByOne(Basket),
    /// pgbench adds lines to carts.
    AddOneByOne,
    /// pgbench runs the queries of a request.
    Select(Act),
    /// The statements of a batch over one connection, and nothing else.
    Raw(Store, Basket),
    /// A static response of the same size from actix-web.
    Static(Store, Act),
    /// The server over HTTP.
    Http(Store, Act),
    /// The binary that it is compared with.
    Against(Store, Act),
    /// The static response, requested by wrk.
    StaticByWrk(Store, Act),
    /// The server, requested by wrk.
    ByWrk(Store, Act),
}

/// A required ratio.
pub(crate) struct Goal {
    pub(crate) of: Row,
    pub(crate) to: Row,
    /// Minimum, in hundredths.
    pub(crate) least: u64,
}

const fn order(store: Store, basket: Basket) -> Row {
    Row::Http(store, Act::Order(basket))
}

const fn goal(of: Row, to: Row, least: u64) -> Goal {
    Goal { of, to, least }
}

/// Every required ratio of rates. Rows that were not measured have none: those of wrk, if it is not
/// installed, and of a compared binary.
#[rustfmt::skip]
pub(crate) const GOALS: [Goal; 47] = {
    use {Act::{AddToCart, FirstPage, Health, LastPage, ListManyProducts, ListProducts, ReadCart}};
    use {Act::{Search, ShowCounted, ShowHeld, ShowProduct, ShowToAnybody, ShowUnlogged}};
    use {Act::{HealthUnlogged, Shop}, Basket::{One, Spread}};
    use {Row::{AddOneByOne, Against, ByWrk, Http, OneByOne, Raw, Select, Static, StaticByWrk}};
    use Store::{Postgres, Sqlite};
    [
        goal(order(Postgres, Spread),        OneByOne(Spread),             350),
        goal(order(Postgres, One),           OneByOne(One),                1_400),
        goal(order(Postgres, Spread),        Raw(Postgres, Spread),        50),
        goal(order(Sqlite, Spread),          Raw(Sqlite, Spread),          40),
        goal(order(Sqlite, One),             Raw(Sqlite, One),             40),
        goal(Http(Postgres, AddToCart),      AddOneByOne,                  200),
        goal(Http(Postgres, ListManyProducts), Http(Postgres, ListProducts), 90),
        goal(Http(Sqlite, ListManyProducts), Http(Sqlite, ListProducts),   90),
        goal(Http(Sqlite, ListProducts),     Http(Sqlite, Health),         20),
        goal(Http(Sqlite, ShowProduct),      Http(Sqlite, Health),         20),
        goal(Http(Sqlite, ReadCart),         Http(Sqlite, Health),         20),
        goal(Http(Postgres, ListProducts),   Select(ListProducts),         50),
        goal(Http(Postgres, ShowProduct),    Select(ShowProduct),          50),
        goal(Http(Postgres, ReadCart),       Select(ReadCart),             50),
        goal(Http(Postgres, ShowHeld),       Http(Postgres, ShowProduct),  100),
        goal(Http(Sqlite, ShowHeld),         Http(Sqlite, ShowProduct),    100),
        goal(Http(Postgres, Search),         Http(Postgres, ListManyProducts), 10),
        goal(Http(Sqlite, Search),           Http(Sqlite, ListManyProducts), 10),
        goal(Http(Postgres, LastPage),       Http(Postgres, FirstPage),    90),
        goal(Http(Sqlite, LastPage),         Http(Sqlite, FirstPage),      90),
        goal(Http(Postgres, ShowCounted),    Http(Postgres, ShowToAnybody), 85),
        goal(Http(Sqlite, ShowCounted),      Http(Sqlite, ShowToAnybody),  85),
        goal(Http(Postgres, Health),         Static(Postgres, Health),     75),
        goal(Http(Sqlite, Health),           Static(Sqlite, Health),       75),
        goal(Http(Postgres, ShowProduct),    Static(Postgres, ShowProduct), 55),
        goal(Http(Sqlite, ShowProduct),      Static(Sqlite, ShowProduct),  55),
        goal(Http(Postgres, ShowToAnybody),  Static(Postgres, ShowToAnybody), 55),
        goal(Http(Sqlite, ShowToAnybody),    Static(Sqlite, ShowToAnybody), 55),
        goal(Http(Postgres, ListProducts),   Static(Postgres, ListProducts), 50),
        goal(Http(Sqlite, ListProducts),     Static(Sqlite, ListProducts), 50),
        goal(Http(Postgres, ReadCart),       Static(Postgres, ReadCart),   45),
        goal(Http(Sqlite, ReadCart),         Static(Sqlite, ReadCart),     45),
        goal(ByWrk(Postgres, Health),        StaticByWrk(Postgres, Health), 75),
        goal(ByWrk(Sqlite, Health),          StaticByWrk(Sqlite, Health),  75),
        goal(ByWrk(Postgres, ShowProduct),   StaticByWrk(Postgres, ShowProduct), 55),
        goal(ByWrk(Sqlite, ShowProduct),     StaticByWrk(Sqlite, ShowProduct), 55),
        goal(ByWrk(Postgres, ListProducts),  StaticByWrk(Postgres, ListProducts), 50),
        goal(ByWrk(Sqlite, ListProducts),    StaticByWrk(Sqlite, ListProducts), 50),
        goal(ByWrk(Postgres, ReadCart),      StaticByWrk(Postgres, ReadCart), 45),
        goal(ByWrk(Sqlite, ReadCart),        StaticByWrk(Sqlite, ReadCart), 45),
        goal(Http(Postgres, Health),         Http(Postgres, HealthUnlogged), 95),
        goal(Http(Sqlite, Health),           Http(Sqlite, HealthUnlogged), 95),
        goal(Http(Postgres, ShowProduct),    Http(Postgres, ShowUnlogged), 95),
        goal(Http(Sqlite, ShowProduct),      Http(Sqlite, ShowUnlogged),   95),
        goal(Http(Postgres, AddToCart),      Against(Postgres, AddToCart), 300),
        goal(Http(Postgres, Shop),           Against(Postgres, Shop),      250),
        goal(order(Sqlite, Spread),          Against(Sqlite, Act::Order(Spread)), 170),
    ]
};

/// Maximum of p99 as a multiple of p50 for orders and additions to carts, in hundredths.
pub(crate) const MOST_TAIL: u64 = 400;
/// Maximum resident memory of a server, in kilobytes.
pub(crate) const MOST_MEMORY: u64 = 64_000;
