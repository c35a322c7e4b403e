use super::*;
use tradepost_domain::identity::AttemptSettings;

/// The configuration from these arguments and environment variables.
fn config_in(words: &[&str], variables: &[(&str, &str)]) -> Result<Config, String> {
    let environment = |name: &str| {
        let found = variables.iter().find(|(variable, _)| *variable == name);
        found.map(|(_, value)| OsString::from(value))
    };
    Config::from_args(&Args::of(words), &environment).map_err(|exit| match exit {
        CliError::Usage(sentence) => sentence,
        exit => panic!("that is wrong usage: {exit}"),
    })
}

fn config(words: &[&str]) -> Config {
    config_in(words, &[]).unwrap_or_else(|sentence| panic!("{sentence}"))
}

fn refused(words: &[&str]) -> String {
    config_in(words, &[])
        .err()
        .unwrap_or_else(|| panic!("{words:?} are accepted"))
}

#[test]
fn the_defaults() {
    let config = config(&[]);
    assert_eq!(config.listen, "127.0.0.1:8000");
    assert_eq!(config.database.to_string(), "sqlite://./data/tradepost.db");
    assert_eq!(config.data_dir, Path::new("./data"));
    assert_eq!(config.log_file, Path::new("./data/debug.log"));
    assert_eq!(config.access_log, None);
    assert_eq!(config.log_format, LogFormat::Text);
    assert!(config.key == KeySource::File("./data/jwt.key".into()));
    assert_eq!(config.currency.code(), "USD");
    assert_eq!(config.token_life, Duration::days(30));
    assert_eq!(config.request_timeout.as_secs(), 5);
    assert_eq!(config.connections_per_address, 256);
    assert_eq!((config.bcrypt_cost, config.page_size), (12, 10));
    let (attempts, requests) = (AttemptSettings::default(), Throttling::default());
    let orders = OrderQuota {
        open: 1_000,
        hourly: 240,
    };
    let throttle = Throttle {
        attempts,
        requests,
        orders,
    };
    assert_eq!(config.throttle, Some(throttle));
    assert_eq!(config.stock_writes, StockWrites::Lenient);
    assert_eq!(config.public_url, None);
    assert_eq!(
        (config.allowed_origins.len(), config.trusted_proxies.len()),
        (0, 0)
    );
    assert_eq!(config.target_options, "");
}

#[test]
fn origins_have_any_scheme() {
    let origins = "https://Shop.example.org,http://localhost:3000,capacitor://localhost,tauri://localhost,chrome-extension://abcdef,http://[::1]:8080";
    let config = config(&["--allowed-origins", origins]);
    let expected: Vec<String> = origins.split(',').map(str::to_lowercase).collect();
    assert_eq!(config.allowed_origins, expected);
}

#[test]
fn throttling_can_be_set_and_switched_off() {
    assert_eq!(config(&["--throttle", "off"]).throttle, None);
    let words = "--throttle-sign-ins 3 --throttle-all-sign-ins 50 --throttle-registrations 20 \
                 --throttle-user 600 --throttle-address 700 --throttle-network 800 \
                 --throttle-orders 30 --throttle-open-orders 40 \
                 --throttle-account 40 --throttle-repeats 90";
    let words: Vec<&str> = words.split_whitespace().collect();
    let Throttle {
        attempts,
        requests,
        orders,
    } = config(&words).throttle.unwrap();
    let expected = OrderQuota {
        open: 40,
        hourly: 30,
    };
    assert_eq!((orders, requests.network), (expected, 800));
    let network = |address| {
        let config = config(&["--throttle-address", address]);
        config.throttle.unwrap().requests.network
    };
    assert_eq!((network("700"), network("1000000")), (3_500, 5_000_000));
    assert_eq!((requests.user, requests.address), (600, 700));
    assert_eq!((attempts.sign_ins, attempts.sign_ins_per_network), (3, 50));
    assert_eq!(attempts.registrations, 20);
    assert_eq!(
        (attempts.sign_ins_per_account, attempts.any_sign_ins),
        (40, 90)
    );
}

#[test]
fn default_paths_are_inside_the_data_folder() {
    let config = config(&[
        "--data-dir",
        "/srv/shop",
        "--log-file",
        "/var/log/shop",
        "--access-log",
        "./access.log",
        "--log-format",
        "json",
    ]);
    assert_eq!(
        config.database.to_string(),
        "sqlite:///srv/shop/tradepost.db"
    );
    assert!(config.key == KeySource::File("/srv/shop/jwt.key".into()));
    assert_eq!(config.log_file, Path::new("/var/log/shop"));
    assert_eq!(config.access_log, Some(PathBuf::from("./access.log")));
    assert_eq!(config.log_format, LogFormat::Json);
}

