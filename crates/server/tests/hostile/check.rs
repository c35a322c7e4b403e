//! The rules for every answer.

use crate::draft::Request;
use crate::page_rules;
use crate::roles::{KEEPER, Role};
use crate::shop::KEY;
use crate::wire::Answer;
use serde_json::Value;
use tradepost_domain::kernel::Access;

/// Words that only the server's internals use: SQL, crates, types, paths, secrets. Words in lower
/// case match in any case.
const INTERNALS: &[&str] = &[
    "SELECT ",
    "INSERT ",
    "UPDATE ",
    "DELETE FROM",
    "WHERE ",
    "SQLSTATE",
    "None)",
    "Some(",
    "Err(",
    "sqlite",
    "postgres",
    "libpq",
    "diesel",
    "r2d2",
    "actix",
    "serde",
    "tokio",
    "panicked",
    "backtrace",
    "rustc",
    ".rs:",
    "crates/",
    "src/",
    "/tmp/",
    "/root/",
    "/home/",
    "shop.db",
    "debug.log",
    "constraint",
    "foreign key",
    "duplicate key",
    "syntax error",
    "at line ",
    "expected value",
    "invalid type",
    "unwrap",
    "thread '",
    "std::",
    "core::",
    "alloc::",
    "tradepost_",
    "os error",
    "$2b$",
    "throwaway",
    KEY,
];

/// A host that some requests name; no request is sent to it.
pub(crate) const EVIL: &str = "evil.example";

/// Every violation by an answer. `own` is the id of the acting user, or 0.
pub(crate) fn check(request: &Request, answer: &Answer, own: i64) -> Vec<String> {
    let mut wrong = answer.faults.clone();
    if is_of_the_parser(request, answer) {
        return wrong;
    }
    status(request, answer, &mut wrong);
    headers(request, answer, &mut wrong);
    if answer.status >= 400 {
        problem(request, answer, &mut wrong);
    } else {
        success(request, answer, &mut wrong);
    }
    rights(request, answer, &mut wrong);
    leaks(request, answer, &mut wrong);
    privacy(request, answer, own, &mut wrong);
    wrong
}

/// Whether the HTTP parser has rejected the bytes before routing.
fn is_of_the_parser(request: &Request, answer: &Answer) -> bool {
    request.refusable
        && answer.header("x-request-id").is_none()
        && answer.body.is_empty()
        && [400, 408, 413, 414, 431].contains(&answer.status)
}

fn status(request: &Request, answer: &Answer, wrong: &mut Vec<String>) {
    match answer.status {
        200 | 201 | 204 | 304 | 400..=499 => {}
        // After a form, and to the sign-in.
        303 if is_admin(request) => {}
        503 => {
            let code = code(answer);
            let known = ["busy", "unavailable", "outcome_unknown"];
            if !answer.body.is_empty() && !known.contains(&&*code) {
                wrong.push(format!("503 with the code {code:?}"));
            }
        }
        status => wrong.push(format!("the status {status}")),
    }
}

/// The code of a problem document.
pub(crate) fn code(answer: &Answer) -> String {
    let problem: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    problem["code"].as_str().unwrap_or_default().to_owned()
}

fn headers(request: &Request, answer: &Answer, wrong: &mut Vec<String>) {
    let mut seen: Vec<&str> = Vec::new();
    for (name, value) in &answer.headers {
        let repeatable = ["vary", "link", "set-cookie"].contains(&name.as_str());
        if seen.contains(&name.as_str()) && !repeatable {
            wrong.push(format!("two headers {name}"));
        }
        seen.push(name);
        let unwanted = [
            "server",
            "x-powered-by",
            "set-cookie",
            "access-control-allow-origin",
        ];
        let is_cookie = name == "set-cookie" && is_admin(request);
        if is_cookie && page_rules::is_safe_cookie(value) {
            continue;
        }
        if unwanted.contains(&name.as_str()) || name.starts_with("injected") {
            wrong.push(format!("the header {name}: {value}"));
        }
        if name == "upgrade" || name == "connection" && value.contains("upgrade") {
            wrong.push(format!("an upgrade that is taken: {name}: {value}"));
        }
        if value.contains(EVIL) {
            wrong.push(format!("a host of the client's choice in {name}: {value}"));
        }
    }
    for (name, starts) in [
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'"),
        ("date", ""),
    ] {
        if !answer
            .header(name)
            .is_some_and(|value| value.starts_with(starts))
        {
            wrong.push(format!("{name} is {:?}", answer.header(name)));
        }
    }
    let keeps = ["no-store", "private, no-cache", "no-cache"];
    let kept = answer.header("cache-control").unwrap_or_default();
    if !keeps.contains(&kept) || answer.status >= 400 && kept != "no-store" {
        wrong.push(format!("cache-control is {kept:?}"));
    }
    request_id(request, answer, wrong);
}

