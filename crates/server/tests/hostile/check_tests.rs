//! Tests of the rules themselves: each is shown good answers, and the same with one change.

use crate::check::{EVIL, check, difference, is_alarm};
use crate::draft::Request;
use crate::roles::Role;
use crate::wire::Answer;
use serde_json::{Value, json};
use tradepost_http::table;

/// The id of the customer.
const OWN: i64 = 2;

fn request(method: &str, path: &str, role: Role) -> Request {
    let entry = table().iter();
    let mut entry = entry.filter(|entry| entry.path() == path && entry.method() == method);
    Request {
        role,
        entry: entry.next().unwrap(),
        path: path.to_owned(),
        bytes: Vec::new(),
        is_head: false,
        accepts: Vec::new(),
        request_ids: Vec::new(),
        untouched: true,
        refusable: false,
        closes: false,
    }
}

fn answer(status: u16, headers: &[(&str, &str)], body: &Value) -> Answer {
    let usual = [
        ("date", "Fri, 27 Nov 2026 17:00:00 GMT"),
        ("content-type", "application/json"),
        ("x-request-id", "abc-1"),
        ("x-content-type-options", "nosniff"),
        (
            "content-security-policy",
            "default-src 'none'; frame-ancestors 'none'",
        ),
        ("cache-control", "no-store"),
    ];
    let all = usual.iter().chain(headers);
    let owned = all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Answer {
        status,
        headers: owned.collect(),
        body: serde_json::to_vec(body).unwrap(),
        faults: Vec::new(),
    }
}

fn order() -> Answer {
    let order = json!({"id": 7, "user": OWN, "items": [{"name": "Tea"}], "total_price": "1.00"});
    answer(
        201,
        &[("location", "http://localhost/api/orders/7/")],
        &order,
    )
}

fn problem(status: u16, code: &str, headers: &[(&str, &str)]) -> Answer {
    let known = tradepost_http::error_codes().find(|(_, word, _)| *word == code);
    let problem = json!({
        "type": format!("urn:tradepost:error:{code}"),
        "title": known.map_or("?", |(_, _, title)| title),
        "status": status,
        "detail": "A sentence.",
        "code": code,
        "instance": "/api/orders/",
        "request_id": "abc-1",
    });
    answer(status, headers, &problem)
}

fn set(answer: &mut Answer, name: &str, value: &str) {
    answer.headers.retain(|(other, _)| other != name);
    if !value.is_empty() {
        answer.headers.push((name.to_owned(), value.to_owned()));
    }
}

/// Changes a member of the body.
fn put(answer: &mut Answer, member: &str, value: Value) {
    let mut body: Value = serde_json::from_slice(&answer.body).unwrap();
    body[member] = value;
    answer.body = serde_json::to_vec(&body).unwrap();
}

fn placing() -> Request {
    request("POST", "/api/orders/", Role::Customer)
}

#[test]
fn a_good_answer_has_nothing_wrong() {
    let wait = [("retry-after", "1")];
    for (request, answer) in [
        (placing(), order()),
        (placing(), problem(400, "empty_cart", &[])),
        (placing(), problem(503, "busy", &wait)),
        (placing(), problem(503, "outcome_unknown", &[])),
        (placing(), problem(429, "throttled", &wait)),
        (
            request("GET", "/api/users/", Role::Staff),
            answer(
                200,
                &[],
                &json!({"results": [{"username": "tamsin.quill"}]}),
            ),
        ),
        (
            request("GET", "/api/users/me/", Role::Customer),
            answer(200, &[], &json!({"username": "tamsin.quill"})),
        ),
        (
            request("GET", "/api/users/", Role::Anonymous),
            problem(401, "not_authenticated", &[("www-authenticate", "Bearer")]),
        ),
    ] {
        assert_eq!(check(&request, &answer, OWN), Vec::<String>::new());
    }
}

/// The change that spoils an answer.
type Spoil = fn(&mut Answer);

