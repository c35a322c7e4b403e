//! Quotas that clients cannot multiply: request costs, and the rows that one user can create.

use crate::support::{App, PASSWORD, PlainHasher, Reply, memory, settings};
use actix_web::http::Method;
use serde_json::{Value, json};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Instant;
use tradepost_domain::inventory::StockWrites;
use tradepost_domain::orders::OrderQuota;
use tradepost_http::{Settings, Throttling};

const HERE: &str = "192.0.2.1:4000";

fn rates(user: u32, address: u32, network: u32) -> Settings {
    Settings {
        throttling: Some(Throttling {
            user,
            address,
            network,
        }),
        allowed_origins: vec!["https://front.example.org".to_owned()],
        ..settings()
    }
}

/// The units that a bucket of this quota gives since a time: its capacity, and the refill since.
fn given(quota: usize, since: Instant) -> RangeInclusive<usize> {
    let millis = usize::try_from(since.elapsed().as_millis()).unwrap();
    quota..=quota + quota * millis / 60_000 + 1
}

/// The number of these requests that were admitted, and the bucket that refused the next one.
async fn admitted(calls: usize, mut call: impl AsyncFnMut(usize) -> Reply) -> (usize, String) {
    let (mut admitted, mut refused) = (0, String::new());
    for number in 0..calls {
        let reply = call(number).await;
        if reply.status != 429 {
            admitted += 1;
        } else if refused.is_empty() {
            let field = reply.header("ratelimit");
            refused = field
                .split(';')
                .next()
                .unwrap()
                .trim_matches('"')
                .to_owned();
        }
    }
    (admitted, refused)
}

#[actix_web::test]
async fn an_expensive_search_costs_tens_of_plain_pages() {
    let app = App::with(memory(), rates(100, 100, 1_000)).await;
    let began = Instant::now();
    let expensive = |number: usize| {
        format!(
            "/api/products/?search=e&ordering=stock,name&page=1&page_size=100&min_price=0.{:02}",
            number + 10
        )
    };
    let (searches, by) =
        admitted(40, async |number| app.get(&expensive(number)).send().await).await;
    assert_eq!((searches, &*by), (2, "address"));
    // 24 units are left for plain pages, and for an invalid request.
    let wrong = app.get("/api/products/?page_size=none").send().await;
    wrong.expect(400, "invalid");
    let (pages, _) = admitted(200, async |_| app.get("/api/products/").send().await).await;
    assert!(given(99, began).contains(&(2 * 38 + pages)), "{pages}");
    // A user's requests cost the same, as do those for the head alone.
    let ada = app.customer("ada");
    let (searches, by) = admitted(40, async |number| {
        let path = expensive(number);
        app.call(Method::HEAD, &path).token(&ada).send().await
    })
    .await;
    assert_eq!((searches, &*by), (2, "user"));
}

/// Each change of the password gives a new session, but no new bucket.
#[actix_web::test]
async fn a_new_session_has_no_bucket_of_its_own() {
    let began = Instant::now();
    let app = App::with(memory(), rates(60, 1_000, 1_000)).await;
    let mut token = app.customer("ada");
    let (mut pages, mut sessions) = (0, 1);
    for round in 0..8 {
        for _ in 0..10 {
            let reply = app.get("/api/users/me/").token(&token).send().await;
            pages += usize::from(reply.status == 200);
        }
        let (current, new) = (password(round), password(round + 1));
        let change = json!({"current_password": current, "new_password": new});
        let changing = app.post("/api/users/me/password/").token(&token);
        if changing.json(&change).await.status != 204 {
            break;
        }
        app.clock.advance(1);
        let body = json!({"username": "ada", "password": new});
        let signed_in = app.post("/api-token-auth/").json(&body).await;
        let signed_in = signed_in.expect_status(200).json();
        token = signed_in["token"].as_str().unwrap().to_owned();
        sessions += 1;
    }
    assert!(sessions >= 3, "{sessions}");
    // From any address.
    let (more, by) = admitted(200, async |number| {
        let peer = format!("192.0.2.{number}:1");
        let call = app.get("/api/users/me/").token(&token);
        call.peer(&peer).send().await
    })
    .await;
    // The address paid for the changes of the password.
    let units = pages + more;
    assert!(given(60, began).contains(&units), "{units}");
    assert_eq!(by, "user");
}

fn password(round: usize) -> String {
    match round {
        0 => PASSWORD.to_owned(),
        _ => format!("another horse {round}"),
    }
}

