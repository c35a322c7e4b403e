//! The measurement: every row in turn, in several rounds.

use crate::cpu::{Times, Watch};
use crate::data::{Program, Size, TestShop};
use crate::driver::Driver;
use crate::limit::{self, StaticServer};
use crate::pgbench::{self, Script};
use crate::plan::{
    Act, Basket, CONNECTIONS, EARLIER_ORDERS, MANY_PRODUCTS, Mode, PRODUCTS, Row, Scale, Store,
    warm_up,
};
use crate::requests::{self, Buyers, Work};
use crate::server::{self, Memory, Server};
use crate::{Outcome, console, machine, raw, wrk};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tradepost_test_postgres::Cluster;

/// Results of the measurement.
pub(crate) struct Results {
    pub(crate) machine: String,
    /// One run per round.
    pub(crate) rows: BTreeMap<Row, Vec<Run>>,
    /// One value after each round of a store's rows.
    pub(crate) memory: BTreeMap<Store, Vec<Memory>>,
}

/// A row in one round.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    pub(crate) count: u32,
    pub(crate) micros: u64,
    /// Results over HTTP.
    pub(crate) answers: Option<Answered>,
}

/// Counts and latencies of responses.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answered {
    /// Median latency in microseconds.
    pub(crate) half: u32,
    /// In microseconds.
    pub(crate) p99: u32,
    pub(crate) errors: u32,
    pub(crate) times: Times,
}

impl Run {
    pub(crate) fn of(count: u32, elapsed: Duration, answers: Option<Answered>) -> Self {
        let micros = u64::try_from(elapsed.as_micros())
            .unwrap_or(u64::MAX)
            .max(1);
        Self {
            count,
            micros,
            answers,
        }
    }

    /// Rate per second.
    pub(crate) fn rate(&self) -> u64 {
        u64::from(self.count) * 1_000_000 / self.micros
    }
}

/// The requests to one server in a round.
const ACTS: [Act; 9] = [
    Act::Order(Basket::Spread),
    Act::Order(Basket::One),
    Act::AddToCart,
    Act::Shop,
    Act::ReadCart,
    Act::ShowProduct,
    Act::ShowHeld,
    Act::ShowToAnybody,
    Act::Health,
];

/// State of the whole measurement.
struct Bench<'a> {
    scale: &'a Scale,
    cluster: Cluster,
    buyers: Buyers,
    /// Path of the last cursor page of all orders in the larger shop.
    last_pages: BTreeMap<Store, String>,
    results: Results,
}

/// Runs the whole measurement.
pub(crate) fn measure(scale: &Scale, program: &Path, against: Option<&Path>) -> Outcome<Results> {
    let progress = |step: &str| console::progress(format_args!("{step}"));
    progress("PostgreSQL is started, and the shops are filled ...");
    let cluster = Cluster::with(&[])?;
    let folder = tempfile::Builder::new()
        .prefix("tradepost-bench-")
        .tempdir()?;
    let users = scale.users();
    let size = |products, orders| Size {
        products,
        users,
        orders,
    };
    let sizes = [
        size(PRODUCTS, EARLIER_ORDERS),
        size(MANY_PRODUCTS, scale.many_orders),
    ];
    let mut shops = Vec::new();
    let measured = Program {
        path: program,
        is_compared: false,
    };
    for size in sizes {
        shops.push(TestShop::on_postgres(&cluster, size, &measured)?);
    }
    for size in sizes {
        shops.push(TestShop::on_sqlite(folder.path(), size, &measured)?);
    }
    let mut compared = Vec::new();
    if let Some(path) = against {
        let (is_compared, size) = (true, size(PRODUCTS, EARLIER_ORDERS));
        let old = Program { path, is_compared };
        compared.push(TestShop::on_postgres(&cluster, size, &old)?);
        compared.push(TestShop::on_sqlite(folder.path(), size, &old)?);
    }
    let results = Results {
        machine: machine::describe(&shops, folder.path())?,
        rows: BTreeMap::new(),
        memory: BTreeMap::new(),
    };
    progress(&results.machine);
    let mut bench = Bench {
        scale,
        cluster,
        buyers: Buyers::new(users)?,
        last_pages: BTreeMap::new(),
        results,
    };
    for round in 1..=scale.rounds {
        progress(&format!("Round {round} of {}", scale.rounds));
        // Both sizes one after the other, each on a freshly started server, so that nothing but the
        // size differs.
        for shop in &shops {
            if shop.products == MANY_PRODUCTS {
                bench.serve(shop, &[Act::ListManyProducts])?;
                bench.serve(shop, &[Act::Search, Act::FirstPage, Act::LastPage])?;
            } else {
                bench.serve(shop, &[Act::ListProducts, Act::ListPacked])?;
            }
        }
        for shop in shops.iter().filter(|shop| shop.products == PRODUCTS) {
            bench.round(shop)?;
            if let Some(old) = compared.iter().find(|old| old.store == shop.store) {
                bench.serve(old, &[Act::ListProducts])?;
                bench.serve(old, &ACTS)?;
            }
        }
    }
    Ok(bench.results)
}