#[test]
fn a_wrong_setting_is_named_with_its_value_and_what_is_allowed() {
    for (option, value, allowed) in [
        ("--listen", "8000", "HOST:PORT"),
        ("--listen", "", "HOST:PORT"),
        ("--listen", "localhost:65536", "HOST:PORT"),
        ("--listen", "localhost:+80", "HOST:PORT"),
        ("--listen", ":8000", "HOST:PORT"),
        ("--listen", "::1:8000", "HOST:PORT"),
        ("--listen", "[localhost]:8000", "HOST:PORT"),
        ("--listen", "http://localhost:8000", "HOST:PORT"),
        (
            "--database",
            "mysql://localhost/shop",
            "sqlite, postgres or postgresql",
        ),
        (
            "--database",
            "tradepost.db",
            "sqlite, postgres or postgresql",
        ),
        ("--database", "sqlite://:memory:", "in memory"),
        ("--currency", "usd", "ISO 4217"),
        ("--currency", "XYZ", "ISO 4217"),
        ("--currency", "XAU", "ISO 4217"),
        ("--access-token-minutes", "0", "from 1 to 1440"),
        ("--access-token-minutes", "1441", "from 1 to 1440"),
        ("--token-auth-days", "0", "from 1 to 3650"),
        ("--token-auth-days", "forever", "from 1 to 3650"),
        ("--request-timeout", "0", "from 1 to 300"),
        ("--request-timeout", "5s", "from 1 to 300"),
        ("--request-timeout", "1.5", "from 1 to 300"),
        ("--connections-per-address", "0", "from 1 to 1000000"),
        ("--connections-per-address", "none", "from 1 to 1000000"),
        ("--bcrypt-cost", "9", "from 10 to 14"),
        ("--bcrypt-cost", "15", "from 10 to 14"),
        ("--bcrypt-cost", "+12", "from 10 to 14"),
        ("--bcrypt-cost", "99999999999999999999", "from 10 to 14"),
        ("--throttle", "yes", "on or off"),
        ("--throttle", "ON", "on or off"),
        ("--throttle-user", "0", "from 1 to 1000000"),
        ("--throttle-address", "1e3", "from 1 to 1000000"),
        ("--throttle-network", "0", "from 1 to 10000000"),
        ("--throttle-orders", "0", "from 1 to 1000000"),
        ("--throttle-open-orders", "-1", "from 1 to 1000000"),
        ("--stock-writes", "Strict", "lenient or strict"),
        ("--throttle-sign-ins", "0", "from 1 to 1000000"),
        ("--throttle-all-sign-ins", "many", "from 1 to 1000000"),
        ("--throttle-registrations", "-1", "from 1 to 1000000"),
        ("--throttle-account", "0", "from 1 to 1000000"),
        ("--throttle-repeats", "x", "from 1 to 1000000"),
        ("--page-size", "0", "from 1 to 100"),
        ("--page-size", "101", "from 1 to 100"),
        ("--page-size", "-1", "from 1 to 100"),
        ("--page-size", "", "from 1 to 100"),
        (
            "--allowed-hosts",
            "shop.example.org:80",
            "host names without ports",
        ),
        (
            "--allowed-hosts",
            "https://shop.example.org",
            "host names without ports",
        ),
        ("--allowed-hosts", "a,,b", "separated by commas"),
        ("--allowed-hosts", "", "separated by commas"),
        (
            "--allowed-origins",
            "shop.example.org",
            "such as https://shop.example.org",
        ),
        (
            "--allowed-origins",
            "https://shop.example.org/",
            "without a path",
        ),
        (
            "--allowed-origins",
            "1a://shop.example.org",
            "such as https://shop.example.org",
        ),
        (
            "--allowed-origins",
            "capacitor://",
            "such as https://shop.example.org",
        ),
        (
            "--public-url",
            "shop.example.org",
            "such as https://shop.example.org",
        ),
        (
            "--public-url",
            "https://shop.example.org/?a=1",
            "without query",
        ),
        (
            "--trusted-proxies",
            "proxy.example.org",
            "such as 10.0.0.0/8",
        ),
        ("--trusted-proxies", "10.0.0.0/33", "such as 10.0.0.0/8"),
    ] {
        let sentence = refused(&[&format!("{option}={value}")]);
        let variable = option
            .trim_start_matches('-')
            .to_uppercase()
            .replace('-', "_");
        let start = format!("{option} (TRADEPOST_{variable}");
        assert!(sentence.starts_with(&start), "{sentence}");
        assert!(
            sentence.contains(&format!("is {value:?}, but ")),
            "{sentence}"
        );
        assert!(
            sentence.contains(allowed) && sentence.ends_with('.'),
            "{sentence}"
        );
    }
}