#[actix_web::test]
async fn the_users_of_a_network_share_a_bound() {
    let sites = [
        // One IPv4 address; and an IPv6 site with another network for each request.
        |_: usize| HERE.to_owned(),
        |number: usize| format!("[2001:db8:1:{number:x}::1]:4000"),
    ];
    for peer in sites {
        let app = App::with(memory(), rates(10, 10, 50)).await;
        let began = Instant::now();
        let users: Vec<String> = (0..8)
            .map(|number| app.customer(&format!("user{number}")))
            .collect();
        let (pages, by) = admitted(80, async |number| {
            let call = app.get("/api/cart/").token(&users[number % 8]);
            call.peer(&peer(number)).send().await
        })
        .await;
        assert_eq!(&*by, "network", "{}", peer(1));
        // Anonymous requests share it too, and other networks have their own.
        let (anonymous, by) = admitted(20, async |number| {
            app.get("/api/").peer(&peer(number)).send().await
        })
        .await;
        assert_eq!(&*by, "network");
        assert!(given(50, began).contains(&(pages + anonymous)), "{pages}");
        let elsewhere = app.get("/api/").peer("[2001:db8:2::1]:4000");
        elsewhere.send().await.expect_status(200);
    }
}

/// Requests that the user's own bucket refuses take nothing from the network's.
#[actix_web::test]
async fn a_user_over_the_limit_takes_nothing_from_the_network() {
    let began = Instant::now();
    let app = App::with(memory(), rates(10, 10, 25)).await;
    let (ada, bob) = (app.customer("ada"), app.customer("bob"));
    let ask = async |token: &str| app.get("/api/cart/").token(token).send().await;
    let (adas, _) = admitted(100, async |_| ask(&ada).await).await;
    let (forged, _) = admitted(100, async |_| ask("forged").await).await;
    for own in [adas, forged] {
        assert!(given(10, began).contains(&own), "{own}");
    }
    let (bobs, _) = admitted(100, async |_| ask(&bob).await).await;
    assert!(bobs >= 1, "{adas} and {forged} have taken all");
    let all = adas + forged + bobs;
    assert!(all <= *given(25, began).end(), "{all}");
}

#[actix_web::test]
async fn refused_hosts_and_preflights_are_counted() {
    let app = App::with(memory(), rates(100, 10, 100)).await;
    let preflight = |origin: &'static str, peer: &str| {
        app.call(Method::OPTIONS, "/api/orders/")
            .peer(peer)
            .header("Origin", origin)
            .header("Access-Control-Request-Method", "POST")
    };
    let (front, evil) = ("https://front.example.org", "https://evil.example.org");
    let host = |peer: &str| app.get("/api/").peer(peer).host(Some("elsewhere"));
    let (began, mut answers) = (Instant::now(), Vec::new());
    for (at, kind) in ["host", "granted", "refused"].into_iter().enumerate() {
        let peer = format!("192.0.2.{at}:1");
        let (answered, by) = admitted(40, async |_| match kind {
            "host" => host(&peer).send().await,
            "granted" => preflight(front, &peer).send().await,
            _ => preflight(evil, &peer).send().await,
        })
        .await;
        assert_eq!(&*by, "address", "{kind}");
        assert!(given(10, began).contains(&answered), "{kind}: {answered}");
        answers.push(answered);
    }
    let metrics = app.get("/metrics").send().await;
    let text = metrics.text();
    let granted =
        "tradepost_http_requests_total{route=\"unmatched\",method=\"OPTIONS\",status=\"2xx\"}";
    for line in [
        format!("{granted} {}", answers[1]),
        format!("tradepost_errors_total{{code=\"bad_host\"}} {}", answers[0]),
        format!(
            "tradepost_throttled_requests_total{{by=\"address\"}} {}",
            3 * 40 - answers.iter().sum::<usize>()
        ),
    ] {
        assert!(text.contains(&line), "{line}: {text}");
    }
    // Probes are never counted, for any host.
    for _ in 0..20 {
        let probe = app
            .get("/healthz")
            .peer("192.0.2.0:1")
            .host(Some("elsewhere"));
        probe.send().await.expect_status(200);
    }
}