/// A valid request id of the client is echoed.
fn request_id(request: &Request, answer: &Answer, wrong: &mut Vec<String>) {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let sane = |id: &str| (1..=128).contains(&id.len()) && id.bytes().all(plain);
    let id = answer.header("x-request-id").unwrap_or_default();
    if !sane(id) {
        wrong.push(format!("x-request-id is {id:?}"));
    }
    if let [given] = &request.request_ids[..]
        && sane(given)
        && given != id
    {
        wrong.push(format!("x-request-id is {id:?}, not {given:?}"));
    }
}

fn problem(request: &Request, answer: &Answer, wrong: &mut Vec<String>) {
    if request.is_head {
        return;
    }
    let media = answer.header("content-type").unwrap_or_default();
    // The admin interface answers with pages.
    if is_admin(request) && media.starts_with("text/html") {
        return wrong.extend(page_rules::check_html(request.is_head, answer));
    }
    let asks_for = |media: &str| request.accepts.iter().any(|accept| accept.contains(media));
    let fits = match media {
        // The admin interface reports errors to programs as well.
        "application/json" if is_admin(request) => true,
        "application/json" => request.accepts != ["application/problem+json"],
        "application/problem+json" => asks_for("application/problem+json"),
        _ => false,
    };
    if !fits {
        wrong.push(format!("an error of the type {media:?}"));
    }
    let Ok(problem) = serde_json::from_slice::<Value>(&answer.body) else {
        return wrong.push("an error that is not JSON".to_owned());
    };
    let code = problem["code"].as_str().unwrap_or_default();
    let known = tradepost_http::error_codes().find(|(_, word, _)| *word == code);
    let (status, _, title) = known.unwrap_or_default();
    if status != answer.status {
        wrong.push(format!("{} with the code {code:?}", answer.status));
    }
    let id = answer.header("x-request-id").unwrap_or_default();
    for (member, expected) in [
        ("type", Value::from(format!("urn:tradepost:error:{code}"))),
        ("title", Value::from(title)),
        ("status", Value::from(answer.status)),
        ("request_id", Value::from(id)),
    ] {
        if problem[member] != expected {
            wrong.push(format!("{member} is {}", problem[member]));
        }
    }
    // A request target in authority form, `host:port`, has no path.
    let has_path = request.path.starts_with('/');
    for (member, may_be_empty) in [("detail", false), ("instance", !has_path)] {
        let text = problem[member].as_str();
        if text.is_none_or(|text| text.is_empty() && !may_be_empty) {
            wrong.push(format!("{member} is {}", problem[member]));
        }
    }
    let header = match code {
        "method_not_allowed" => "allow",
        "not_authenticated" | "invalid_token" | "no_active_account" => "www-authenticate",
        "busy" | "unavailable" | "throttled" | "too_many_attempts" => "retry-after",
        _ => "x-request-id",
    };
    if answer.header(header).is_none() {
        wrong.push(format!("{code} without {header}"));
    }
}

/// Whether the request is for the API description, which contains every word.
fn is_description(request: &Request) -> bool {
    let path = request.entry.path();
    path.starts_with("/api/docs") || path == "/api/schema/"
}

/// Whether the request reaches the admin interface: a mutated path may.
fn is_admin(request: &Request) -> bool {
    request.path == "/admin" || request.path.starts_with("/admin/")
}

fn is_metrics(request: &Request) -> bool {
    request.entry.path() == "/metrics"
}

fn success(request: &Request, answer: &Answer, wrong: &mut Vec<String>) {
    let media = answer.header("content-type").unwrap_or_default();
    if answer.body.is_empty() {
        return;
    }
    if is_admin(request) && media.starts_with("text/html") {
        wrong.extend(page_rules::check_html(request.is_head, answer));
    }
    if media == "application/json" {
        if let Err(error) = serde_json::from_slice::<Value>(&answer.body) {
            wrong.push(format!("a body that is not JSON: {error}"));
        }
    } else if !((is_description(request) || is_admin(request)) && media.starts_with("text/")
        || is_metrics(request) && media.starts_with("text/plain"))
    {
        wrong.push(format!("a body of the type {media:?}"));
    }
    if answer.status == 201 && request.untouched {
        let location = answer.header("location");
        let is_here = |location: &str| {
            let bases = ["http://localhost", "http://127.0.0.1", "http://[::1]"];
            bases.iter().any(|base| location.starts_with(base)) && location.contains("/api/")
        };
        if location.is_some_and(|location| !is_here(location)) {
            wrong.push(format!("the location {location:?}"));
        }
    }
}

/// Routes that ignore a token.
fn ignores_tokens(path: &str) -> bool {
    path.starts_with("/api/token/")
        || ["/api-token-auth/", "/healthz", "/readyz", "/metrics"].contains(&path)
}

