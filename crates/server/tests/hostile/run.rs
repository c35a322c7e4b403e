//! Rounds of scenes.

use crate::audit::audit;
use crate::check::{check, code, difference};
use crate::draft::{Draft, Request, shown};
use crate::malformed::Malformed;
use crate::page_rules;
use crate::pages::PageRequest;
use crate::random::Random;
use crate::roles::Role;
use crate::scene::{Scene, scene};
use crate::shop::print_line;
use crate::wire::{Answer, Connection, NoAnswer};
use crate::world::World;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;
use tradepost_domain::kernel::Access;
use tradepost_http::table;

/// The default number of scenes per store.
const SCENES: u64 = 2_000;

/// The fixed seed of every test run.
const SEED: u64 = 34;

/// The maximum number of scenes between two audits.
const ROUND: u64 = 10_000;

/// Concurrent clients.
const CLIENTS: usize = 4;

/// Findings after which a run stops.
const ENOUGH: usize = 12;

fn told(variable: &str) -> Option<u64> {
    let text = std::env::var(variable)
        .ok()
        .filter(|text| !text.is_empty())?;
    let number = text.parse();
    Some(number.unwrap_or_else(|_| panic!("{variable} is no number: {text}")))
}

/// Seeds with the numbers of their scenes.
fn plan() -> Vec<(u64, Range<u64>)> {
    let first = told("TRADEPOST_HOSTILE_FIRST").unwrap_or(0);
    let count = told("TRADEPOST_HOSTILE_REQUESTS");
    let numbers = first..first + count.unwrap_or(SCENES);
    let mut seeds: Vec<u64> = told("TRADEPOST_HOSTILE_SEED").into_iter().collect();
    if count.is_none() || seeds.is_empty() {
        seeds.insert(0, SEED);
    }
    seeds.iter().map(|seed| (*seed, numbers.clone())).collect()
}

/// The statistics of a run.
#[derive(Default)]
struct Precondition {
    /// The number of answers per status and code.
    answers: BTreeMap<(u16, String), u64>,
    /// The ids of requests that were answered by a documented 503, of all seeds, as the log is
    /// shared.
    refused: BTreeSet<String>,
    unanswered: u64,
    findings: Vec<String>,
}

struct Run<'a> {
    world: &'a World,
    seed: u64,
    seen: Mutex<Precondition>,
}

