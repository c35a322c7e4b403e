//! kill -9 of the server.

use crate::load::Load;
use crate::shop::{Shop, duration, print_line};
use crate::verify::prove;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long a server runs before it is killed: different each time, to hit different phases.
const LIVES: [u64; 5] = [700, 310, 940, 130, 520];

fn is_killed_again_and_again(mut shop: Shop) {
    let load = Load::start(shop.buyers(8));
    let (mut slowest, mut kills) = (Duration::ZERO, 0);
    let began = Instant::now();
    for life in LIVES.iter().cycle() {
        if began.elapsed() > duration() && kills > 2 {
            break;
        }
        sleep(Duration::from_millis(*life));
        shop.kill(0);
        kills += 1;
        if kills == 1 {
            // Before a restart could repair anything.
            shop.verify();
        }
        let killed = Instant::now();
        shop.restart(0);
        slowest = killed.elapsed().max(slowest);
    }
    sleep(Duration::from_millis(300));
    let buyers = load.stop();
    print_line(&format!(
        "kill -9 of the server, {kills} times: started again within {slowest:.0?}"
    ));
    prove(&shop, buyers);
}

#[test]
fn a_server_on_sqlite_is_killed() {
    is_killed_again_and_again(Shop::on_sqlite(&[]));
}

#[test]
fn a_server_on_postgres_is_killed() {
    is_killed_again_and_again(Shop::on_postgres(&[]));
}

/// The other servers are unaffected.
#[test]
fn one_of_three_servers_is_killed() {
    let mut shop = Shop::on_postgres(&[]);
    shop.add_server();
    shop.add_server();
    let load = Load::start(shop.buyers(12));
    let began = Instant::now();
    while began.elapsed() < duration() {
        sleep(Duration::from_millis(500));
        shop.kill(1);
        sleep(Duration::from_millis(500));
        shop.restart(1);
    }
    let buyers = load.stop();
    for buyer in &buyers {
        let refused = buyer.events.iter().find(|event| !event.is_served());
        assert!(buyer.client.server == 1 || refused.is_none(), "{refused:?}");
    }
    print_line("kill -9 of one of three servers");
    prove(&shop, buyers);
}
