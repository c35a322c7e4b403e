//! TLS to PostgreSQL, as the real binary speaks it, with a certificate authority of the tests.

use crate::place::{Ended, Place};
use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;
use tempfile::TempDir;
use tradepost_test_postgres::certificates::{Authority, Identity, Validity};
use tradepost_test_postgres::tls::{
    handshake_only, stripping_proxy, terminating_proxy, without_tls,
};
use tradepost_test_postgres::{Cluster, PASSWORD, USER};

/// An address of this machine that counts as remote, as it is no loopback address.
const REMOTE: &str = "0.0.0.0";

/// A server of PostgreSQL whose certificate is for `localhost` and [`REMOTE`].
struct Fixture {
    cluster: Cluster,
    authority: Authority,
    folder: TempDir,
}

static FIXTURE: LazyLock<Fixture> = LazyLock::new(|| {
    let authority = Authority::new("Throw-away authority").unwrap();
    let identity = authority
        .issue(&["localhost", REMOTE], Validity::Current)
        .unwrap();
    let mut cluster = Cluster::with(&["log_connections=on"]).unwrap();
    cluster.restart_with_tls(&identity).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let other = Authority::new("Another authority").unwrap();
    let namesake = Authority::new("Throw-away authority").unwrap();
    for (name, authority) in [
        ("ca.pem", &authority),
        ("other.pem", &other),
        ("namesake.pem", &namesake),
    ] {
        let pem = authority.certificate_pem().unwrap();
        fs::write(folder.path().join(name), pem).unwrap();
    }
    Fixture {
        cluster,
        authority,
        folder,
    }
});

impl Fixture {
    fn path(&self, name: &str) -> String {
        let path: PathBuf = self.folder.path().join(name);
        path.display().to_string()
    }

    fn url(&self, host: &str, database: &str, parameters: &str) -> String {
        url(host, self.cluster.port(), database, parameters)
    }
}

fn url(host: &str, port: u16, database: &str, parameters: &str) -> String {
    // The default gives up after two seconds, which a busy machine may take.
    let parameters = parameters.replacen('?', "&", 1);
    format!("postgres://{USER}:{PASSWORD}@{host}:{port}/{database}?connect_timeout=30{parameters}")
}

fn migrate(url: &str, variables: &[(&str, &str)]) -> Ended {
    let variables = [&[("TRADEPOST_DATABASE_URL", url)], variables].concat();
    Place::new().run_with(&["migrate"], &variables, "")
}

/// Lines of the server's log about authorized connections of the shop to a database.
fn authorized(database: &str) -> Vec<String> {
    let log = FIXTURE.cluster.log();
    let of_database = format!("database={database} application_name=tradepost");
    let lines = log
        .lines()
        .filter(|line| line.contains("connection authorized") && line.contains(&of_database));
    lines.map(str::to_owned).collect()
}

#[test]
fn connection_strings_of_managed_services_are_encrypted() {
    let ca = FIXTURE.path("ca.pem");
    for (service, parameters) in [
        ("Heroku, Supabase", String::new()),
        (
            "Azure, DigitalOcean, Aiven, Render",
            "?sslmode=require".to_owned(),
        ),
        (
            "Neon",
            "?sslmode=require&channel_binding=require".to_owned(),
        ),
        ("RDS", format!("?sslmode=verify-full&sslrootcert={ca}")),
        ("Cloud SQL", format!("?sslmode=verify-ca&sslrootcert={ca}")),
        ("JDBC", "?ssl=true".to_owned()),
    ] {
        let database = FIXTURE.cluster.database().unwrap();
        let migrated = migrate(&FIXTURE.url("localhost", &database, &parameters), &[]);
        assert_eq!(migrated.code, Some(0), "{service}: {migrated:?}");
        let connections = authorized(&database);
        assert!(!connections.is_empty(), "{service}");
        for line in connections {
            assert!(
                line.contains("SSL enabled (protocol=TLSv1.3"),
                "{service}: {line}"
            );
        }
    }
    let database = FIXTURE.cluster.database().unwrap();
    migrate(
        &FIXTURE.url("localhost", &database, "?sslmode=disable"),
        &[],
    )
    .well();
    let connections = authorized(&database);
    assert!(!connections.is_empty() && connections.iter().all(|line| !line.contains("SSL")));
}