#[test]
fn a_password_in_a_wrong_setting_does_not_show() {
    for url in [
        "mysql://ada:secret@localhost/shop",
        "mysql://ada:sec@ret@localhost/shop?password=secret",
        "mysql://localhost/shop?password=secret",
    ] {
        let sentence = refused(&["--database", url]);
        assert!(
            !sentence.contains("secret") && !sentence.contains("ret@"),
            "{sentence}"
        );
        assert!(sentence.contains("mysql://..."), "{sentence}");
    }
}

#[test]
fn addresses_to_listen_on() {
    for (listen, loopback) in [
        ("127.0.0.1:8000", true),
        ("127.8.0.1:0", true),
        ("[::1]:8000", true),
        ("localhost:8000", true),
        ("0.0.0.0:80", false),
        ("[::]:80", false),
        ("192.168.1.7:8000", false),
        ("shop.example.org:8000", false),
    ] {
        assert_eq!(
            config(&["--listen", listen]).listens_on_loopback(),
            loopback,
            "{listen}"
        );
    }
}

#[test]
fn hosts_that_requests_may_be_for() {
    let hosts = |words: &[&str]| config(words).allowed_hosts.join(" ");
    assert_eq!(
        hosts(&["--listen", "192.168.1.7:80"]),
        "localhost 127.0.0.1 ::1 192.168.1.7"
    );
    assert_eq!(
        hosts(&["--listen", "[fe80::1]:80"]),
        "localhost 127.0.0.1 ::1 fe80::1"
    );
    assert_eq!(
        hosts(&["--public-url", "https://shop.example.org:8443/en"]),
        "localhost 127.0.0.1 ::1 127.0.0.1 shop.example.org"
    );
    let given = ["--allowed-hosts", "a.example.org, b.example.org,[::1],*"];
    assert_eq!(hosts(&given), "a.example.org b.example.org [::1] *");
}

#[test]
fn lists() {
    let config = config(&[
        "--allowed-origins",
        "https://Shop.example.org, http://localhost:3000,*",
        "--trusted-proxies",
        "10.0.0.0/8, 192.168.1.7,::1",
    ]);
    let origins = ["https://shop.example.org", "http://localhost:3000", "*"];
    assert_eq!(config.allowed_origins, origins);
    let networks: Vec<String> = config
        .trusted_proxies
        .iter()
        .map(IpNet::to_string)
        .collect();
    assert_eq!(networks, ["10.0.0.0/8", "192.168.1.7/32", "::1/128"]);
}

#[test]
fn the_database_comes_from_the_first_place_that_names_it() {
    let elsewhere = [("DATABASE_URL", "sqlite://elsewhere.db")];
    let database = |words: &[&str]| config_in(words, &elsewhere).map(|it| it.database.to_string());
    assert_eq!(database(&[]).unwrap(), "sqlite://elsewhere.db");
    assert_eq!(
        database(&["--database", "sqlite://here.db"]).unwrap(),
        "sqlite://here.db"
    );
    let wrong = config_in(&[], &[("DATABASE_URL", "mysql://ada:secret@db/shop")]).err();
    assert_eq!(
        wrong.unwrap(),
        "DATABASE_URL is \"mysql://...db/shop\", but its scheme has to be sqlite, postgres or postgresql."
    );
}

#[test]
fn a_key_in_the_environment_goes_before_its_file() {
    let words = ["--jwt-secret-file", "/run/jwt.key"];
    assert!(config(&words).key == KeySource::File("/run/jwt.key".into()));
    let secret = [("TRADEPOST_JWT_SECRET", "a key")];
    let config =
        config_in(&words, &secret).map(|config| config.key == KeySource::Text("a key".to_owned()));
    assert_eq!(config, Ok(true));
}

#[test]
fn the_same_shop_for_another_command() {
    for (words, options) in [
        (vec!["--data-dir", "./data"], ""),
        (
            vec!["--data-dir", "/srv/my shop"],
            " --data-dir '/srv/my shop'",
        ),
        (vec!["--data-dir", "it's"], " --data-dir 'it'\\''s'"),
        (
            vec!["--database", "postgres://ada:secret@db/shop"],
            " --database postgres://ada@db/shop",
        ),
    ] {
        assert_eq!(config(&words).target_options, options, "{words:?}");
    }
}

#[test]
fn existing_and_planned_folders_are_accepted() {
    let config = config(&["--data-dir", "no/such/data"]);
    for (file, has) in [
        ("file", true),
        ("./file", true),
        ("no/file", true),
        ("./no/such/data/file", true),
        ("no/such/data/more/file", false),
        ("no/other/file", false),
        ("/dev/null/file", false),
        ("/tmp/file", true),
    ] {
        assert_eq!(config.has_folder_for(Path::new(file)), has, "{file}");
    }
}
