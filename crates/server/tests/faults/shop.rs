//! Test support: servers on one database, with a catalogue, staff and customers.

use crate::client::{Addresses, Answer, Client};
use crate::place::{Place, QUICK, Serving};
use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use std::fs::{OpenOptions, read_dir, read_link};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tradepost_test_postgres::Cluster;

/// The asserted bound where a second or two are promised: the promise assumes an idle machine.
pub(crate) const IN_TIME: Duration = Duration::from_secs(30);

/// The opening stock of each product: more than is ever sold.
pub(crate) const OPENING: i64 = 1_000_000;

/// Prices in minor units.
pub(crate) const PRICES: [i64; 2] = [250, 1_999];

/// The signing key that servers on one database share.
pub(crate) const KEY: &str = "a signing key that is long enough for every server of this shop";

/// The password of all users, staff included.
pub(crate) const PASSWORD: &str = "correct horse";

/// How long a fault lasts.
pub(crate) fn duration() -> Duration {
    let seconds = std::env::var("TRADEPOST_FAULT_SECONDS").map_or(3, |text| text.parse().unwrap());
    Duration::from_secs(seconds)
}

/// One test at a time: concurrent ones would measure each other.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Prints a measurement.
#[expect(clippy::print_stderr, reason = "for whoever runs the tests by hand")]
pub(crate) fn print_line(what: &str) {
    eprintln!("   {what}");
}

/// A database name and, if it is not a file, its server.
pub(crate) struct Postgres {
    pub(crate) cluster: Cluster,
    pub(crate) database: String,
}

impl Postgres {
    /// The URL for a client of the test.
    pub(crate) fn url(&self) -> String {
        self.cluster.url(&self.database)
    }

    pub(crate) fn sql(&self, sql: &str) -> String {
        self.cluster.sql(&self.database, sql).unwrap()
    }
}

pub(crate) struct Shop {
    /// `None` for a killed server.
    pub(crate) servers: Vec<Option<Serving>>,
    /// The folder with data and logs.
    pub(crate) place: Place,
    pub(crate) addresses: Addresses,
    url: String,
    options: Vec<String>,
    postgres: Option<Postgres>,
    staff: String,
    pub(crate) products: Vec<i64>,
    _alone: MutexGuard<'static, ()>,
}

impl Shop {
    pub(crate) fn on_sqlite(options: &[&str]) -> Self {
        Self::open("sqlite://shop.db".to_owned(), None, options, alone())
    }

    pub(crate) fn on_postgres(options: &[&str]) -> Self {
        Self::on_postgres_through(options, |url, _| url)
    }

    /// Default connection timeouts, as in production: a busy machine may then fail a start.
    pub(crate) fn on_postgres_with_defaults(options: &[&str]) -> Self {
        Self::on_postgres_through(options, |url, _| url.split_once('?').unwrap().0.to_owned())
    }

    /// The servers connect to the URL that `way` returns from the database's URL and port.
    pub(crate) fn on_postgres_through(
        options: &[&str],
        way: impl FnOnce(String, u16) -> String,
    ) -> Self {
        let alone = alone();
        // As `Cluster::start`; and a transaction that has not committed leaves no trace at a crash,
        // which would otherwise depend on the WAL writer's timing.
        let settings = ["fsync=off", "full_page_writes=off", "wal_writer_delay=10s"];
        let cluster = Cluster::with(&settings).unwrap();
        let database = cluster.database().unwrap();
        let url = way(cluster.url(&database), cluster.port());
        let postgres = Postgres { cluster, database };
        Self::open(url, Some(postgres), options, alone)
    }

    fn open(
        url: String,
        postgres: Option<Postgres>,
        options: &[&str],
        alone: MutexGuard<'static, ()>,
    ) -> Self {
        let mut shop = Self {
            servers: Vec::new(),
            place: Place::new(),
            addresses: Addresses::default(),
            url,
            options: options.iter().map(|&option| option.to_owned()).collect(),
            postgres,
            staff: String::new(),
            products: Vec::new(),
            _alone: alone,
        };
        shop.add_server();
        let here = ["--database", &shop.url, "--data-dir", "data0"];
        shop.place.make_staff(&[&here[..], &QUICK].concat()).well();
        shop.staff = shop.sign_in("ada");
        for price in PRICES {
            let product = shop.new_product(price, OPENING);
            shop.products.push(product);
        }
        shop
    }

    /// Adds a server on the same database; returns the number of servers.
    pub(crate) fn add_server(&mut self) -> usize {
        let server = self.servers.len();
        let serving = self.start(server);
        self.addresses.set(server, &serving.address);
        self.servers.push(Some(serving));
        self.servers.len()
    }

    fn start(&self, server: usize) -> Serving {
        let data = format!("data{server}");
        let mut words = vec!["serve", "--listen", "127.0.0.1:0"];
        if !self
            .options
            .iter()
            .any(|word| word.starts_with("--throttle"))
        {
            words.extend(["--throttle", "off"]);
        }
        words.extend(["--database", &self.url, "--data-dir", &data]);
        words.extend(QUICK);
        words.extend(self.options.iter().map(String::as_str));
        let mut command = self.place.command(&words);
        command.env("TRADEPOST_JWT_SECRET", KEY);
        let mut said = OpenOptions::new();
        let said = said.create(true).append(true);
        let said = said.open(self.place.path("err"));
        self.place.start_into(command, said.unwrap())
    }