/// The variable is that of OpenSSL for its store.
#[test]
fn the_system_store_is_the_default_of_verification() {
    let ca = FIXTURE.path("ca.pem");
    let database = FIXTURE.cluster.database().unwrap();
    for parameters in [
        "?sslmode=verify-full",
        "?sslmode=verify-ca",
        "?sslrootcert=system",
        "?sslmode=verify-full&sslrootcert=system",
    ] {
        let url = FIXTURE.url("localhost", &database, parameters);
        migrate(&url, &[("SSL_CERT_FILE", &ca)]).well();
        for (other, said) in [
            ("other.pem", "certificate verify failed"),
            ("namesake.pem", "signature failure"),
        ] {
            let other = FIXTURE.path(other);
            let refused = migrate(&url, &[("SSL_CERT_FILE", &other)]).sentence(1);
            assert!(refused.contains(said), "{refused}");
            let named = format!("authority in sslrootcert ({other})");
            assert!(refused.contains(&named), "{refused}");
        }
    }
    // Those of the machine, which know nothing of our authority.
    let url = FIXTURE.url("localhost", &database, "?sslmode=verify-full");
    let refused = migrate(&url, &[]).sentence(1);
    assert!(refused.contains("sslrootcert"), "{refused}");
}

/// Starts a server that has to refuse, and returns its sentence.
#[track_caller]
fn refused_start(port: u16, parameters: &str) -> String {
    let place = Place::new();
    let url = url("localhost", port, "shop", parameters);
    let stopped = place.run_with(&["serve"], &[("TRADEPOST_DATABASE_URL", &url)], "");
    let sentence = stopped.sentence(1);
    let start = "No secure connection to the database postgres://postgres@localhost:";
    assert!(sentence.starts_with(start), "{sentence}");
    assert!(
        sentence.contains("--database (TRADEPOST_DATABASE_URL)"),
        "{sentence}"
    );
    assert!(!sentence.contains(PASSWORD), "{sentence}");
    assert!(place.files().is_empty(), "{:?}", place.files());
    sentence
}

#[test]
fn certificates_that_do_not_verify_stop_the_start() {
    let ca = FIXTURE.path("ca.pem");
    let issued = |hosts: &[&str], validity| {
        handshake_only(&FIXTURE.authority.issue(hosts, validity).unwrap()).unwrap()
    };
    let other_host = issued(&["db.example.org"], Validity::Current);
    let expired = issued(&["localhost"], Validity::Expired);
    let self_signed = handshake_only(&Identity::self_signed(&["localhost"]).unwrap()).unwrap();

    let sentence = refused_start(
        other_host,
        &format!("?sslmode=verify-full&sslrootcert={ca}"),
    );
    for part in [
        "\"db.example.org\" does not match host name \"localhost\"",
        "sslmode=verify-full",
    ] {
        assert!(sentence.contains(part), "{sentence}");
    }
    for port in [expired, self_signed] {
        for mode in ["verify-ca", "verify-full"] {
            let sentence = refused_start(port, &format!("?sslmode={mode}&sslrootcert={ca}"));
            let settings = format!("an authority in sslrootcert ({ca})");
            for part in [
                "certificate verify failed",
                &settings,
                &format!("sslmode={mode}"),
            ] {
                assert!(sentence.contains(part), "{sentence}");
            }
        }
    }
    // verify-ca does not compare names; the server has no certificate for this one.
    let database = FIXTURE.cluster.database().unwrap();
    let verify_ca = format!("?sslmode=verify-ca&sslrootcert={ca}");
    migrate(&FIXTURE.url("127.0.0.1", &database, &verify_ca), &[]).well();
}

#[test]
fn servers_and_proxies_without_tls_stop_the_start() {
    let ca = FIXTURE.path("ca.pem");
    let stripped = stripping_proxy(FIXTURE.cluster.port()).unwrap();
    for port in [without_tls().unwrap(), stripped] {
        for mode in ["require", "verify-ca", "verify-full"] {
            let sentence = refused_start(port, &format!("?sslmode={mode}&sslrootcert={ca}"));
            let setting = format!("sslmode={mode} demands encryption");
            for part in ["does not support SSL", &setting] {
                assert!(sentence.contains(part), "{sentence}");
            }
        }
    }
    let sentence = refused_start(stripped, "?channel_binding=require");
    assert!(
        sentence.contains("channel_binding=require demands TLS"),
        "{sentence}"
    );
    // The proxy works: where encryption is not demanded, it reads everything.
    let database = FIXTURE.cluster.database().unwrap();
    migrate(&url("localhost", stripped, &database, ""), &[]).well();
    assert!(
        authorized(&database)
            .iter()
            .all(|line| !line.contains("SSL"))
    );
}

