//! Help, usage and settings, on the real binary.

use crate::place::Place;
use std::fs;
use std::os::unix::fs::PermissionsExt;

#[test]
fn help_prints_every_option_with_its_variable_and_default() {
    let place = Place::new();
    let help = place.run(&["--help"]).well();
    for (option, variable, default) in [
        ("--listen", "TRADEPOST_LISTEN", "127.0.0.1:8000"),
        (
            "--database",
            "TRADEPOST_DATABASE_URL",
            "sqlite://<data dir>/tradepost.db",
        ),
        ("--data-dir", "TRADEPOST_DATA_DIR", "./data"),
        ("--log-file", "TRADEPOST_LOG_FILE", "<data dir>/debug.log"),
        ("--access-log", "TRADEPOST_ACCESS_LOG", ""),
        ("--log-format", "TRADEPOST_LOG_FORMAT", "text"),
        ("--currency", "TRADEPOST_CURRENCY", "USD"),
        (
            "--jwt-secret-file",
            "TRADEPOST_JWT_SECRET_FILE",
            "<data dir>/jwt.key",
        ),
        (
            "--access-token-minutes",
            "TRADEPOST_ACCESS_TOKEN_MINUTES",
            "60",
        ),
        ("--token-auth-days", "TRADEPOST_TOKEN_AUTH_DAYS", "30"),
        ("--request-timeout", "TRADEPOST_REQUEST_TIMEOUT", "5"),
        (
            "--connections-per-address",
            "TRADEPOST_CONNECTIONS_PER_ADDRESS",
            "256",
        ),
        (
            "--allowed-hosts",
            "TRADEPOST_ALLOWED_HOSTS",
            "loopback names",
        ),
        ("--bcrypt-cost", "TRADEPOST_BCRYPT_COST", "12"),
        ("--throttle", "TRADEPOST_THROTTLE", "on"),
        ("--throttle-sign-ins", "TRADEPOST_THROTTLE_SIGN_INS", "5"),
        (
            "--throttle-all-sign-ins",
            "TRADEPOST_THROTTLE_ALL_SIGN_INS",
            "100",
        ),
        ("--throttle-account", "TRADEPOST_THROTTLE_ACCOUNT", "20"),
        ("--throttle-repeats", "TRADEPOST_THROTTLE_REPEATS", "60"),
        (
            "--throttle-registrations",
            "TRADEPOST_THROTTLE_REGISTRATIONS",
            "100",
        ),
        ("--throttle-user", "TRADEPOST_THROTTLE_USER", "1200"),
        ("--throttle-address", "TRADEPOST_THROTTLE_ADDRESS", "6000"),
        ("--page-size", "TRADEPOST_PAGE_SIZE", "10"),
        ("--allowed-origins", "TRADEPOST_ALLOWED_ORIGINS", ""),
        ("--public-url", "TRADEPOST_PUBLIC_URL", ""),
        ("--metrics-allow", "TRADEPOST_METRICS_ALLOW", ""),
        ("--setup-allow", "TRADEPOST_SETUP_ALLOW", ""),
        ("--time-zone", "TRADEPOST_TIME_ZONE", "UTC"),
        ("--trusted-proxies", "TRADEPOST_TRUSTED_PROXIES", ""),
    ] {
        let line = help
            .lines()
            .find(|line| line.contains(&format!(" {option} ")));
        let line = line.unwrap_or_else(|| panic!("{option} is not in {help}"));
        assert!(line.contains(&format!("[env: {variable}]")), "{line}");
        let default = format!("[default: {default}");
        assert!(default.ends_with(' ') || line.contains(&default), "{line}");
    }
    for word in [
        "TRADEPOST_JWT_SECRET ",
        "TRADEPOST_SUPERUSER_PASSWORD",
        "DATABASE_URL",
        "RUST_LOG",
    ] {
        assert!(help.contains(word), "{word}");
    }
    for command in [
        "serve",
        "migrate",
        "createsuperuser",
        "changepassword",
        "verify",
        "check",
    ] {
        assert!(help.contains(&format!("\n  {command} ")), "{command}");
        let own = place.run(&[command, "--help"]).well();
        assert!(own.contains("--database"), "{command}");
    }
    assert_eq!(place.run(&["--version"]).well(), "tradepost 0.1.0\n");
}

#[test]
fn help_shows_no_value_of_a_variable() {
    let secret = ("TRADEPOST_DATABASE_URL", "postgres://ada:secret@db/shop");
    let help = Place::new().run_with(&["--help"], &[secret], "").well();
    assert!(!help.contains("secret@"));
}

#[test]
fn wrong_usage_ends_with_2() {
    let place = Place::new();
    for words in [
        ["--no-such-option", ""],
        ["dance", ""],
        ["verify", "me"],
        ["changepassword", ""],
        ["migrate", "--demo"],
        ["--listen", ""],
    ] {
        let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        assert_eq!(place.run(&words).code, Some(2), "{words:?}");
    }
    assert_eq!(place.run(&["migrate", "--plan", "--revert"]).code, Some(2));
    assert!(place.files().is_empty());
}