impl Bench<'_> {
    /// Each row of a shop but the lists, once.
    fn round(&mut self, shop: &TestShop) -> Outcome<()> {
        let baskets = [Basket::Spread, Basket::One];
        if shop.store == Store::Postgres {
            for basket in baskets {
                let count = match basket {
                    Basket::Spread => self.scale.orders / 2,
                    Basket::One => self.scale.orders_on_one,
                };
                shop.fill_carts(basket, count)?;
                self.one_by_one(shop, Row::OneByOne(basket), Script::Order(basket), count)?;
            }
            shop.empty_carts()?;
            let count = self.scale.orders / 2;
            self.one_by_one(shop, Row::AddOneByOne, Script::AddToCart, count)?;
            let count = self.scale.reads;
            shop.fill_carts(Basket::Spread, count)?;
            for (act, script) in [
                (Act::ListProducts, Script::ListProducts),
                (Act::ShowProduct, Script::ShowProduct),
                (Act::ReadCart, Script::ReadCart),
            ] {
                self.one_by_one(shop, Row::Select(act), script, count)?;
            }
        }
        for basket in baskets {
            shop.fill_carts(basket, self.scale.orders)?;
            let elapsed = raw::run(shop, self.scale.orders)?;
            let run = Run::of(self.scale.orders, elapsed, None);
            self.note(Row::Raw(shop.store, basket), run);
        }
        self.serve(shop, &ACTS)?;
        self.serve(shop, &[Act::ShowUnlogged, Act::HealthUnlogged])?;
        self.serve(shop, &[Act::ShowCounted])
    }

    fn one_by_one(&mut self, shop: &TestShop, row: Row, script: Script, count: u32) -> Outcome<()> {
        let elapsed = pgbench::run(&self.cluster, shop, script, count)?;
        self.note(row, Run::of(count, elapsed, None));
        Ok(())
    }

    /// Starts the server, sends the requests, and stops it. Then exactly the acknowledged orders
    /// must exist, and the ledger audit must pass.
    fn serve(&mut self, shop: &TestShop, acts: &[Act]) -> Outcome<()> {
        let before = shop.orders()?;
        let mode = acts.first().map_or(Mode::Plain, |act| act.mode());
        let server = Server::start(shop, mode)?;
        shop.await_numbered_events()?;
        if acts.contains(&Act::LastPage) && !self.last_pages.contains_key(&shop.store) {
            let last = requests::last_page(server.address, &self.buyers, shop.earlier)?;
            self.last_pages.insert(shop.store, last);
        }
        let watch = Watch::new(shop, Some(server.pid()))?;
        let mut acknowledged = 0;
        for act in acts {
            acknowledged += i64::from(self.ask(shop, &server, &watch, *act)?);
        }
        if !shop.is_compared {
            let memory = server.memory()?;
            let memories = self.results.memory.entry(shop.store);
            memories.or_default().push(memory);
        }
        server.stop()?;
        let there = shop.orders()? - before;
        if there != acknowledged {
            return Err(
                format!("{acknowledged} orders were acknowledged, {there} are there").into(),
            );
        }
        server::verify(shop)
    }

    /// Measures one kind of request; returns the number of acknowledged orders.
    fn ask(&mut self, shop: &TestShop, server: &Server, watch: &Watch, act: Act) -> Outcome<u32> {
        let count = match act {
            Act::Order(_) | Act::AddToCart | Act::Shop => self.scale.orders,
            // A hundred orders in each response, or a scan of all products for it.
            Act::FirstPage | Act::LastPage | Act::Search => self.scale.reads / 10,
            _ => self.scale.reads,
        };
        let carts = count + warm_up(count);
        match act {
            Act::Order(basket) => shop.fill_carts(basket, carts)?,
            Act::AddToCart | Act::Shop => shop.empty_carts()?,
            _ => shop.fill_carts(Basket::Spread, carts)?,
        }
        let last = self.last_pages.get(&shop.store);
        let last = last.map_or("", String::as_str);
        let work = self.buyers.work(act, count, shop.products, last);
        let (run, sent) = send(server.address, &work, watch)?;
        let (store, size) = (shop.store, sent.size);
        if shop.is_compared {
            self.note(Row::Against(store, act), run);
        } else {
            self.note(Row::Http(store, act), run);
            if act.has_limit() {
                self.limit(store, act, server.address, &work, size)?;
            }
        }
        let orders = matches!(act, Act::Order(_) | Act::Shop);
        Ok(if orders { sent.right } else { 0 })
    }

    /// Measures the same requests with a static response of the same size, and both with wrk.
    fn limit(
        &mut self,
        store: Store,
        act: Act,
        address: SocketAddr,
        work: &Work,
        size: usize,
    ) -> Outcome<()> {
        let fixed = StaticServer::start(size)?;
        let moved = work.to(limit::PATH);
        let watch = Watch::of_server(fixed.pid());
        let (run, _) = send(fixed.address, &moved, &watch)?;
        self.note(Row::Static(store, act), run);
        for (row, address, work) in [
            (Row::ByWrk(store, act), address, work),
            (Row::StaticByWrk(store, act), fixed.address, &moved),
        ] {
            if let Some((count, elapsed)) = wrk::run(address, &work.sessions)? {
                self.note(row, Run::of(count, elapsed, None));
            }
        }
        Ok(())
    }

    fn note(&mut self, row: Row, run: Run) {
        console::progress(format_args!("  {}: {}/s", row.name(), run.rate()));
        self.results.rows.entry(row).or_default().push(run);
    }
}