/// Its certificate is of a trusted authority and for the right host: only the password's exchange
/// (RFC 5802, with the channel of RFC 5929) shows that TLS does not end at the server.
#[test]
fn channel_binding_notices_a_proxy_that_ends_tls() {
    let ca = FIXTURE.path("ca.pem");
    let identity = FIXTURE.authority.issue(&["localhost"], Validity::Current);
    let proxy = terminating_proxy(&identity.unwrap(), FIXTURE.cluster.port()).unwrap();
    let full = format!("?sslmode=verify-full&sslrootcert={ca}");
    let sentence = refused_start(proxy, &format!("{full}&channel_binding=require"));
    assert!(
        sentence.contains("channel_binding=require demands TLS"),
        "{sentence}"
    );
    let database = FIXTURE.cluster.database().unwrap();
    migrate(&url("localhost", proxy, &database, &full), &[]).well();
}

#[test]
fn parameters_that_libpq_refuses_stop_the_start() {
    let port = FIXTURE.cluster.port();
    let missing = FIXTURE.path("missing.pem");
    for (parameters, part) in [
        ("?sslmode=no-verify", "sslmode is one of disable, allow, "),
        ("?sslmode=require&sslrootcert=system", "sslmode=require"),
        (
            &*format!("?sslmode=verify-full&sslrootcert={missing}"),
            "in the file of sslrootcert",
        ),
    ] {
        let sentence = refused_start(port, parameters);
        assert!(sentence.contains(part), "{sentence}");
    }
}

/// Runs a command in this place on a database of the cluster.
fn run(place: &Place, words: &[&str], url: &str) -> Ended {
    let variables = [
        ("TRADEPOST_DATABASE_URL", url),
        ("TRADEPOST_LISTEN", "127.0.0.1:0"),
        ("TRADEPOST_PUBLIC_URL", "https://shop.example.org"),
        ("TRADEPOST_TRUSTED_PROXIES", "127.0.0.1"),
        ("TRADEPOST_STOCK_WRITES", "strict"),
        ("TRADEPOST_BCRYPT_COST", "10"),
        ("TRADEPOST_SUPERUSER_PASSWORD", "correct horse"),
    ];
    place.run_with(words, &variables, "")
}

#[test]
fn check_warns_of_a_remote_host_that_is_not_verified() {
    let ca = FIXTURE.path("ca.pem");
    let database = FIXTURE.cluster.database().unwrap();
    let place = Place::new();
    let local = FIXTURE.url("localhost", &database, "");
    run(&place, &["migrate"], &local).well();
    let ada = ["--username", "ada", "--email", "ada@example.org"];
    let staff = [&["createsuperuser", "--noinput"], &ada[..]].concat();
    run(&place, &staff, &local).well();

    let full = format!("?sslmode=verify-full&sslrootcert={ca}");
    let check = |host: &str, parameters: &str| {
        let url = FIXTURE.url(host, &database, parameters);
        run(&place, &["check", "--deploy"], &url)
    };
    for (parameters, mode) in [
        ("", "prefer"),
        ("?sslmode=disable", "disable"),
        ("?sslmode=require", "require"),
    ] {
        let checked = check(REMOTE, parameters);
        let warning = format!("warning: --database leads to {REMOTE} with sslmode={mode}: ");
        assert!(checked.out.contains(&warning), "{checked:?}");
        assert!(
            checked.out.contains("Set sslmode=verify-full"),
            "{checked:?}"
        );
        assert!(
            checked.out.ends_with("0 errors, 1 warning.\n"),
            "{checked:?}"
        );
        assert_eq!(checked.code, Some(1));
    }
    for (host, parameters) in [(REMOTE, &*full), ("localhost", "")] {
        let checked = check(host, parameters);
        assert!(
            checked.out.ends_with("0 errors, 0 warnings.\n"),
            "{checked:?}"
        );
        assert_eq!(checked.code, Some(0));
    }
}

#[test]
fn a_start_logs_a_remote_host_that_is_not_verified() {
    let ca = FIXTURE.path("ca.pem");
    let database = FIXTURE.cluster.database().unwrap();
    let full = format!("?sslmode=verify-full&sslrootcert={ca}");
    let place = Place::new();
    for (parameters, logged) in [("?sslmode=require", true), (&*full, false)] {
        let url = FIXTURE.url(REMOTE, &database, parameters);
        let mut command = place.command(&["serve", "--listen", "127.0.0.1:0"]);
        command.env("TRADEPOST_DATABASE_URL", url);
        place.start(command).stop();
        let log = place.read("err");
        assert_eq!(log.contains("--database leads to 0.0.0.0"), logged, "{log}");
    }
}