    /// kill -9.
    pub(crate) fn kill(&mut self, server: usize) {
        let serving = self.servers[server].take().unwrap();
        serving.signal("KILL");
        serving.end();
    }

    /// Restarts a killed server.
    pub(crate) fn restart(&mut self, server: usize) {
        let serving = self.start(server);
        self.addresses.set(server, &serving.address);
        self.servers[server] = Some(serving);
    }

    /// Runs SQL beside the servers: the first on SQLite, the second on PostgreSQL.
    pub(crate) fn change_schema(&self, [sqlite, postgres]: [&str; 2]) {
        if let Some(server) = &self.postgres {
            server.sql(postgres);
            return;
        }
        let path = self.place.path("shop.db");
        let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        conn.batch_execute(&format!("PRAGMA busy_timeout = 10000; {sqlite}"))
            .unwrap();
    }

    pub(crate) fn postgres(&mut self) -> &mut Postgres {
        self.postgres.as_mut().unwrap()
    }

    /// The log of PostgreSQL.
    pub(crate) fn postgres_log(&self) -> String {
        let postgres = self.postgres.as_ref();
        postgres.map_or_else(String::new, |postgres| postgres.cluster.log())
    }

    /// The output of `tradepost verify`, which must succeed.
    #[track_caller]
    pub(crate) fn verify(&self) -> String {
        let words = ["verify", "--database", &self.url, "--data-dir", "data0"];
        self.place.run(&words).well().trim_end().to_owned()
    }

    pub(crate) fn address(&self, server: usize) -> String {
        self.addresses.of(server)
    }

    pub(crate) fn anonymous(&self) -> Client {
        Client::new(&self.addresses, 0, "")
    }

    pub(crate) fn staff(&self, server: usize) -> Client {
        Client::new(&self.addresses, server, &self.staff)
    }

    /// A client with the token of a customer or staff user.
    pub(crate) fn client(&self, server: usize, token: &str) -> Client {
        Client::new(&self.addresses, server, token)
    }

    pub(crate) fn new_product(&self, price: i64, stock: i64) -> i64 {
        let price = format!("{}.{:02}", price / 100, price % 100);
        let body = format!("{{\"name\": \"Thing\", \"price\": \"{price}\", \"stock\": {stock}}}");
        let made = self.staff(0).post("/api/products/", &body).unwrap();
        made.with(201)["id"].as_i64().unwrap()
    }

    pub(crate) fn stock(&self, product: i64) -> i64 {
        let path = format!("/api/products/{product}/");
        let product = self.anonymous().get(&path).unwrap().with(200);
        product["stock"].as_i64().unwrap()
    }

    /// The tokens of new customers. They sign in one after the other, as sign-ins are bounded.
    pub(crate) fn customers(&self, count: usize) -> Vec<String> {
        let names: Vec<_> = (0..count).map(|number| format!("buyer{number}")).collect();
        self.register("buyer0");
        match &self.postgres {
            // Hashing a password is slow: one hash serves all users.
            Some(postgres) => drop(postgres.sql(&format!(
                "INSERT INTO users (username, username_key, password, is_staff, is_active,
                                    session_epoch, created_at)
                 SELECT 'buyer' || n, 'buyer' || n, password, is_staff, is_active,
                        session_epoch, created_at
                 FROM users, generate_series(1, {}) AS n WHERE username = 'buyer0'",
                count - 1
            ))),
            None => names.iter().skip(1).for_each(|name| self.register(name)),
        }
        names.iter().map(|name| self.sign_in(name)).collect()
    }

    /// Retries while the queue for password hashing is full, which is not the fault under test.
    fn patiently(&self, path: &str, body: &str) -> Answer {
        let began = Instant::now();
        loop {
            let answer = self.anonymous().post(path, body).unwrap();
            if answer.status != 503 {
                return answer;
            }
            assert!(began.elapsed() < 6 * IN_TIME, "{answer:?}");
            sleep(Duration::from_millis(100));
        }
    }

    pub(crate) fn register(&self, name: &str) {
        let body = format!(
            "{{\"username\": \"{name}\", \"email\": \"{name}@example.org\", \"password\": \"{PASSWORD}\"}}"
        );
        let made = self.patiently("/api/register/", &body);
        // Rejected if an earlier attempt created it, whose answer came too late.
        assert!([201, 400].contains(&made.status), "{made:?}");
    }

    pub(crate) fn sign_in(&self, name: &str) -> String {
        let body = format!("{{\"username\": \"{name}\", \"password\": \"{PASSWORD}\"}}");
        let answer = self.patiently("/api-token-auth/", &body);
        answer.with(200)["token"].as_str().unwrap().to_owned()
    }

    /// The number of threads of all servers together.
    pub(crate) fn threads(&self) -> usize {
        let here = self.place.path(".").canonicalize().unwrap();
        let is_ours =
            |process: &PathBuf| read_link(process.join("cwd")).is_ok_and(|folder| folder == here);
        let processes = read_dir("/proc")
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let tasks = processes
            .filter(is_ours)
            .map(|process| process.join("task"));
        tasks
            .map(|tasks| read_dir(tasks).map_or(0, Iterator::count))
            .sum()
    }
}
