//! `/metrics` of the real binary, and the dashboard and alerts that use it.

use crate::place::{Place, QUICK, Serving};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use tradepost_test_postgres::Cluster;

fn page(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operations");
    fs::read_to_string(folder.join(name)).unwrap()
}

/// The metric names in an exposition text, without the suffixes of histograms.
fn names(text: &str) -> BTreeSet<String> {
    let of_a_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let words = text.split(|letter| !of_a_name(letter));
    let words = words.filter(|word| word.starts_with("tradepost_") || word.starts_with("process_"));
    let bare = |word: &str| {
        let ends = ["_bucket", "_sum", "_count"];
        let bare = ends.iter().find_map(|end| word.strip_suffix(end));
        bare.unwrap_or(word).to_owned()
    };
    words.map(bare).collect()
}

/// The value of the sample whose line begins with this text.
fn sample(text: &str, begins: &str) -> usize {
    let line = text.lines().find_map(|line| line.strip_prefix(begins));
    line.unwrap().trim().parse().unwrap()
}

/// Each slot of the worker pool has a connection; the five batchers, the purge, the check of the stock
/// and the sequencer of the event log have one each.
fn has_a_connection_for_each_place(text: &str, pool: &str) {
    let places = ["work", "lists", "searches", "passwords", "probes"].map(|kind| {
        let most = format!("tradepost_jobs_max{{kind=\"{kind}\",state=\"running\"}}");
        sample(text, &most)
    });
    let most = format!("tradepost_pool_connections_max{{pool=\"{pool}\"}}");
    assert_eq!(sample(text, &most), places.iter().sum::<usize>() + 8);
}

fn given(server: &Serving) -> (String, BTreeSet<String>) {
    let (status, text) = server.get("/metrics", "");
    assert_eq!(status, 200);
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let names = types.map(|line| line.split(' ').next().unwrap().to_owned());
    let names = names.collect();
    (text, names)
}

#[test]
fn page_dashboard_and_alerts_name_existing_metrics() {
    let place = Place::new();
    let server = place.serve(&[]);
    let (text, given) = given(&server);
    assert!(given.len() > 15, "{given:?}");
    has_a_connection_for_each_place(&text, "readers");
    for name in ["grafana.json", "alerts.yml"] {
        let used = names(&page(name));
        let unknown: Vec<_> = used.difference(&given).collect();
        assert!(
            unknown.is_empty() && used.len() > 5,
            "{name} uses {unknown:?}"
        );
    }
    assert_eq!(names(&page("metrics.md")), given);
    let dashboard: serde_json::Value = serde_json::from_str(&page("grafana.json")).unwrap();
    assert!(dashboard["panels"].as_array().unwrap().len() > 10);
}

#[test]
fn names_are_found() {
    let text = "rate(tradepost_a_total{x=\"y\"}[5m]) / process_b + up - tradepost_c_bucket";
    let expected = ["process_b", "tradepost_a_total", "tradepost_c"];
    assert_eq!(Vec::from_iter(names(text)), expected);
}

#[test]
fn a_shop_on_postgresql_shows_its_connections() {
    let cluster = Cluster::start().unwrap();
    let url = cluster.url(&cluster.database().unwrap());
    let place = Place::new();
    let own = ["--database", &url, "--metrics-allow", "10.0.0.0/8"];
    let here = [&QUICK[..], &own].concat();
    place.make_staff(&here).well();
    let server = place.serve(&here);
    assert!(server.sign_in("correct horse").is_some());
    let (text, _) = given(&server);
    for line in [
        "tradepost_pool_connections{pool=\"connections\",state=\"busy\"} 0",
        "tradepost_sign_ins_total{outcome=\"ok\"} 1",
    ] {
        assert!(text.contains(&format!("\n{line}\n")), "{line}: {text}");
    }
    has_a_connection_for_each_place(&text, "connections");
    let work = "tradepost_jobs_max{kind=\"work\",state=\"running\"}";
    assert_eq!(sample(&text, work), 16, "several servers share PostgreSQL");
    let forwarded = server.get("/metrics", "X-Forwarded-For: 10.0.0.1\r\n");
    assert_eq!(forwarded.0, 404);
}
