use super::*;

const NOTHING: Environment<'_> = &|_| None;

fn connection(url: &str) -> Connection<'_> {
    let environment = NOTHING;
    Connection { url, environment }
}

#[test]
fn remote_hosts_are_those_that_are_neither_sockets_nor_loopback() {
    for (url, expected) in [
        ("postgres://db.example.org/shop", Some("db.example.org")),
        ("postgres://u:p@db:5432/shop", Some("db")),
        ("postgres://u:p@10.0.0.1:5432/shop", Some("10.0.0.1")),
        (
            "postgres://u:p@[2001:db8::1]:5432/shop",
            Some("2001:db8::1"),
        ),
        ("postgres://u:p@localhost,db2:5433/shop", Some("db2")),
        ("postgres://u:p@db%2Eexample/shop", Some("db.example")),
        ("postgres:///shop?host=db", Some("db")),
        ("postgres://localhost/shop?host=db", Some("db")),
        (
            "postgres://localhost/shop?hostaddr=10.0.0.1",
            Some("10.0.0.1"),
        ),
        ("postgres://db", Some("db")),
        ("postgres://db?sslmode=require", Some("db")),
        ("postgres://0.0.0.0/shop", Some("0.0.0.0")),
        ("postgres:///shop", None),
        ("postgres://u:p@/shop", None),
        ("postgres://LocalHost:5432/shop", None),
        ("postgres://127.0.0.2/shop", None),
        ("postgres://[::1]:5432/shop", None),
        ("postgres://[::ffff:127.0.0.1]/shop", None),
        ("postgres:///shop?host=/var/run/postgresql", None),
        ("postgres://%2Fvar%2Frun%2Fpostgresql/shop", None),
        ("postgres:///shop?host=@abstract", None),
        ("postgres://db.example.org/shop?hostaddr=127.0.0.1", None),
    ] {
        assert_eq!(connection(url).remote_host().as_deref(), expected, "{url}");
    }
    let environment: Environment<'_> = &|name| (name == "PGHOST").then(|| "db".to_owned());
    let url = "postgres:///shop";
    let from_environment = Connection { url, environment };
    assert_eq!(from_environment.remote_host().as_deref(), Some("db"));
}

#[test]
fn a_remote_host_is_warned_of_unless_it_is_verified() {
    for (parameters, expected) in [
        (
            "",
            Some("sslmode=prefer: a connection that cannot be encrypted"),
        ),
        (
            "?sslmode=disable",
            Some("sslmode=disable: nothing is encrypted"),
        ),
        ("?sslmode=allow", Some("sslmode=allow: a connection that")),
        (
            "?sslmode=require",
            Some("sslmode=require: the connection is encrypted, but"),
        ),
        (
            "?ssl=true",
            Some("sslmode=require: the connection is encrypted, but"),
        ),
        (
            "?sslmode=verify-ca",
            Some("sslmode=verify-ca: the host name"),
        ),
        ("?sslmode=verify-full", None),
        ("?sslmode=verify%2Dfull", None),
        ("?sslrootcert=system", None),
        // The last counts.
        ("?sslmode=require&sslmode=verify-full", None),
        ("?sslmode=verify-full&ssl=true", Some("sslmode=require")),
        // libpq refuses it.
        ("?sslmode=no-verify", None),
    ] {
        let url = format!("postgres://u:secret@db.example.org/shop{parameters}");
        let warning = warning_of(&connection(&url));
        assert_eq!(warning.is_some(), expected.is_some(), "{url}: {warning:?}");
        let (warning, expected) = (warning.unwrap_or_default(), expected.unwrap_or_default());
        assert!(warning.contains(expected), "{url}: {warning}");
        assert!(!warning.contains("secret"), "{warning}");
    }
    assert_eq!(warning_of(&connection("postgres://localhost/shop")), None);
    let environment: Environment<'_> =
        &|name| (name == "PGSSLMODE").then(|| "verify-full".to_owned());
    let url = "postgres://db/shop";
    assert_eq!(warning_of(&Connection { url, environment }), None);
}

#[cfg(feature = "tls")]
#[test]
fn the_system_store_is_trusted_where_a_url_verifies_and_names_no_authority() {
    use std::path::Path;
    let store = Path::new("/etc/ssl/cert s&.pem");
    let full = "sslmode=verify-full&sslrootcert=%2Fetc%2Fssl%2Fcert%20s%26%2Epem";
    let ca = "sslmode=verify-ca&sslrootcert=%2Fetc%2Fssl%2Fcert%20s%26%2Epem";
    for (parameters, expected) in [
        ("", None),
        ("?sslmode=require", None),
        ("?sslmode=verify-ca", Some(ca)),
        ("?sslmode=verify-full", Some(full)),
        ("?sslmode=verify-full&sslrootcert=ca.pem", None),
        ("?sslrootcert=system", Some(full)),
        ("?sslmode=verify-full&sslrootcert=system", Some(full)),
        ("?sslmode=require&sslrootcert=system", None),
    ] {
        let url = format!("postgres://db/shop{parameters}");
        let added = trust::roots(&connection(&url), store);
        assert_eq!(added.as_deref(), expected, "{url}");
    }
    let environment: Environment<'_> =
        &|name| (name == "PGSSLROOTCERT").then(|| "ca.pem".to_owned());
    let url = "postgres://db/shop?sslmode=verify-full";
    assert_eq!(trust::roots(&Connection { url, environment }, store), None);
}

#[test]
fn a_build_without_tls_is_named() {
    let reason = "sslmode value \"require\" invalid when SSL support is not compiled in";
    let error = open_error("postgres://db", "postgres://db", reason.to_owned());
    assert!(matches!(error, OpenError::NotBuiltIn { name: "tls" }));
}
