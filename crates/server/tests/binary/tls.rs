//! TLS to PostgreSQL, as the real binary speaks it, with a certificate authority of the tests.

use crate::place::{Ended, Place};
use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;
use tempfile::TempDir;
use tradepost_throwaway::certificates::{Authority, Identity, Validity};
use tradepost_throwaway::tls::{handshake_only, stripping_proxy, without_tls};
use tradepost_throwaway::{Cluster, PASSWORD, USER};

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

/// The lines that the server's log has of authorized connections to a database, all but those of
/// its tests.
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

#[test]
fn a_server_that_is_not_secure_as_demanded_stops_the_start() {
    let ca = FIXTURE.path("ca.pem");
    let postgres = FIXTURE.cluster.port();
    let issued = |hosts: &[&str], validity| {
        handshake_only(&FIXTURE.authority.issue(hosts, validity).unwrap()).unwrap()
    };
    let other_host = issued(&["db.example.org"], Validity::Current);
    let expired = issued(&["localhost"], Validity::Expired);
    let self_signed = handshake_only(&Identity::self_signed(&["localhost"]).unwrap()).unwrap();
    let answers_n = without_tls().unwrap();
    let stripped = stripping_proxy(postgres).unwrap();
    let database = FIXTURE.cluster.database().unwrap();
    let full = format!("?sslmode=verify-full&sslrootcert={ca}");
    let verify_ca = format!("?sslmode=verify-ca&sslrootcert={ca}");
    let missing = FIXTURE.path("missing.pem");
    let no_file = format!("?sslmode=verify-full&sslrootcert={missing}");
    let failed = format!("authority in sslrootcert ({ca})");
    let refused = "sslmode=require demands encryption";
    for (port, parameters, said, advice) in [
        (
            other_host,
            &*full,
            "does not match host name",
            "sslmode=verify-full takes a certificate for the host",
        ),
        (expired, &full, "certificate verify failed", &*failed),
        (expired, &verify_ca, "certificate verify failed", &failed),
        (self_signed, &full, "certificate verify failed", &failed),
        (
            self_signed,
            &verify_ca,
            "certificate verify failed",
            &failed,
        ),
        (
            answers_n,
            "?sslmode=require",
            "does not support SSL",
            refused,
        ),
        (
            answers_n,
            &full,
            "does not support SSL",
            "sslmode=verify-full demands encryption",
        ),
        (
            stripped,
            "?sslmode=require",
            "does not support SSL",
            refused,
        ),
        (
            stripped,
            &full,
            "does not support SSL",
            "sslmode=verify-full demands encryption",
        ),
        (
            stripped,
            "?channel_binding=require",
            "channel binding",
            "channel_binding=require demands TLS",
        ),
        (
            postgres,
            &no_file,
            "does not exist",
            "in the file of sslrootcert",
        ),
        (
            postgres,
            "?sslmode=no-verify",
            "invalid sslmode value",
            "sslmode is one of disable,",
        ),
        (
            postgres,
            "?sslmode=require&sslrootcert=system",
            "weak sslmode",
            "sslmode=require",
        ),
    ] {
        let place = Place::new();
        let url = url("localhost", port, &database, parameters);
        let stopped = place.run_with(&["serve"], &[("TRADEPOST_DATABASE_URL", &url)], "");
        let sentence = stopped.sentence(1);
        assert!(
            sentence.starts_with("No secure connection to the database postgres://"),
            "{sentence}"
        );
        for part in [said, advice, "--database (TRADEPOST_DATABASE_URL)"] {
            assert!(sentence.contains(part), "{parameters}: {sentence}");
        }
        assert!(!sentence.contains(PASSWORD), "{sentence}");
        assert!(place.files().is_empty(), "{:?}", place.files());
    }
    // What the proxy is for: where encryption is not demanded, it sees everything.
    migrate(&url("localhost", stripped, &database, ""), &[]).well();
    // Names are not compared unless that is demanded; the certificate is.
    let verify_ca = url("127.0.0.1", postgres, &database, &verify_ca);
    migrate(&verify_ca, &[]).well();
}

#[test]
fn check_warns_of_a_remote_host_that_is_not_verified() {
    let ca = FIXTURE.path("ca.pem");
    let database = FIXTURE.cluster.database().unwrap();
    let place = Place::new();
    let safe = [
        "--public-url",
        "https://shop.example.org",
        "--trusted-proxies",
        "127.0.0.1",
        "--stock-writes",
        "strict",
    ];
    let run = |words: &[&str], host: &str, parameters: &str| {
        let url = FIXTURE.url(host, &database, parameters);
        let listen = ("TRADEPOST_LISTEN", "127.0.0.1:0");
        place.run_with(words, &[("TRADEPOST_DATABASE_URL", &url), listen], "")
    };
    let check = |host: &str, parameters: &str| {
        run(
            &[&["check", "--deploy"], &safe[..]].concat(),
            host,
            parameters,
        )
    };
    let superuser = [
        "createsuperuser",
        "--noinput",
        "--username",
        "ada",
        "--email",
        "ada@example.org",
        "--bcrypt-cost",
        "10",
    ];
    run(&["migrate"], "localhost", "").well();
    let url = FIXTURE.url("localhost", &database, "");
    let password = ("TRADEPOST_SUPERUSER_PASSWORD", "correct horse");
    place
        .run_with(
            &superuser,
            &[("TRADEPOST_DATABASE_URL", &url), password],
            "",
        )
        .well();
    let full = format!("?sslmode=verify-full&sslrootcert={ca}");
    for (host, parameters, mode) in [
        (REMOTE, "", Some("prefer")),
        (REMOTE, "?sslmode=disable", Some("disable")),
        (REMOTE, "?sslmode=require", Some("require")),
        (REMOTE, &full, None),
        ("localhost", "", None),
    ] {
        let checked = check(host, parameters);
        let warning =
            mode.map(|mode| format!("warning: --database leads to {REMOTE} with sslmode={mode}: "));
        match warning {
            Some(warning) => {
                assert!(checked.out.starts_with(&warning), "{checked:?}");
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
            None => {
                assert!(
                    checked.out.ends_with("0 errors, 0 warnings.\n"),
                    "{checked:?}"
                );
                assert_eq!(checked.code, Some(0));
            }
        }
    }
    // And every start writes it down.
    for (parameters, written) in [("?sslmode=require", true), (&*full, false)] {
        let url = FIXTURE.url(REMOTE, &database, parameters);
        let mut command = place.command(&["serve", "--listen", "127.0.0.1:0"]);
        command.env("TRADEPOST_DATABASE_URL", url);
        place.start(command).stop();
        let log = place.read("err");
        assert_eq!(
            log.contains("--database leads to 0.0.0.0"),
            written,
            "{log}"
        );
    }
}
