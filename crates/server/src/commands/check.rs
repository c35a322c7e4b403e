//! `tradepost check`: reports unsafe settings, files and database contents, read-only.

use crate::cli::Check;
use crate::config::{Config, KeySource};
use crate::exit::CliError;
use crate::lost_database::FirstStart;
use crate::preflight::Address;
use crate::system::console::{count, print_line};
use crate::{logging, preflight, signing_keys, wiring};
use ipnet::IpNet;
use std::fmt::Display;
use std::fs;
use std::os::unix::fs::MetadataExt;
use tradepost_auth::SystemClock;
use tradepost_diesel::ShopCurrency;
use tradepost_domain::inventory::StockWrites;
use tradepost_domain::kernel::Clock;

pub(super) fn run(config: &Config, options: &Check) -> Result<(), CliError> {
    let mut findings = Findings::default();
    findings.of_settings(config);
    if options.deploy {
        recommend(config);
    }
    findings.of_start(config);
    findings.of_files(config);
    findings.of_database(config);
    let Findings { errors, warnings } = findings;
    print_line(format_args!(
        "{}, {}.",
        count(errors, "error"),
        count(warnings, "warning")
    ));
    if errors > 0 {
        Err(CliError::Failed(
            "The shop cannot be served like this.".to_owned(),
        ))
    } else if options.deploy && warnings > 0 {
        Err(CliError::Failed(
            "The shop is not fit to be deployed like this.".to_owned(),
        ))
    } else {
        Ok(())
    }
}

/// Prints recommendations. They are not findings: the setting is kept for existing clients, and a
/// shop may have some.
fn recommend(config: &Config) {
    if config.stock_writes == StockWrites::Lenient {
        print_line(format_args!(
            "note: --stock-writes is lenient: a form that was read before a sale gives the sold \
             units back. Choose strict if every client that sets stock sends If-Match."
        ));
    }
}

/// Counts of the findings.
#[derive(Default)]
struct Findings {
    /// Findings that prevent the server from starting.
    errors: u64,
    /// Findings that are unsafe.
    warnings: u64,
}

impl Findings {
    fn error(&mut self, sentence: impl Display) {
        self.errors += 1;
        print_line(format_args!("error: {sentence}"));
    }

    fn warn(&mut self, sentence: impl Display) {
        self.warnings += 1;
        print_line(format_args!("warning: {sentence}"));
    }

    fn warn_if(&mut self, unsafe_: bool, sentence: impl Display) {
        if unsafe_ {
            self.warn(sentence);
        }
    }

    fn of_settings(&mut self, config: &Config) {
        let public = config.public_url.as_ref().map(|url| url.as_str());
        self.warn_if(
            public.is_none(),
            "--public-url is not set: links are made from whatever host the client names.",
        );
        self.warn_if(
            public.is_some_and(|url| url.starts_with("http://")),
            "--public-url is not https: passwords and tokens cross the network in the clear.",
        );
        self.warn_if(
            !config.listens_on_loopback(),
            format_args!(
                "--listen is {}, which others can reach, and the shop has no TLS: \
                 passwords and tokens cross the network in the clear unless a proxy is in front.",
                config.listen
            ),
        );
        self.warn_if(
            config.answers_own_names_only(),
            format_args!(
                "--listen is {}, but requests are answered only if they are for localhost: name \
                 the hosts that clients ask for with --allowed-hosts (TRADEPOST_ALLOWED_HOSTS), \
                 or the shop's own with --public-url.",
                config.listen
            ),
        );
        let any = |list: &[String]| list.iter().any(|entry| entry == "*");
        self.warn_if(
            any(&config.allowed_hosts),
            "--allowed-hosts is *: requests for any host are answered, with links to it.",
        );
        self.warn_if(
            any(&config.allowed_origins),
            "--allowed-origins is *: the pages of any site may use the API.",
        );
        let everybody = |networks: &[IpNet]| networks.iter().any(|net| net.prefix_len() == 0);
        self.warn_if(
            everybody(&config.trusted_proxies),
            "--trusted-proxies is every address: anybody can say that they come from anywhere, \
             which is no limit to them, and opens /metrics.",
        );
        self.warn_if(
            everybody(&config.metrics_allow),
            "--metrics-allow is every address: anybody can read /metrics.",
        );
        self.warn_if(
            everybody(&config.setup_allow),
            "--setup-allow is every address: anybody who learns the setup link can use it.",
        );
        let filters = logging::wanted().unwrap_or_default().to_lowercase();
        self.warn_if(
            filters.contains("debug") || filters.contains("trace"),
            "RUST_LOG asks for debugging: the log grows fast and says more than it should.",
        );
        self.warn_if(
            public.is_some() && config.trusted_proxies.is_empty() && config.throttle.is_some(),
            "--trusted-proxies is not set: behind a proxy, all clients count as one address, \
             and a few of them can keep the others from signing in or registering.",
        );
        if let Some(warning) = tradepost_diesel::tls_warning(&config.database) {
            self.warn(warning);
        }
        self.warn_if(
            config.throttle.is_none(),
            "--throttle is off: passwords can be guessed as fast as they are checked, \
             and anybody can ask as much as they like, and order as often.",
        );
    }