/// The responses of one row.
struct Sent {
    /// Those with the expected status, the warm-up included.
    right: u32,
    /// The size of a body.
    size: usize,
}

/// Sends the requests of one row.
fn send(address: SocketAddr, work: &Work, watch: &Watch) -> Outcome<(Run, Sent)> {
    let mut driver = Driver::connect(address, CONNECTIONS)?;
    let warm = driver.run(&work.before)?;
    let then = watch.read()?;
    let answers = driver.run(&work.sessions)?;
    let times = watch.read()?.since(then);
    if let Some(example) = warm.example.or(answers.example) {
        console::progress(format_args!("{example}"));
    }
    let answered = Answered {
        half: percentile(&answers.latencies, 50),
        p99: percentile(&answers.latencies, 99),
        errors: answers.wrong,
        times,
    };
    let count = u32::try_from(work.sessions.len())?;
    let run = Run::of(count, answers.elapsed, Some(answered));
    let right = warm.right + answers.right;
    Ok((
        run,
        Sent {
            right,
            size: answers.size,
        },
    ))
}

/// Percentile: the value that this many hundredths do not exceed.
fn percentile(ascending: &[u32], hundredths: usize) -> u32 {
    let at = (ascending.len() * hundredths / 100).min(ascending.len().saturating_sub(1));
    ascending.get(at).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_measured_value_or_0_without_any() {
        let hundred: Vec<u32> = (1..=100).collect();
        for (values, hundredths, expected) in [
            (&hundred[..], 50, 51),
            (&hundred, 99, 100),
            (&hundred, 100, 100),
            (&hundred[..1], 50, 1),
            (&[], 50, 0),
        ] {
            assert_eq!(percentile(values, hundredths), expected);
        }
    }
}
