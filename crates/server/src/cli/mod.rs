//! The command line (clap). The values of settings are validated in [`crate::config`].

mod admin;
mod command;

pub(crate) use command::{
    Backup, ChangePassword, Check, Command, CreateSuperuser, Export, ExportProducts, Import,
    ImportDjango, ImportProducts, Migrate, RotateKey, Serve,
};

use self::admin::AdminArgs;
use crate::config::setting::WrongSetting;
use crate::exit::CliError;
use clap::builder::Resettable;
use clap::{CommandFactory, FromArgMatches, Parser};
use std::error::Error;
use std::ffi::OsString;
use std::path::PathBuf;

const ONLY_FROM_THE_ENVIRONMENT: &str = "\
Only from the environment:
  TRADEPOST_JWT_SECRET          The signing key itself, instead of a file
  TRADEPOST_SUPERUSER_PASSWORD  The password for `createsuperuser --noinput`
  DATABASE_URL                  The database, if TRADEPOST_DATABASE_URL is not set
  RUST_LOG                      What is logged: error, warn, info, debug or trace [default: info]

A variable that is empty counts as not set. Exit codes: 0 well, 1 failed, 2 wrong usage.";

/// A shop's whole back end: catalogue, carts, orders, stock and users behind a REST API
#[derive(Debug, Parser)]
#[command(name = "tradepost", version, after_help = ONLY_FROM_THE_ENVIRONMENT)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) settings: Args,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// The raw settings, as on the command line. Each may stand before or after the command.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Settings")]
#[expect(
    rustdoc::bare_urls,
    rustdoc::invalid_html_tags,
    reason = "these are the texts of --help"
)]
pub(crate) struct Args {
    /// Where to listen; port 0 takes a free one
    #[arg(
        long,
        global = true,
        env = "TRADEPOST_LISTEN",
        hide_env_values = true,
        value_name = "HOST:PORT",
        default_value = "127.0.0.1:8000"
    )]
    pub(crate) listen: String,
    /// sqlite://PATH is relative, sqlite:///PATH absolute; or postgres://USER:PASSWORD@HOST/NAME
    /// [default: sqlite://<data dir>/tradepost.db]
    #[arg(
        long,
        global = true,
        env = "TRADEPOST_DATABASE_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub(crate) database: Option<String>,
    /// The folder of what the shop keeps in files
    #[arg(long, global = true, env = "TRADEPOST_DATA_DIR", hide_env_values = true, value_name = "PATH", default_value = Args::DATA_DIR)]
    pub(crate) data_dir: PathBuf,
    /// Where log lines go besides standard error [default: <data dir>/debug.log]
    #[arg(
        long,
        global = true,
        env = "TRADEPOST_LOG_FILE",
        hide_env_values = true,
        value_name = "PATH"
    )]
    pub(crate) log_file: Option<PathBuf>,
    /// A file for access records, besides standard error; they never go to the log file
    #[arg(
        long,
        global = true,
        env = "TRADEPOST_ACCESS_LOG",
        hide_env_values = true,
        value_name = "PATH"
    )]
    pub(crate) access_log: Option<PathBuf>,
    /// The format of the log: text or json (one object per line)
    #[arg(
        long,
        global = true,
        env = "TRADEPOST_LOG_FORMAT",
        hide_env_values = true,
        value_name = "TEXT|JSON",
        default_value = "text"
    )]
    pub(crate) log_format: String,
    /// The shop's currency, by its three letters (ISO 4217); the first start fixes it
    #[arg(
        long,
        global = true,
        env = "TRADEPOST_CURRENCY",
        hide_env_values = true,
        value_name = "CODE",
        default_value = "USD"
    )]
    pub(crate) currency: String,
    /// The keys that sign tokens, made if they are missing; `tradepost rotate-key` adds another.
    /// Servers on one database share them [default: <data dir>/jwt.key]
    #[arg(
        long,
        global = true,
        env = "TRADEPOST_JWT_SECRET_FILE",
        hide_env_values = true,
        value_name = "PATH"
    )]
    pub(crate) jwt_secret_file: Option<PathBuf>,
    /// How long an access token lasts, in minutes
    #[arg(
        long,
        global = true,
        env = "TRADEPOST_ACCESS_TOKEN_MINUTES",
        hide_env_values = true,
        value_name = "MINUTES",
        default_value = "60"
    )]
    pub(crate) access_token_minutes: String,
    /// How long a refresh token lasts that is not used, in days
    #[arg(
        long,
        global = true,
        env = "TRADEPOST_REFRESH_TOKEN_DAYS",
        hide_env_values = true,
        value_name = "DAYS",
        default_value = "30"
    )]
    pub(crate) refresh_token_days: String,
    /// How long a token from /api-token-auth/ lasts, in days
    #[arg(
        long,
        global = true,
        env = "TRADEPOST_TOKEN_AUTH_DAYS",
        hide_env_values = true,
        value_name = "DAYS",
        default_value = "30"
    )]
    pub(crate) token_auth_days: String,
    /// How long a request may take, in seconds
    #[arg(
        long,
        global = true,
        env = "TRADEPOST_REQUEST_TIMEOUT",
        hide_env_values = true,
        value_name = "SECONDS",
        default_value = "5"
    )]
    pub(crate) request_timeout: String,
    /// Connections at once from one address (IPv6: one /64); trusted proxies and this machine's
    /// loopback address have no such bound
    #[arg(
        long,
        global = true,
        env = "TRADEPOST_CONNECTIONS_PER_ADDRESS",
        hide_env_values = true,
        value_name = "MOST",
        default_value = "256"
    )]
    pub(crate) connections_per_address: String,
    /// Host names that requests may be for, separated by commas; * for any [default: loopback names,
    /// the address listened on, the public URL's host]
    #[arg(
        long,
        global = true,
        env = "TRADEPOST_ALLOWED_HOSTS",
        hide_env_values = true,
        value_name = "HOSTS"
    )]
    pub(crate) allowed_hosts: Option<String>,
    /// The cost of hashing a password, 10 to 14; each step takes twice as long
    #[arg(
        long,
        global = true,
        env = "TRADEPOST_BCRYPT_COST",
        hide_env_values = true,
        value_name = "COST",
        default_value = "12"
    )]
    pub(crate) bcrypt_cost: String,
    /// Whether clients are slowed down that ask too much: on or off
    #[arg(
        long,
        global = true,
        env = "TRADEPOST_THROTTLE",
        hide_env_values = true,
        value_name = "ON|OFF",
        default_value = "on"
    )]
    pub(crate) throttle: String,
    /// Requests a minute of one user, all of which may come at once; expensive ones count several times
    #[arg(
        long,
        global = true,
        env = "TRADEPOST_THROTTLE_USER",
        hide_env_values = true,
        value_name = "REQUESTS",
        default_value = "1200"
    )]
    pub(crate) throttle_user: String,
    /// The same of one address (IPv6: one /64), for what is asked without being signed in
    #[arg(
        long,
        global = true,
        env = "TRADEPOST_THROTTLE_ADDRESS",
        hide_env_values = true,
        value_name = "REQUESTS",
        default_value = "6000"
    )]
    pub(crate) throttle_address: String,
    /// The same of all users behind one network (an IPv4 address, or an IPv6 /48), and of all that is
    /// asked from there without being signed in [default: 5 times --throttle-address]
    #[arg(
        long,
        global = true,
        env = "TRADEPOST_THROTTLE_NETWORK",
        hide_env_values = true,
        value_name = "REQUESTS"
    )]
    pub(crate) throttle_network: Option<String>,
    /// Orders that one customer may place in an hour, those that are cancelled included
    #[arg(
        long,
        global = true,
        env = "TRADEPOST_THROTTLE_ORDERS",
        hide_env_values = true,
        value_name = "ORDERS",
        default_value = "240"
    )]
    pub(crate) throttle_orders: String,
    /// Orders of one customer that may be pending at once
    #[arg(
        long,
        global = true,
        env = "TRADEPOST_THROTTLE_OPEN_ORDERS",
        hide_env_values = true,
        value_name = "ORDERS",
        default_value = "1000"
    )]
    pub(crate) throttle_open_orders: String,
    /// Wrong sign-ins at one account from one address that are free; then each has to wait, and
    /// longer each time. 15 minutes without one end it
    #[arg(
        long,
        global = true,
        env = "TRADEPOST_THROTTLE_SIGN_INS",
        hide_env_values = true,
        value_name = "TRIES",
        default_value = "5"
    )]
    pub(crate) throttle_sign_ins: String,
    /// Wrong sign-ins at all accounts from one address in 15 minutes
    #[arg(
        long,
        global = true,
        env = "TRADEPOST_THROTTLE_ALL_SIGN_INS",
        hide_env_values = true,
        value_name = "TRIES",
        default_value = "100"
    )]
    pub(crate) throttle_all_sign_ins: String,
    /// Wrong sign-ins at one account from all addresses together that are free; then they are spaced
    /// by 1 to 16 seconds. Networks of the account's latest sign-ins are exempt
    #[arg(
        long,
        global = true,
        env = "TRADEPOST_THROTTLE_ACCOUNT",
        hide_env_values = true,
        value_name = "TRIES",
        default_value = "20"
    )]
    pub(crate) throttle_account: String,
    /// Sign-ins at one account from one address in 15 minutes, with the right password too
    #[arg(
        long,
        global = true,
        env = "TRADEPOST_THROTTLE_REPEATS",
        hide_env_values = true,
        value_name = "TRIES",
        default_value = "60"
    )]
    pub(crate) throttle_repeats: String,
    /// Registrations from one address in 15 minutes, those that are refused too
    #[arg(
        long,
        global = true,
        env = "TRADEPOST_THROTTLE_REGISTRATIONS",
        hide_env_values = true,
        value_name = "TRIES",
        default_value = "100"
    )]
    pub(crate) throttle_registrations: String,
    /// Whether a product's stock may be set without If-Match: lenient or strict. Strict keeps a form
    /// that was read before a sale from giving the sold units back
    #[arg(
        long,
        global = true,
        env = "TRADEPOST_STOCK_WRITES",
        hide_env_values = true,
        value_name = "LENIENT|STRICT",
        default_value = "lenient"
    )]
    pub(crate) stock_writes: String,
    /// Units on hand at which a product is low in stock, unless it has a threshold of its own
    #[arg(
        long,
        global = true,
        env = "TRADEPOST_LOW_STOCK",
        hide_env_values = true,
        value_name = "UNITS",
        default_value = "5"
    )]
    pub(crate) low_stock: String,
    /// Rows on a page, if the request does not say: 1 to 100
    #[arg(
        long,
        global = true,
        env = "TRADEPOST_PAGE_SIZE",
        hide_env_values = true,
        value_name = "ROWS",
        default_value = "10"
    )]
    pub(crate) page_size: String,
    /// Origins whose pages may use the API, such as https://shop.example.org, separated by commas
    #[arg(
        long,
        global = true,
        env = "TRADEPOST_ALLOWED_ORIGINS",
        hide_env_values = true,
        value_name = "ORIGINS"
    )]
    pub(crate) allowed_origins: Option<String>,
    /// The address that the shop has for its clients, such as https://shop.example.org
    #[arg(
        long,
        global = true,
        env = "TRADEPOST_PUBLIC_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub(crate) public_url: Option<String>,
    /// Addresses or networks of proxies whose X-Forwarded headers count, separated by commas
    #[arg(
        long,
        global = true,
        env = "TRADEPOST_TRUSTED_PROXIES",
        hide_env_values = true,
        value_name = "NETWORKS"
    )]
    pub(crate) trusted_proxies: Option<String>,
    /// Addresses or networks that may read /metrics besides this machine, separated by commas
    #[arg(
        long,
        global = true,
        env = "TRADEPOST_METRICS_ALLOW",
        hide_env_values = true,
        value_name = "NETWORKS"
    )]
    pub(crate) metrics_allow: Option<String>,
    #[command(flatten)]
    pub(crate) admin: AdminArgs,
}