impl Run<'_> {
    fn found(&self, number: u64, what: &str, request: &[u8], answer: Option<&Answer>) {
        let mut finding = format!(
            "seed {}, scene {number}: {what}\n  {}",
            self.seed,
            shown(request)
        );
        if let Some(answer) = answer {
            let body = shown(&answer.body);
            write!(
                finding,
                "\n  {} {:?}\n  {body}",
                answer.status, answer.headers
            )
            .unwrap();
        }
        self.seen.lock().unwrap().findings.push(finding);
    }

    fn is_enough(&self) -> bool {
        self.seen.lock().unwrap().findings.len() >= ENOUGH
    }

    fn judge(&self, number: u64, request: &Request, answer: &Answer) {
        let own = self.world.session(request.role).user;
        let wrong = check(request, answer, own);
        if !wrong.is_empty() {
            self.found(number, &wrong.join("; "), &request.bytes, Some(answer));
        }
        self.count(answer);
        self.world.learn(request.role, &request.path, answer);
    }

    fn count(&self, answer: &Answer) {
        let code = if answer.status >= 400 {
            code(answer)
        } else {
            String::new()
        };
        let mut seen = self.seen.lock().unwrap();
        if let (503, Some(id)) = (answer.status, answer.header("x-request-id")) {
            seen.refused.insert(id.to_owned());
        }
        *seen.answers.entry((answer.status, code)).or_default() += 1;
    }

    fn missing(&self, number: u64, request: &Request, why: &NoAnswer) {
        if request.refusable && *why == NoAnswer::Closed {
            self.seen.lock().unwrap().unanswered += 1;
        } else {
            self.found(number, &format!("no answer: {why:?}"), &request.bytes, None);
        }
    }

    /// Sends one request, over the persistent connection if one exists.
    fn ask(&self, number: u64, request: &Request, kept: &mut Option<Connection>) -> Option<Answer> {
        let address = self.world.address();
        let open = kept.take().filter(Connection::is_idle);
        let reused = open.is_some();
        let mut connection = open.unwrap_or_else(|| Connection::open(&address));
        connection.send(&request.bytes);
        if request.closes {
            connection.end_sending();
        }
        let mut answer = connection.read(request.is_head);
        if reused && matches!(answer, Err(NoAnswer::Closed)) {
            // The server may have closed it while the request was in flight.
            connection = Connection::open(&address);
            connection.send(&request.bytes);
            if request.closes {
                connection.end_sending();
            }
            answer = connection.read(request.is_head);
        }
        match answer {
            Ok(answer) => {
                self.judge(number, request, &answer);
                if !request.closes && !answer.is_last() {
                    *kept = Some(connection);
                }
                Some(answer)
            }
            Err(why) => {
                self.missing(number, request, &why);
                None
            }
        }
    }

    fn pipeline(&self, number: u64, requests: &[Request]) {
        let mut connection = Connection::open(&self.world.address());
        let bytes: Vec<u8> = requests
            .iter()
            .flat_map(|request| request.bytes.clone())
            .collect();
        connection.send(&bytes);
        // After a request that the parser may reject, no answer is certain.
        let mut certain = true;
        for (at, request) in requests.iter().enumerate() {
            let mut request = request.clone();
            certain = certain && !request.refusable;
            request.refusable = !certain;
            match connection.read(request.is_head) {
                Ok(answer) => {
                    self.judge(number, &request, &answer);
                    if answer.is_last() {
                        let next = connection.read(false);
                        if !matches!(next, Err(NoAnswer::Closed)) {
                            let found = format!("behind the last answer: {next:?}");
                            self.found(number, &found, &bytes, Some(&answer));
                        }
                        return;
                    }
                }
                Err(why) => {
                    // All requests, with the unanswered one after its number.
                    request.bytes = [format!("({at}) ").as_bytes(), &bytes].concat();
                    return self.missing(number, &request, &why);
                }
            }
        }
    }

    fn malformed(&self, number: u64, malformed: &Malformed) {
        let mut connection = Connection::open(&self.world.address());
        connection.send(&malformed.bytes);
        connection.end_sending();
        let mut count = 0;
        let unknown = Request {
            role: Role::Anonymous,
            entry: &table()[0],
            path: String::new(),
            bytes: malformed.bytes.clone(),
            is_head: false,
            accepts: Vec::new(),
            request_ids: Vec::new(),
            untouched: false,
            refusable: true,
            closes: true,
        };
        loop {
            match connection.read(false) {
                Ok(answer) => {
                    count += 1;
                    self.judge(number, &unknown, &answer);
                }
                Err(NoAnswer::Closed) => break,
                Err(why) => return self.missing(number, &unknown, &why),
            }
        }
        if count > malformed.most {
            self.found(number, &format!("{count} answers"), &malformed.bytes, None);
        }
    }

    fn page(&self, number: u64, page: &PageRequest, kept: &mut Option<Connection>) {
        let Some(answer) = self.ask(number, &page.request, kept) else {
            return;
        };
        let wrong = page_rules::check(page, &answer);
        if !wrong.is_empty() {
            let bytes = &page.request.bytes;
            self.found(number, &wrong.join("; "), bytes, Some(&answer));
        }
    }

    fn play(&self, number: u64, kept: &mut Option<Connection>) {
        match scene(self.seed, number, self.world) {
            Scene::One(request) => drop(self.ask(number, &request, kept)),
            Scene::Twins(theirs, absent) => {
                let pair = (
                    self.ask(number, &theirs, kept),
                    self.ask(number, &absent, kept),
                );
                let (Some(one), Some(other)) = pair else {
                    return;
                };
                let passing = |answer: &Answer| [429, 503].contains(&answer.status);
                if passing(&one) || passing(&other) {
                    return;
                }
                if let Some(difference) = difference(&one, &other) {
                    self.found(number, &difference, &theirs.bytes, None);
                }
            }
            Scene::Pipeline(requests) => self.pipeline(number, &requests),
            Scene::Malformed(bytes) => self.malformed(number, &bytes),
            Scene::Page(page) => self.page(number, &page, kept),
        }
    }

    fn round(&self, numbers: Range<u64>) {
        let next = AtomicU64::new(numbers.start);
        thread::scope(|scope| {
            for _ in 0..CLIENTS {
                scope.spawn(|| {
                    let mut kept = None;
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= numbers.end || self.is_enough() {
                            return;
                        }
                        self.play(number, &mut kept);
                    }
                });
            }
        });
    }

    /// Prints the counts of answers since the last report.
    fn report(&self, began: Instant) {
        let mut seen = self.seen.lock().unwrap();
        let answers = std::mem::take(&mut seen.answers);
        let sum: u64 = answers.values().sum();
        let answers = answers.iter();
        let answers = answers.map(|((status, code), count)| format!("{status} {code} x{count}"));
        let answers = answers.collect::<Vec<_>>().join(", ");
        print_line(&format!(
            "{sum} answers in {:.0?}, and {} requests that need none: {answers}",
            began.elapsed(),
            std::mem::take(&mut seen.unanswered)
        ));
    }

    /// Ends the run at a finding; see [`audit`].
    fn audit(&self) {
        let seen = self.seen.lock().unwrap();
        assert!(seen.findings.is_empty(), "{}", seen.findings.join("\n\n"));
        audit(self.world, &|id| seen.refused.contains(id));
    }
}