#[actix_web::test]
async fn orders_have_a_quota_and_say_when_there_is_another() {
    let quota = OrderQuota { open: 2, hourly: 5 };
    let app = App::adjusted(memory(), settings(), Arc::new(PlainHasher), |mut shop| {
        shop.orders = shop.orders.with_quota(Some(quota));
        shop
    })
    .await;
    let (staff, ada) = (app.staff("boss"), app.customer("ada"));
    let product = app.product(&staff, "1.00", 99).await;
    let place = async |key: &str| {
        let call = app.post("/api/orders/").token(&ada);
        call.header("Idempotency-Key", key).json(&json!({})).await
    };
    let mut placed = Vec::new();
    for key in ["a", "b"] {
        app.fill(&ada, product, 1).await;
        placed.push(place(key).await.expect_status(201));
    }
    app.fill(&ada, product, 1).await;
    let refused = place("c").await;
    assert_eq!(refused.header("retry-after"), "3600");
    refused.expect(429, "too_many_orders");
    // A replay is answered, and the cart is left unchanged.
    let again = place("a").await.expect_status(201);
    assert_eq!(again.text(), placed[0].text());
    // Order-and-cancel ends as well: cancelled orders count towards the quota of the hour.
    let cancel = json!({"status": "cancelled"});
    let mut orders = 2;
    let refused = loop {
        for id in 1..=orders {
            let path = format!("/api/orders/{id}/");
            app.patch(&path)
                .token(&ada)
                .json(&cancel)
                .await
                .expect_status(200);
        }
        app.clock.advance(60);
        let reply = place(&format!("more{orders}")).await;
        if reply.status != 201 {
            break reply;
        }
        orders += 1;
        app.fill(&ada, product, 1).await;
    };
    assert_eq!(orders, 5);
    assert_eq!(refused.header("retry-after"), (3_600 - 4 * 60).to_string());
    refused.expect(429, "too_many_orders");
    app.clock.advance(3_600 - 4 * 60);
    let ada = app.shop.accounts.sign_in("ada", PASSWORD).unwrap().token;
    let later = app.post("/api/orders/").token(&ada);
    later.json(&json!({})).await.expect_status(201);
}

async fn strict() -> App {
    App::adjusted(memory(), settings(), Arc::new(PlainHasher), |mut shop| {
        shop.catalogue = shop.catalogue.with_stock_writes(StockWrites::Strict);
        shop
    })
    .await
}

fn full(stock: Value) -> Value {
    json!({"name": "Tea mug", "price": "2.00", "stock": stock})
}

/// A form that was loaded before a sale would restore the sold units.
#[actix_web::test]
async fn strict_stock_writes_stop_stale_forms() {
    let app = strict().await;
    let (staff, ada) = (app.staff("boss"), app.customer("ada"));
    let product = app.product(&staff, "2.00", 10).await;
    let path = format!("/api/products/{product}/");
    let form = app.get(&path).token(&staff).send().await;
    let read = form.header("etag").to_owned();
    app.order(&ada, product, 7).await;
    let before = app.snapshot(&staff, &ada).await;
    let stale = full(form.json()["stock"].clone());
    app.put(&path)
        .token(&staff)
        .json(&stale)
        .await
        .expect(428, "precondition_required");
    for patch in [json!({"stock": 10}), json!({"stock": 3, "name": "Cup"})] {
        let reply = app.patch(&path).token(&staff).json(&patch).await;
        reply.expect(428, "precondition_required");
    }
    // A wildcard names no version.
    let any = app.put(&path).token(&staff).header("If-Match", "*");
    any.json(&stale).await.expect(428, "precondition_required");
    let old = app.put(&path).token(&staff).header("If-Match", &read);
    old.json(&stale).await.expect(412, "precondition_failed");
    // 403 takes precedence.
    app.put(&path)
        .token(&ada)
        .json(&stale)
        .await
        .expect(403, "forbidden");
    assert_eq!(app.snapshot(&staff, &ada).await, before);

    let now = app.get(&path).token(&staff).send().await;
    let now = now.header("etag").to_owned();
    let fresh = app.put(&path).token(&staff).header("If-Match", &now);
    fresh.json(&full(json!(8))).await.expect_status(200);
    // An edit without `stock` needs no precondition, nor does an adjustment by a delta.
    let renamed = app.patch(&path).token(&staff);
    renamed
        .json(&json!({"name": "Cup"}))
        .await
        .expect_status(200);
    let delta = app.post(&format!("{path}stock/")).token(&staff);
    delta.json(&json!({"delta": 1})).await.expect_status(201);
    let ledger = app.get(&format!("{path}stock/")).token(&staff).send().await;
    let rows = ledger.json()["results"].clone();
    let row = |at: usize| (rows[at]["delta"].clone(), rows[at]["reason"].clone());
    assert_eq!(row(0), (json!(1), json!("adjustment")));
    assert_eq!(row(1), (json!(5), json!("set")));
}

#[actix_web::test]
async fn lenient_stock_writes_go_on_as_before_and_the_ledger_says_so() {
    let app = App::new().await;
    let (staff, ada) = (app.staff("boss"), app.customer("ada"));
    let product = app.product(&staff, "2.00", 10).await;
    app.order(&ada, product, 7).await;
    let path = format!("/api/products/{product}/");
    let put = app.put(&path).token(&staff).json(&full(json!(10))).await;
    put.expect_status(200);
    let ledger = app.get(&format!("{path}stock/")).token(&staff).send().await;
    let newest = ledger.json()["results"][0].clone();
    assert_eq!(
        (&newest["reason"], &newest["delta"]),
        (&json!("set"), &json!(7))
    );
}