impl Args {
    /// The default data folder.
    pub(crate) const DATA_DIR: &str = "./data";
}

/// Parses the command line and the environment. Ends the process where clap answers by its own
/// rules: help, version and wrong usage.
///
/// # Errors
/// If a setting that is validated here is invalid.
pub(crate) fn read() -> Result<(Args, Command), CliError> {
    parse(std::env::args_os().collect()).or_else(|answer| {
        let wrong = answer.source().and_then(|source| source.downcast_ref());
        match wrong {
            Some(wrong) => Err(CliError::from(WrongSetting::clone(wrong))),
            None => answer.exit(),
        }
    })
}

fn parse(mut words: Vec<OsString>) -> Result<(Args, Command), clap::Error> {
    let parser = without_empty_variables(Cli::command());
    loop {
        let matches = parser.clone().try_get_matches_from(&words)?;
        let Cli { settings, command } = Cli::from_arg_matches(&matches)?;
        if let Some(command) = command {
            return Ok((settings, command));
        }
        // The default command is made explicit, so that its own options are parsed as well.
        words.push("serve".into());
    }
}

/// An environment variable that is set to the empty string counts as not set.
fn without_empty_variables(parser: clap::Command) -> clap::Command {
    fn unset(argument: clap::Arg) -> clap::Arg {
        let variable = argument.get_env().and_then(std::env::var_os);
        if variable.is_some_and(|value| value.is_empty()) {
            argument.env(Resettable::Reset)
        } else {
            argument
        }
    }
    parser
        .mut_args(unset)
        .mut_subcommands(|command| command.mut_args(unset))
}

#[cfg(test)]
impl Args {
    /// The settings of these arguments, without the environment.
    pub(crate) fn of(words: &[&str]) -> Self {
        let parser = Cli::command().mut_args(|argument| argument.env(Resettable::Reset));
        let words = std::iter::once("tradepost").chain(words.iter().copied());
        let matches = parser.try_get_matches_from(words).unwrap();
        Cli::from_arg_matches(&matches).unwrap().settings
    }
}

#[cfg(test)]
mod tests;