#[test]
fn a_wrong_setting_ends_with_2_wherever_it_comes_from() {
    let place = Place::new();
    for (option, variable, value, allowed) in [
        ("--listen", "TRADEPOST_LISTEN", "8000", "HOST:PORT"),
        (
            "--database",
            "TRADEPOST_DATABASE_URL",
            "mysql://db/shop",
            "sqlite, postgres or postgresql",
        ),
        ("--currency", "TRADEPOST_CURRENCY", "dollars", "ISO 4217"),
        (
            "--access-token-minutes",
            "TRADEPOST_ACCESS_TOKEN_MINUTES",
            "0",
            "1 to 1440",
        ),
        (
            "--token-auth-days",
            "TRADEPOST_TOKEN_AUTH_DAYS",
            "never",
            "1 to 3650",
        ),
        (
            "--request-timeout",
            "TRADEPOST_REQUEST_TIMEOUT",
            "-1",
            "1 to 300",
        ),
        (
            "--connections-per-address",
            "TRADEPOST_CONNECTIONS_PER_ADDRESS",
            "0",
            "1 to 1000000",
        ),
        (
            "--allowed-hosts",
            "TRADEPOST_ALLOWED_HOSTS",
            "a b",
            "host names",
        ),
        ("--bcrypt-cost", "TRADEPOST_BCRYPT_COST", "9", "10 to 14"),
        ("--throttle", "TRADEPOST_THROTTLE", "maybe", "on or off"),
        (
            "--throttle-sign-ins",
            "TRADEPOST_THROTTLE_SIGN_INS",
            "0",
            "1 to 1000000",
        ),
        (
            "--throttle-user",
            "TRADEPOST_THROTTLE_USER",
            "-5",
            "1 to 1000000",
        ),
        (
            "--throttle-address",
            "TRADEPOST_THROTTLE_ADDRESS",
            "1000001",
            "1 to 1000000",
        ),
        (
            "--throttle-all-sign-ins",
            "TRADEPOST_THROTTLE_ALL_SIGN_INS",
            "few",
            "1 to 1000000",
        ),
        (
            "--throttle-registrations",
            "TRADEPOST_THROTTLE_REGISTRATIONS",
            "0",
            "1 to 1000000",
        ),
        ("--page-size", "TRADEPOST_PAGE_SIZE", "1000", "1 to 100"),
        (
            "--allowed-origins",
            "TRADEPOST_ALLOWED_ORIGINS",
            "example.org",
            "https://shop.example.org",
        ),
        (
            "--public-url",
            "TRADEPOST_PUBLIC_URL",
            "example.org",
            "https://shop.example.org",
        ),
        (
            "--metrics-allow",
            "TRADEPOST_METRICS_ALLOW",
            "everybody",
            "10.0.0.0/8",
        ),
        (
            "--setup-allow",
            "TRADEPOST_SETUP_ALLOW",
            "everybody",
            "10.0.0.0/8",
        ),
        (
            "--time-zone",
            "TRADEPOST_TIME_ZONE",
            "Berlin",
            "Europe/Berlin",
        ),
        (
            "--trusted-proxies",
            "TRADEPOST_TRUSTED_PROXIES",
            "proxy",
            "10.0.0.0/8",
        ),
    ] {
        let given = format!("{option}={value}");
        let by_option = place.run(&["serve", &given]).sentence(2);
        let by_variable = place.run_with(&[], &[(variable, value)], "").sentence(2);
        assert_eq!(by_option, by_variable);
        for part in [option, variable, &format!("{value:?}"), allowed] {
            assert!(by_option.contains(part), "{part} is not in: {by_option}");
        }
    }
    assert!(place.files().is_empty(), "nothing was made");
}

#[test]
fn settings_stand_before_the_command_or_after_it_and_go_before_variables() {
    let place = Place::new();
    let variable = ("TRADEPOST_DATA_DIR", "three");
    place.run(&["--data-dir", "one", "migrate"]).well();
    place.run(&["migrate", "--data-dir", "two"]).well();
    place.run_with(&["migrate"], &[variable], "").well();
    place
        .run_with(&["migrate", "--data-dir", "four"], &[variable], "")
        .well();
    for folder in ["one", "two", "three", "four"] {
        assert!(place.path(folder).join("tradepost.db").exists(), "{folder}");
    }
    assert_eq!(
        fs::metadata(place.path("one"))
            .unwrap()
            .permissions()
            .mode()
            & 0o777,
        0o700
    );
}

#[test]
fn an_empty_variable_counts_as_not_set() {
    let place = Place::new();
    let empty = [
        ("TRADEPOST_DATA_DIR", ""),
        ("TRADEPOST_DATABASE_URL", ""),
        ("DATABASE_URL", ""),
        ("TRADEPOST_PAGE_SIZE", ""),
        ("TRADEPOST_PUBLIC_URL", ""),
        ("TRADEPOST_DEMO", ""),
        ("RUST_LOG", ""),
    ];
    place.run_with(&["migrate"], &empty, "").well();
    assert!(place.path("data/tradepost.db").exists());
}

/// An operator would notice a missing log only when it is needed.
#[test]
fn a_log_that_nothing_would_be_in_stops_the_start() {
    let place = Place::new();
    for command in [&["serve", "--listen", "127.0.0.1:0"][..], &["check"]] {
        let loud = place.run_with(command, &[("RUST_LOG", "loud")], "");
        assert!(
            loud.err.contains("RUST_LOG is wrong at \"loud\""),
            "{loud:?}"
        );
        assert_eq!(loud.code, Some(2), "{loud:?}");
    }
}

#[test]
fn the_database_may_be_named_as_other_programs_name_it() {
    let place = Place::new();
    let url = ("DATABASE_URL", "sqlite://shop.db");
    place.run_with(&["migrate"], &[url], "").well();
    assert!(place.path("shop.db").exists());
    let ours = ("TRADEPOST_DATABASE_URL", "sqlite://ours.db");
    place.run_with(&["migrate"], &[url, ours], "").well();
    assert!(place.path("ours.db").exists());
}