#[test]
fn a_spoiled_success_is_noticed() {
    let spoils: &[(&str, Spoil)] = &[
        ("the status 200", |answer| {
            answer.faults.push("the status 200".to_owned())
        }),
        ("the status 202", |answer| answer.status = 202),
        ("the status 302", |answer| answer.status = 302),
        ("not JSON", |answer| answer.body.push(b'}')),
        ("not JSON", |answer| answer.body.truncate(9)),
        ("the type \"text/html\"", |answer| {
            set(answer, "content-type", "text/html")
        }),
        ("two headers date", |answer| {
            answer.headers.push(("date".to_owned(), String::new()))
        }),
        ("the header server", |answer| set(answer, "server", "x")),
        ("an upgrade", |answer| set(answer, "connection", "upgrade")),
        ("the header set-cookie", |answer| {
            set(answer, "set-cookie", "a=b")
        }),
        ("the header injected", |answer| {
            set(answer, "injected", "hostile")
        }),
        ("the header access-control", |answer| {
            set(answer, "access-control-allow-origin", "*")
        }),
        ("host of the client's choice", |answer| {
            set(answer, "location", &format!("http://{EVIL}/api/orders/7/"));
        }),
        ("the location", |answer| {
            set(answer, "location", "/api/orders/7/")
        }),
        ("x-request-id", |answer| set(answer, "x-request-id", "")),
        ("x-request-id", |answer| set(answer, "x-request-id", "a b")),
        ("x-content-type-options", |answer| {
            set(answer, "x-content-type-options", "")
        }),
        ("content-security-policy", |answer| {
            set(answer, "content-security-policy", "")
        }),
        ("cache-control", |answer| {
            set(answer, "cache-control", "public, max-age=60")
        }),
        ("date is None", |answer| set(answer, "date", "")),
        ("belongs to another", |answer| put(answer, "user", json!(3))),
        ("belongs to another", |answer| {
            put(answer, "items", json!([{"user": 3}]))
        }),
        ("sees odo.wexford", |answer| {
            put(answer, "note", json!("for Odo.Wexford"))
        }),
        ("sees odo.wexford", |answer| {
            set(answer, "x-note", "odo.wexford@example.org")
        }),
        ("sees ada@example.org", |answer| {
            put(answer, "by", json!("ada@example.org"))
        }),
        ("it tells", |answer| {
            put(answer, "cause", json!("near \"x\": syntax error"))
        }),
        ("it tells", |answer| put(answer, "cause", json!("SELECT 1"))),
        ("it tells", |answer| {
            put(answer, "cause", json!("UNIQUE constraint failed: x"))
        }),
        ("it tells", |answer| {
            put(answer, "cause", json!("panicked at src/main.rs:1"))
        }),
        ("it tells", |answer| {
            put(answer, "cause", json!("Diesel says no"))
        }),
        ("it tells", |answer| {
            put(answer, "hash", json!("$2b$10$abc"))
        }),
    ];
    for (expected, spoil) in spoils {
        let mut spoiled = order();
        spoil(&mut spoiled);
        let wrong = check(&placing(), &spoiled, OWN).join("; ");
        assert!(wrong.contains(expected), "{expected}: {wrong:?}");
    }
}

#[test]
fn a_spoiled_error_is_noticed() {
    let spoils: &[(&str, Spoil)] = &[
        ("the status 500", |answer| {
            *answer = problem(500, "internal_error", &[])
        }),
        ("the status 502", |answer| answer.status = 502),
        ("the status 507", |answer| {
            *answer = problem(507, "storage_full", &[])
        }),
        ("503 with the code", |answer| {
            *answer = problem(503, "schema", &[])
        }),
        ("busy without retry-after", |answer| {
            *answer = problem(503, "busy", &[])
        }),
        ("without www-authenticate", |answer| {
            *answer = problem(401, "invalid_token", &[])
        }),
        ("without allow", |answer| {
            *answer = problem(405, "method_not_allowed", &[])
        }),
        ("409 with the code", |answer| answer.status = 409),
        ("with the code", |answer| {
            put(answer, "code", json!("of_no_list"))
        }),
        ("type is", |answer| {
            put(answer, "type", json!("about:blank"))
        }),
        ("title is", |answer| put(answer, "title", json!("Oh"))),
        ("status is", |answer| put(answer, "status", json!(404))),
        ("detail is", |answer| put(answer, "detail", json!(""))),
        ("instance is", |answer| put(answer, "instance", Value::Null)),
        ("request_id is", |answer| {
            put(answer, "request_id", json!("abc-2"))
        }),
        ("not JSON", |answer| answer.body.clear()),
        ("not JSON", |answer| answer.body = b"Not Found".to_vec()),
        ("of the type \"text/plain\"", |answer| {
            set(answer, "content-type", "text/plain")
        }),
        ("application/problem+json", |answer| {
            set(answer, "content-type", "application/problem+json");
        }),
        ("cache-control", |answer| {
            set(answer, "cache-control", "private, no-cache")
        }),
        ("x-request-id", |answer| set(answer, "x-request-id", "")),
    ];
    for (expected, spoil) in spoils {
        let mut spoiled = problem(400, "empty_cart", &[]);
        spoil(&mut spoiled);
        let wrong = check(&placing(), &spoiled, OWN).join("; ");
        assert!(wrong.contains(expected), "{expected}: {wrong:?}");
    }
}

