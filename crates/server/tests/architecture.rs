//! Architecture tests: dependency rules and limits that the documentation promises.

#![expect(
    clippy::unwrap_used,
    reason = "a tree that cannot be read has failed the test"
)]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

type Names = BTreeSet<String>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The dependency closure of a package: its normal dependencies, transitively.
fn closure(package: &str) -> Names {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "--locked",
            "--edges",
            "normal",
            "--prefix",
            "none",
        ])
        .args(["--package", package])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let lines = String::from_utf8(output.stdout).unwrap();
    lines
        .lines()
        .filter_map(|line| line.split(' ').next())
        .map(str::to_owned)
        .collect()
}

/// Allow list of the domain's dependency closure. A crate outside of it needs a reason why rules
/// cannot do without it.
fn impurities(closure: &Names) -> Names {
    let pure = [
        // dates
        "chrono",
        "num-traits",
        // currencies
        "iso_currency",
        "iso_country",
        "lazy_static",
        // usernames and passwords: Unicode tables and functions
        "precis-profiles",
        "precis-core",
        "unicode-normalization",
        "unicode-security",
        "unicode-script",
        "tinyvec",
        // derives errors; a proc macro, compile time only
        "thiserror",
        "thiserror-impl",
        "proc-macro2",
        "quote",
        "syn",
        "unicode-ident",
        "tradepost-domain",
    ];
    closure
        .iter()
        .filter(|name| !pure.contains(&name.as_str()))
        .cloned()
        .collect()
}

#[test]
fn the_domain_is_pure() {
    assert_eq!(impurities(&closure("tradepost-domain")), Names::new());
}

#[test]
fn an_impure_crate_would_be_found() {
    let found = impurities(&closure("tradepost-http"));
    for name in ["serde", "actix-web", "tokio", "log"] {
        assert!(found.contains(name), "{name} was not found: {found:?}");
    }
}

/// The HTTP clients and other programs that fetch, among the crates of a closure.
fn fetchers(closure: &Names) -> Names {
    let known = [
        "attohttpc",
        "awc",
        "curl",
        "h3",
        "hyper",
        "hyper-util",
        "isahc",
        "lettre",
        "minreq",
        "reqwest",
        "surf",
        "trust-dns-resolver",
        "hickory-resolver",
        "tungstenite",
        "ureq",
    ];
    closure
        .iter()
        .filter(|name| known.contains(&name.as_str()))
        .cloned()
        .collect()
}

/// The server connects to its database only. A change of that needs a section in docs/security.md
/// on protection against server-side request forgery (SSRF).
#[test]
fn the_binary_has_no_http_client() {
    let closure = closure("tradepost");
    assert!(closure.contains("actix-web"), "the names are read");
    assert_eq!(fetchers(&closure), Names::new());
}

#[test]
fn an_http_client_would_be_found() {
    let closure = ["actix-web", "hyper-util"].map(str::to_owned).into();
    assert_eq!(fetchers(&closure), Names::from(["hyper-util".to_owned()]));
}

/// The allowed dependencies between the workspace's crates.
#[test]
fn crates_depend_inwards() {
    for (package, allowed) in [
        ("tradepost-domain", &[][..]),
        ("tradepost-memory", &["tradepost-domain"]),
        ("tradepost-contract", &["tradepost-domain"]),
        ("tradepost-auth", &["tradepost-domain"]),
        (
            "tradepost-batch",
            &["tradepost-domain", "tradepost-metrics"],
        ),
        ("tradepost-metrics", &[]),
        (
            "tradepost-diesel",
            &["tradepost-domain", "tradepost-sqlite-deadline"],
        ),
        ("tradepost-sqlite-deadline", &[]),
        (
            "tradepost-import-django",
            &["tradepost-domain", "tradepost-text-file"],
        ),
        (
            "tradepost-product-csv",
            &["tradepost-domain", "tradepost-text-file"],
        ),
        ("tradepost-text-file", &[]),
        (
            "tradepost-http",
            &["tradepost-batch", "tradepost-domain", "tradepost-metrics"],
        ),
        (
            "tradepost-admin",
            &[
                "tradepost-batch",
                "tradepost-domain",
                "tradepost-http",
                "tradepost-metrics",
                "tradepost-product-csv",
                "tradepost-text-file",
            ],
        ),
    ] {
        let mut used = closure(package);
        used.retain(|name| name.starts_with("tradepost") && name != package);
        let allowed: Names = allowed.iter().map(|&name| name.to_owned()).collect();
        assert_eq!(used, allowed, "{package}");
    }
}

