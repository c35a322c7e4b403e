use super::*;
use std::sync::atomic::AtomicBool;
use std::thread;

#[test]
fn a_paused_server_has_no_process_that_goes_on() {
    let mut cluster = Cluster::start().unwrap();
    let enough = AtomicBool::new(false);
    thread::scope(|scope| {
        // The postmaster forks a backend for each psql.
        for _ in 0..4 {
            scope.spawn(|| {
                while !enough.load(Ordering::Relaxed) {
                    let _ = cluster.sql("postgres", "SELECT 1");
                }
            });
        }
        let mut rounds = Vec::new();
        for _ in 0..20 {
            let paused = cluster.pause();
            let children = cluster.postmaster().and_then(children_of);
            let running: Vec<_> = (children.iter().flatten())
                .filter_map(|&pid| state_and_parent(pid))
                .filter(|(state, _)| state != "T" && state != "Z")
                .collect();
            let unpaused = cluster.unpause();
            rounds.push((paused.is_ok() && unpaused.is_ok(), children, running));
            sleep(Duration::from_millis(5));
        }
        // Before any assertion, as the scope joins its threads.
        enough.store(true, Ordering::Relaxed);
        for (done, children, running) in rounds {
            assert!(done && !children.unwrap().is_empty());
            assert_eq!(running, []);
        }
    });
    cluster.kill().unwrap();
    assert!(cluster.pause().is_err(), "it is not running");
}

#[test]
fn a_server_whose_port_is_taken_starts_on_another() {
    let first = Cluster::start().unwrap();
    let settings = Vec::new();
    let folder = tempfile::Builder::new().prefix("tradepost-pg-").tempdir();
    let mut second = Cluster {
        folder: folder.unwrap(),
        programs: programs().unwrap(),
        port: first.port,
        settings,
        keeper: None,
        databases: AtomicU32::new(0),
    };
    second.initialise().unwrap();
    second.first_start().unwrap();
    assert_ne!(second.port, first.port);
    assert_eq!(second.sql("postgres", "SELECT 1").unwrap(), "1");
    assert!(second.port < 30_000);
}

#[test]
fn only_the_plain_url_leaves_the_connect_timeout_to_its_client() {
    let cluster = Cluster::start().unwrap();
    let (url, plain) = (cluster.url("postgres"), cluster.plain_url("postgres"));
    assert_eq!(url, format!("{plain}?connect_timeout=30"));
    assert!(!plain.contains('?'), "{plain}");
    assert_eq!(cluster.sql_at(&plain, "SELECT 1").unwrap(), "1");
}