/// Every route accepts a valid request of an allowed role, before any mutation: otherwise a mutated
/// request could be rejected for another reason than its mutation.
fn tour(run: &Run<'_>) {
    for (number, entry) in table().iter().enumerate() {
        let role = match (entry.access(), entry.path()) {
            // A changed password, and the end of a session.
            (Access::Customer, "/api/users/me/password/") => Role::Volatile,
            (Access::Staff, _) => Role::Staff,
            _ => Role::Customer,
        };
        refill(run.world);
        // Several attempts, as some valid bodies are wrong on purpose: a wrong password, a stale
        // token.
        let succeeded = (0..40).any(|turn| {
            let number = u64::try_from(number).unwrap();
            let mut random = Random::new(number * 1_000 + turn);
            let request = Draft::valid(entry, role, number, &mut random, run.world);
            let answer = run.ask(number, &request.finish(run.world), &mut None);
            answer.is_some_and(|answer| answer.status < 400)
        });
        let (method, path) = (entry.method(), entry.path());
        assert!(succeeded, "no request for {method} {path} succeeds");
    }
}

/// The customer gets a cart line and an order.
fn refill(world: &World) {
    let mut client = world.shop.client(0, &world.session(Role::Customer).token);
    for path in ["/api/cart/", "/api/orders/", "/api/cart/"] {
        let body = if path == "/api/cart/" {
            "{\"product_id\": 13}"
        } else {
            "{}"
        };
        let made = client.post(path, body).unwrap().with(201);
        let answer = Answer {
            status: 201,
            body: serde_json::to_vec(&made).unwrap(),
            ..Answer::default()
        };
        world.learn(Role::Customer, path, &answer);
    }
}

/// Determinism: a scene is the same each time, and differs for another number or seed.
fn scenes_repeat(world: &World) {
    let told = |seed, number| format!("{:?}", scene(seed, number, world));
    for number in 0..100 {
        assert_eq!(told(SEED, number), told(SEED, number));
    }
    let all = (0..50).flat_map(|number| [told(SEED, number), told(SEED + 1, number)]);
    let different: BTreeSet<_> = all.collect();
    assert!(different.len() > 90, "{} of 100 scenes", different.len());
}

fn hold_out(world: &World) {
    let mut run = Run {
        world,
        seed: 0,
        seen: Mutex::default(),
    };
    tour(&run);
    scenes_repeat(world);
    for (seed, numbers) in plan() {
        print_line(&format!("seed {seed}, scenes {numbers:?}"));
        run.seed = seed;
        let began = Instant::now();
        let length = (numbers.end - numbers.start).div_ceil(2).clamp(1, ROUND);
        let mut first = numbers.start;
        while first < numbers.end {
            run.round(first..numbers.end.min(first + length));
            run.audit();
            first += length;
        }
        run.report(began);
    }
}

#[test]
fn a_shop_on_sqlite_holds_out() {
    hold_out(&World::on_sqlite());
}

#[test]
fn a_shop_on_postgres_holds_out() {
    hold_out(&World::on_postgres());
}