/// The files of a crate's `src` with this ending.
fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

fn all_sources() -> Vec<PathBuf> {
    let mut files = Vec::new();
    for package in fs::read_dir(root().join("crates")).unwrap() {
        sources(&package.unwrap().path().join("src"), &mut files);
    }
    files
}

#[test]
fn status_codes_are_named_in_four_files() {
    let mut naming = Vec::new();
    for file in all_sources() {
        let text = fs::read_to_string(&file).unwrap();
        // Test code is exempt: it may assert status codes.
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let is_test = file.to_string_lossy().ends_with("tests.rs");
        if code.contains("StatusCode::") && !is_test {
            naming.push(file.file_name().unwrap().to_string_lossy().into_owned());
        }
    }
    naming.sort();
    // Errors and responses of the API, the layer that compresses some of them, and the pages of the
    // admin interface, whose errors have the status of their code.
    let allowed = ["compression.rs", "error.rs", "page.rs", "responses.rs"];
    assert_eq!(naming, allowed);
}

#[test]
fn no_amount_is_a_float() {
    for file in all_sources() {
        let text = fs::read_to_string(&file).unwrap();
        let float = text
            .split(|c: char| !c.is_alphanumeric())
            .any(|w| w == "f64" || w == "f32");
        assert!(!float, "{} names a float", file.display());
    }
}

/// The workspace forbids unsafe code; one crate has lints of its own.
#[test]
fn unsafe_code_is_in_one_crate() {
    let mut exempt = Vec::new();
    for package in fs::read_dir(root().join("crates")).unwrap() {
        let folder = package.unwrap().path();
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        if !manifest.contains("[lints]\nworkspace = true") {
            exempt.push(folder.file_name().unwrap().to_string_lossy().into_owned());
        }
    }
    assert_eq!(exempt, ["sqlite-deadline"]);
    let workspace = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(workspace.contains("unsafe_code = \"forbid\""));
}

/// `scripts/openssl-perl` with this search path: its exit code and what it says.
fn openssl_perl(path: &Path) -> (Option<i32>, String) {
    let output = Command::new("/bin/sh")
        .arg(root().join("scripts/openssl-perl"))
        .arg("./Configure")
        .env("PATH", path)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), said)
}

#[test]
fn the_build_names_what_openssl_lacks() {
    let folder = tempfile::tempdir().unwrap();
    let program = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    };
    let lacks = |what: &str| {
        let (code, said) = openssl_perl(folder.path());
        assert_eq!(code, Some(1), "{said}");
        let start = format!("OpenSSL cannot be built: {what} is missing. Install perl and make");
        assert!(said.starts_with(&start), "{said}");
        assert!(said.contains("--no-default-features"), "{said}");
    };
    lacks("perl");
    program("perl", "#!/bin/sh\nexit 2\n");
    lacks("a module of perl's standard library");
    program(
        "perl",
        "#!/bin/sh\n[ \"$1\" != ./Configure ] || echo \"$@\" >&2\n",
    );
    lacks("make");
    program("make", "#!/bin/sh\n");
    let (code, configured) = openssl_perl(folder.path());
    assert_eq!(code, Some(0), "{configured}");
    assert!(
        configured.starts_with("./Configure no-apps no-quic "),
        "{configured}"
    );
}
