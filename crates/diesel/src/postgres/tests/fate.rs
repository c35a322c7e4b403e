//! What became of a commit whose answer is lost.

use super::super::proxy::{Cut, Proxy};
use super::*;
use r2d2::ManageConnection;

#[test]
fn a_commit_whose_answer_is_lost_is_looked_up_and_never_run_again() {
    for cut in [Cut::BeforeCommit, Cut::AfterCommit] {
        let (database, name) = database();
        let stores = Stores::of(database);
        let shop = Shop::new(&stores);
        let mug = shop.product(100, 10);
        let (ada, bob) = (shop.customer("ada"), shop.customer("bob"));
        shop.add(ada, mug, 2).unwrap();
        shop.add(bob, mug, 3).unwrap();
        let proxy = Proxy::start(cut);
        let unlucky = Stores::of(Arc::new(open(&proxy.url(&name))));
        proxy.armed.store(true, Ordering::SeqCst);
        let placements = unlucky.orders.place(&[place(ada), place(bob)]).unwrap();
        assert!(
            !proxy.armed.load(Ordering::SeqCst),
            "the connection was cut"
        );
        assert_eq!(ids(&placements), [ada, bob]);
        assert_eq!((orders(&stores), shop.stock(mug)), (2, 5));
        assert_books(&stores);

        // The same for any other write.
        proxy.armed.store(true, Ordering::SeqCst);
        let command = tradepost_domain::AdjustStock {
            product: mug,
            delta: tradepost_domain::StockDelta::new(4).unwrap(),
            note: None,
            key: None,
            by: None,
            at: tradepost_contract::at(0),
        };
        let adjusted = unlucky
            .products
            .adjust_stock(command)
            .unwrap()
            .unwrap()
            .now()
            .unwrap();
        assert_eq!(adjusted.level.units(), 9);
        assert_eq!(shop.stock(mug), 9);
        assert_books(&stores);
    }
}

/// Which swallows what the others had not committed, and lets their ids be given again.
#[test]
fn a_crash_of_one_process_begins_another_epoch() {
    let cluster = Cluster::start().unwrap();
    let url = DatabaseUrl::parse(&cluster.url("postgres")).unwrap();
    let links = Links::new(&url, Duration::from_secs(2));
    let mut link = links.connect().unwrap();
    assert_eq!(links.connect().unwrap().epoch, link.epoch);
    let pid = diesel::sql_query("SELECT CAST(pg_backend_pid() AS TEXT) AS value");
    let pid = pid.get_result::<Words>(&mut link.conn).unwrap().value;
    let mut kill = std::process::Command::new("kill");
    assert!(
        kill.args(["-KILL", &pid.unwrap()])
            .status()
            .unwrap()
            .success()
    );
    let began = Instant::now();
    let epoch = loop {
        match links.connect() {
            Ok(after) if after.epoch != link.epoch => break after.epoch,
            _ => assert!(began.elapsed() < Duration::from_secs(60), "the same epoch"),
        }
        sleep(Duration::from_millis(50));
    };
    // Date and time.
    let started = |epoch: &str| {
        epoch
            .split(' ')
            .take(2)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(started(&epoch), started(&link.epoch), "the same postmaster");
}
