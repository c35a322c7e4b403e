//! Tests of the temporary server that other tests use.

use tradepost_test_postgres::Cluster;

#[test]
fn a_killed_server_keeps_its_commits_and_leaves_no_files_behind() {
    let mut cluster = Cluster::start().unwrap();
    let database = cluster.database().unwrap();
    cluster
        .sql(
            &database,
            "CREATE TABLE kept (n INT); INSERT INTO kept VALUES (7)",
        )
        .unwrap();
    let copy = cluster.copy(&database).unwrap();
    assert_eq!(cluster.sql(&copy, "SELECT n FROM kept").unwrap(), "7");
    cluster.kill().unwrap();
    assert!(cluster.sql(&database, "SELECT 1").is_err());
    cluster.resume_or_start().unwrap();
    assert_eq!(cluster.sql(&database, "SELECT n FROM kept").unwrap(), "7");
    cluster.pause().unwrap();
    cluster.unpause().unwrap();
    assert_eq!(cluster.sql(&database, "SELECT n FROM kept").unwrap(), "7");
    assert!(cluster.log().contains("database system is ready"));
    let port = cluster.port();
    drop(cluster);
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
}