#[test]
fn a_success_for_a_role_that_may_not_is_noticed() {
    let success = answer(200, &[], &json!({}));
    for (method, path, role) in [
        ("GET", "/api/users/", Role::Anonymous),
        ("GET", "/api/users/", Role::Customer),
        ("GET", "/api/cart/", Role::Anonymous),
        ("GET", "/api/cart/", Role::SwitchedOff),
        ("GET", "/api/products/", Role::SwitchedOff),
        ("GET", "/api/products/", Role::Expired),
        ("GET", "/api/products/", Role::Foreign),
        ("GET", "/api/products/", Role::Garbage),
    ] {
        let wrong = check(&request(method, path, role), &success, 0);
        assert_eq!(wrong, [format!("200 for {role:?}")], "{path}");
    }
}

#[test]
fn the_request_id_of_the_client_is_expected() {
    let mut request = placing();
    request.request_ids = vec!["abc-1".to_owned()];
    assert!(check(&request, &order(), OWN).is_empty());
    request.request_ids = vec!["another".to_owned()];
    assert_eq!(check(&request, &order(), OWN).len(), 1);
    // An invalid request id is replaced.
    request.request_ids = vec!["not sane".to_owned()];
    assert!(check(&request, &order(), OWN).is_empty());
}

#[test]
fn only_the_parser_may_answer_without_a_problem_document() {
    let mut request = placing();
    let mut bare = Answer {
        status: 400,
        ..Answer::default()
    };
    assert!(!check(&request, &bare, OWN).is_empty());
    request.refusable = true;
    assert!(check(&request, &bare, OWN).is_empty());
    for status in [200, 404, 500, 503] {
        bare.status = status;
        assert!(!check(&request, &bare, OWN).is_empty(), "{status}");
    }
}

#[test]
fn a_difference_between_absent_and_foreign_is_noticed() {
    let absent = problem(404, "not_found", &[]);
    let mut theirs = absent.clone();
    put(&mut theirs, "instance", json!("/api/orders/8/"));
    put(&mut theirs, "request_id", json!("abc-2"));
    set(&mut theirs, "x-request-id", "abc-2");
    assert_eq!(difference(&theirs, &absent), None);
    let spoils: [Spoil; 4] = [
        |answer| answer.status = 403,
        |answer| put(answer, "detail", json!("Not yours.")),
        |answer| put(answer, "owner", json!(1)),
        |answer| set(answer, "etag", "\"x\""),
    ];
    for spoil in spoils {
        let mut spoiled = theirs.clone();
        spoil(&mut spoiled);
        assert!(difference(&spoiled, &absent).is_some(), "{spoiled:?}");
    }
}

#[test]
fn alarms_in_the_log_are_noticed() {
    let excused = |id: &str| id == "abc-1";
    for (line, alarm) in [
        ("INFO  tradepost::access: GET / 200 9us id=a", false),
        (
            "WARN  tradepost_http::error: request abc-1: a query took too long",
            false,
        ),
        (
            "ERROR tradepost_http::error: request abc-1: a command took too long",
            false,
        ),
        ("WARN  tradepost: 7 lines of log were lost", false),
        (
            "WARN  tradepost_diesel::postgres: PostgreSQL runs with fsync = off: x",
            false,
        ),
        (
            "WARN  tradepost_http::error: request abc-2: a query took too long",
            true,
        ),
        (
            "ERROR tradepost_http::error: request abc-2: a handler panicked",
            true,
        ),
        (
            "ERROR tradepost: panicked at crates/http/src/x.rs:1:2",
            true,
        ),
        ("ERROR tradepost: fsync = off", true),
        ("DEBUG tradepost: x", true),
    ] {
        let line = format!("2026-11-27T17:00:00.123456Z {line}");
        assert_eq!(is_alarm(&line, &excused), alarm, "{line}");
    }
    for line in [
        "",
        "Injected: hostile",
        "thread 'main' panicked at x",
        "INFO  x",
    ] {
        assert!(is_alarm(line, &excused), "{line}");
    }
}
