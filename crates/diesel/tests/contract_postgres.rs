//! Contract of the ports, on PostgreSQL.

use std::sync::LazyLock;
use std::time::Duration;
use tradepost_diesel::{DatabaseUrl, Migrator, Missing, OpenOptions, ShopCurrency};
use tradepost_domain::Stores;
use tradepost_test_postgres::Cluster;

/// One server for all cases, and a template database with every migration, copied for each case.
#[expect(clippy::unwrap_used, reason = "a test without a database has failed")]
static SERVER: LazyLock<(Cluster, String)> = LazyLock::new(|| {
    let cluster =
        Cluster::with(&["fsync=off", "full_page_writes=off", "max_connections=400"]).unwrap();
    let template = cluster.database().unwrap();
    let url = DatabaseUrl::parse(&cluster.url(&template)).unwrap();
    Migrator::connect(&url, Missing::Refuse)
        .unwrap()
        .run(|_| ())
        .unwrap();
    (cluster, template)
});

#[expect(clippy::unwrap_used, reason = "a test without a database has failed")]
fn postgres() -> Stores {
    let (cluster, template) = &*SERVER;
    let database = cluster.copy(template).unwrap();
    let options = OpenOptions {
        currency: ShopCurrency::Is(tradepost_contract::usd()),
        readers: 12,
        // The races of the suite share two cores.
        wait: Duration::from_secs(10),
    };
    let url = DatabaseUrl::parse(&cluster.url(&database)).unwrap();
    tradepost_diesel::open(&url, &options).unwrap()
}

tradepost_contract::suite!(postgres);