    /// Findings that prevent `serve` from starting, by the same preflight steps.
    fn of_start(&mut self, config: &Config) {
        for step in preflight::STEPS {
            if let Err(exit) = step(config, FirstStart::IfUnused) {
                self.error(exit);
            }
        }
        match preflight::listen(config) {
            Ok(Address::Free) => {}
            Ok(Address::Served) => print_line(format_args!(
                "note: A shop is served on {} already.",
                config.listen
            )),
            Err(exit) => self.error(exit),
        }
    }

    fn of_files(&mut self, config: &Config) {
        let data_dir = config.data_dir.display();
        match fs::metadata(&config.data_dir) {
            Ok(data) => self.warn_if(
                data.is_dir() && data.mode() & 0o077 != 0,
                format_args!(
                    "The data folder {data_dir} is open to others (mode {:o}): run chmod 700 on it.",
                    data.mode() & 0o777
                ),
            ),
            Err(_) => print_line(format_args!(
                "note: The data folder {data_dir} is made at the first start."
            )),
        }
        let exposures = [
            signing_keys::insecure_mode(&config.key),
            wiring::insecure_mode(config),
        ];
        for insecure_mode in exposures.into_iter().flatten() {
            self.warn(insecure_mode);
        }
        if let KeySource::File(path) = &config.key
            && !path.exists()
            && preflight::is_folder_or_missing(&config.data_dir)
            && config.has_folder_for(path)
        {
            print_line(format_args!(
                "note: The signing key {} is made at the first start.",
                path.display()
            ));
        }
        if let Ok(keys) = signing_keys::load(&config.key) {
            let early = keys.ends_early(config.longest_token_life(), SystemClock.now());
            early.iter().for_each(|early| self.warn(early));
        }
    }

    fn of_database(&mut self, config: &Config) {
        match wiring::pending(config) {
            Err(error) if preflight::is_missing(&error) => self.warn(format_args!(
                "There is no database {} yet: `tradepost migrate` makes it.",
                config.database
            )),
            // Reported by the preflight steps.
            Err(_) => {}
            Ok(pending) if pending.is_empty() => {
                // Reported by the preflight steps as well.
                let _ = self.of_contents(config);
            }
            Ok(pending) => self.warn(format_args!(
                "The database lacks {}: run `tradepost migrate`.",
                pending.join(", ")
            )),
        }
    }

    fn of_contents(&mut self, config: &Config) -> Result<(), CliError> {
        for warning in tradepost_diesel::warnings(&config.database)? {
            self.warn(warning);
        }
        let stores = wiring::open(config, ShopCurrency::Like(config.currency))?;
        self.warn_if(
            !stores.accounts.has_staff()?,
            format_args!(
                "There is no active staff user: make one with `tradepost createsuperuser{}`.",
                config.target_options
            ),
        );
        Ok(())
    }
}
