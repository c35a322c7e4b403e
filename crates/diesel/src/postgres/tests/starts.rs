//! Checks when a database is opened.

use super::*;

#[test]
fn a_failed_start_reports_its_cause_within_seconds() {
    let url = |url: String| DatabaseUrl::parse(&url).unwrap();
    let good = SERVER.0.url("postgres");
    for (url, words) in [
        (
            good.replace("throwaway", "wrong"),
            "password authentication failed",
        ),
        (
            SERVER.0.url("nowhere"),
            "database \"nowhere\" does not exist",
        ),
        (good.replace(&SERVER.0.port().to_string(), "1"), "refused"),
        (
            good.replace("127.0.0.1", "no-such-host.invalid"),
            "no-such-host.invalid",
        ),
    ]
    .map(|(address, words)| (url(address), words))
    {
        let began = Instant::now();
        let Err(error) = Database::open(&url, &options()) else {
            panic!("{words}")
        };
        assert!(error.to_string().contains(words), "{error}");
        assert!(!error.to_string().contains("throwaway"), "{error}");
        assert!(began.elapsed() < Duration::from_secs(5));
    }
    sql(
        "postgres",
        "CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0",
    );
    let Err(error) = Database::open(&url(SERVER.0.url("latin")), &options()) else {
        panic!()
    };
    assert!(matches!(error, OpenError::NotUtf8 { .. }), "{error}");
}

#[test]
fn servers_that_start_at_once_all_come_up() {
    let (cluster, _) = &*SERVER;
    let name = cluster.database().unwrap();
    let url = DatabaseUrl::parse(&cluster.url(&name)).unwrap();
    let applied: usize = thread::scope(|scope| {
        let start = || {
            let mut count = 0;
            let mut migrator = crate::Migrator::connect(&url, Missing::Refuse).unwrap();
            migrator.run(|_| count += 1).unwrap();
            let stores = crate::open(&url, &options()).unwrap();
            assert_eq!(
                stores
                    .products
                    .list(&ProductList::default(), tradepost_contract::first_page())
                    .unwrap()
                    .count,
                0
            );
            count
        };
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(start)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    });
    let migrations = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations/postgres");
    let migrations = std::fs::read_dir(migrations).unwrap().count();
    assert_eq!(applied, migrations);
}