/// No role gets further than the route table allows.
fn rights(request: &Request, answer: &Answer, wrong: &mut Vec<String>) {
    if !request.untouched || answer.status >= 400 {
        return;
    }
    let role = request.role;
    let entry = request.entry;
    let refused = role.is_refused() && !ignores_tokens(entry.path());
    let may = match entry.access() {
        Access::Public => true,
        Access::Customer => role.is_signed_in() || role == Role::Volatile,
        Access::Staff => role.may_be_staff(),
    };
    if refused || !may {
        wrong.push(format!("{} for {role:?}", answer.status));
    }
}

fn leaks(request: &Request, answer: &Answer, wrong: &mut Vec<String>) {
    let open = answer.status < 400 && (is_description(request) || is_metrics(request));
    if open {
        return;
    }
    let text = everything(answer);
    let lower = text.to_lowercase();
    for word in INTERNALS {
        let is_lower = !word.bytes().any(|byte| byte.is_ascii_uppercase());
        if text.contains(word) || is_lower && lower.contains(word) {
            wrong.push(format!("it tells {word:?}"));
        }
    }
}

/// Headers and body as text. Cookies are named after this program.
fn everything(answer: &Answer) -> String {
    let mut text = String::from_utf8_lossy(&answer.body).into_owned();
    let headers = answer.headers.iter();
    for (name, value) in headers.filter(|(name, _)| name != "set-cookie") {
        text.push('\n');
        text.push_str(name);
        text.push_str(": ");
        text.push_str(value);
    }
    text
}

/// Only staff see names and addresses of other users, and their rows.
fn privacy(request: &Request, answer: &Answer, own: i64, wrong: &mut Vec<String>) {
    if request.role.may_be_staff() {
        return;
    }
    let text = everything(answer).to_lowercase();
    let others = Role::ALL.iter().filter(|role| **role != request.role);
    let secrets = others.filter_map(|role| role.secret());
    for secret in secrets.chain([KEEPER]) {
        if text.contains(secret) {
            wrong.push(format!("{:?} sees {secret}", request.role));
        }
    }
    if let Ok(value) = serde_json::from_slice(&answer.body)
        && answer.status < 400
        && !is_description(request)
        && names_another(&value, own)
    {
        wrong.push(format!("{:?} sees what belongs to another", request.role));
    }
}

/// Whether a member `user` is the id of another user.
fn names_another(value: &Value, own: i64) -> bool {
    match value {
        Value::Array(values) => values.iter().any(|value| names_another(value, own)),
        Value::Object(members) => members.iter().any(|(name, value)| {
            let other = name == "user" && value.as_i64().is_some_and(|user| user != own);
            other || names_another(value, own)
        }),
        _ => false,
    }
}

/// The difference between the answers for another customer's row and for a row that does not exist.
pub(crate) fn difference(theirs: &Answer, absent: &Answer) -> Option<String> {
    let (theirs, absent) = (visible(theirs), visible(absent));
    (theirs != absent).then(|| format!("a thing of another customer shows: {theirs:?}, {absent:?}"))
}

/// An answer without the parts that differ from request to request.
fn visible(answer: &Answer) -> (u16, Vec<(String, String)>, Value) {
    // Keep-alive depends on how much of an unread body has arrived.
    let differs = [
        "x-request-id",
        "ratelimit",
        "ratelimit-policy",
        "date",
        "content-length",
        "connection",
    ];
    let headers = answer.headers.iter().cloned();
    let mut headers: Vec<_> = headers
        .filter(|(name, _)| !differs.contains(&name.as_str()))
        .collect();
    headers.sort();
    let mut body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    if let Some(members) = body.as_object_mut() {
        members.remove("instance");
        members.remove("request_id");
    }
    (answer.status, headers, body)
}

/// Expected warnings: of the temporary PostgreSQL, which need not survive a crash of the machine;
/// of log lines that were dropped on a busy machine; of hosts that are not served.
const EXPECTED_WARNINGS: [&str; 5] = [
    "fsync = off",
    "full_page_writes = off",
    " lines of log were lost",
    " access records were dropped",
    "refused a request for the host ",
];

/// Whether a log line reports an unexpected event. The cause of a 503 is logged with its request
/// id.
pub(crate) fn is_alarm(line: &str, excused: &dyn Fn(&str) -> bool) -> bool {
    let mut words = line.splitn(3, ' ');
    let (time, level, rest) = (words.next(), words.next(), words.next().unwrap_or_default());
    let timed = time.is_some_and(|time| time.len() == 27 && time.ends_with('Z'));
    if !timed {
        return true;
    }
    match level {
        Some("INFO") => false,
        Some("WARN" | "ERROR") => {
            let request = rest.split_once("request ");
            let id = request.and_then(|(_, rest)| rest.split(':').next());
            let is_expected = EXPECTED_WARNINGS.iter().any(|words| rest.contains(words));
            !(id.is_some_and(excused) || level == Some("WARN") && is_expected)
        }
        _ => true,
    }
}
