//! The validated configuration. An invalid setting stops the start with one sentence.

mod network;
pub(crate) mod setting;

use self::network::{
    default_hosts, host_and_port, host_to_listen_on, hosts, networks, origins, public_url,
};
use self::setting::{Setting, WrongSetting};
use crate::cli::Args;
use crate::exit::CliError;
use crate::logging::LogFormat;
use chrono::Duration;
use std::ffi::OsString;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time;
use tradepost_admin::{ShopZone, UnknownZone};
use tradepost_auth::BcryptHasher;
use tradepost_diesel::DatabaseUrl;
use tradepost_domain::identity::{AttemptSettings, LONGEST_FAMILY};
use tradepost_domain::inventory::{StockLevel, StockWrites};
use tradepost_domain::kernel::{Currency, PageRequest};
use tradepost_domain::orders::OrderQuota;
use tradepost_http::{IpNet, PublicUrl, Throttling};

/// The validated configuration of a server.
pub(crate) struct Config {
    /// Host and port to listen on.
    pub(crate) listen: String,
    pub(crate) database: DatabaseUrl,
    pub(crate) data_dir: PathBuf,
    pub(crate) log_file: PathBuf,
    /// The file of the access records; `None` if they only go to standard error.
    pub(crate) access_log: Option<PathBuf>,
    pub(crate) log_format: LogFormat,
    pub(crate) currency: Currency,
    pub(crate) key: KeySource,
    /// The lifetime of a token from `/api-token-auth/`.
    pub(crate) token_life: Duration,
    /// The lifetime of an access token.
    pub(crate) access_life: Duration,
    /// The lifetime of an unused refresh token.
    pub(crate) refresh_life: Duration,
    pub(crate) request_timeout: time::Duration,
    /// The maximum of concurrent connections of one client address.
    pub(crate) connections_per_address: usize,
    /// Host names, without ports; `*` for any.
    pub(crate) allowed_hosts: Vec<String>,
    pub(crate) bcrypt_cost: u32,
    /// Rate limits and login throttling; `None` if they are switched off.
    pub(crate) throttle: Option<Throttle>,
    pub(crate) stock_writes: StockWrites,
    /// The shop's threshold of low stock.
    pub(crate) low_stock: StockLevel,
    pub(crate) page_size: u32,
    /// Origins; `*` for any.
    pub(crate) allowed_origins: Vec<String>,
    pub(crate) public_url: Option<PublicUrl>,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) metrics_allow: Vec<IpNet>,
    pub(crate) setup_allow: Vec<IpNet>,
    pub(crate) time_zone: ShopZone,
    /// The options that another command needs to address the same shop; empty for the default one.
    pub(crate) target_options: String,
}

/// The rate limits and login throttling limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Throttle {
    pub(crate) attempts: AttemptSettings,
    pub(crate) requests: Throttling,
    pub(crate) orders: OrderQuota,
}

/// The source of the signing keys.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum KeySource {
    /// The key itself.
    Text(String),
    /// A key file.
    File(PathBuf),
}

/// Looks up an environment variable; an empty one counts as not set.
pub(crate) type Environment<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// The environment of this process.
pub(crate) fn environment(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// An environment variable as text.
///
/// # Errors
/// If it is not UTF-8.
pub(crate) fn variable(
    environment: Environment<'_>,
    name: &str,
) -> Result<Option<String>, CliError> {
    let text = environment(name).map(OsString::into_string).transpose();
    text.map_err(|_| CliError::Usage(format!("{name} is not UTF-8, but has to be.")))
}

impl Config {
    /// Validates the settings.
    ///
    /// # Errors
    /// A sentence about the first invalid setting.
    pub(crate) fn from_args(given: &Args, environment: Environment<'_>) -> Result<Self, CliError> {
        let data_dir = &given.data_dir;
        let in_data_dir = |path: &Option<PathBuf>, name: &str| match path {
            Some(path) => path.clone(),
            None => data_dir.join(name),
        };
        let key = match variable(environment, "TRADEPOST_JWT_SECRET")? {
            Some(text) => KeySource::Text(text),
            None => KeySource::File(in_data_dir(&given.jwt_secret_file, "jwt.key")),
        };
        let log_file = in_data_dir(&given.log_file, "debug.log");
        let database = database(given, variable(environment, "DATABASE_URL")?)?;
        let public_url = optional("public-url", &given.public_url, public_url)?;
        let listened_on = host_to_listen_on(Setting::new("listen", &given.listen))?;
        let page_size = Setting::new("page-size", &given.page_size);
        let bcrypt_cost = Setting::new("bcrypt-cost", &given.bcrypt_cost);
        let timeout = Setting::new("request-timeout", &given.request_timeout);
        let connections = Setting::new("connections-per-address", &given.connections_per_address);
        let days = Setting::new("token-auth-days", &given.token_auth_days);
        let minutes = Setting::new("access-token-minutes", &given.access_token_minutes);
        let refresh_days = Setting::new("refresh-token-days", &given.refresh_token_days);
        Ok(Self {
            listen: given.listen.clone(),
            target_options: target_options(given, &database),
            database,
            data_dir: data_dir.clone(),
            access_log: access_log(given, &log_file)?,
            log_format: log_format(Setting::new("log-format", &given.log_format))?,
            log_file,
            currency: currency(Setting::new("currency", &given.currency))?,
            key,
            token_life: Duration::days(days.number(1..=3_650)?),
            access_life: Duration::minutes(minutes.number(1..=1_440)?),
            refresh_life: Duration::days(refresh_days.number(1..=LONGEST_FAMILY.num_days())?),
            request_timeout: time::Duration::from_secs(timeout.number(1..=300)?),
            connections_per_address: connections.number(1..=1_000_000)?,
            allowed_hosts: optional("allowed-hosts", &given.allowed_hosts, hosts)?
                .unwrap_or_else(|| default_hosts(&listened_on, public_url.as_ref())),
            bcrypt_cost: bcrypt_cost.number(BcryptHasher::COSTS)?,
            throttle: throttle(given)?,
            stock_writes: stock_writes(Setting::new("stock-writes", &given.stock_writes))?,
            low_stock: low_stock(Setting::new("low-stock", &given.low_stock))?,
            page_size: page_size.number(1..=PageRequest::MAX_SIZE)?,
            allowed_origins: optional("allowed-origins", &given.allowed_origins, origins)?
                .unwrap_or_default(),
            public_url,
            trusted_proxies: optional("trusted-proxies", &given.trusted_proxies, networks)?
                .unwrap_or_default(),
            metrics_allow: optional("metrics-allow", &given.metrics_allow, networks)?
                .unwrap_or_default(),
            setup_allow: optional("setup-allow", &given.admin.setup_allow, networks)?
                .unwrap_or_default(),
            time_zone: time_zone(Setting::new("time-zone", &given.admin.time_zone))?,
        })
    }

    /// The maximum lifetime of a token that the keys sign.
    pub(crate) fn longest_token_life(&self) -> Duration {
        self.token_life.max(self.access_life)
    }

    /// Whether the folder of a file exists, or will exist once the data folder is created.
    pub(crate) fn has_folder_for(&self, file: &Path) -> bool {
        let folder = folder_of(file);
        let will_be = |data_dir: PathBuf| {
            std::path::absolute(folder).is_ok_and(|folder| data_dir.starts_with(folder))
        };
        folder.is_dir() || std::path::absolute(&self.data_dir).is_ok_and(will_be)
    }

    /// Whether the server listens on all addresses while `Host` headers with its own names and
    /// addresses are not allowed.
    pub(crate) fn answers_own_names_only(&self) -> bool {
        let is_unspecified = |host: &str| {
            let address = host.parse::<IpAddr>();
            address.is_ok_and(|address| address.is_unspecified())
        };
        let is_loopback = |host: &str| {
            let address = host.parse::<IpAddr>();
            host == "localhost" || address.is_ok_and(|address| address.is_loopback())
        };
        let listened_on = host_and_port(&self.listen).map_or("", |(host, _)| host);
        let mut hosts = self.allowed_hosts.iter();
        is_unspecified(listened_on) && hosts.all(|host| is_loopback(host) || is_unspecified(host))
    }

    /// Whether only programs on this machine can reach the server (loopback).
    pub(crate) fn listens_on_loopback(&self) -> bool {
        let host = host_and_port(&self.listen).map_or("", |(host, _)| host);
        let loopback = |address: IpAddr| address.is_loopback();
        host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(loopback)
    }
}

/// The folder that contains a file.
pub(crate) fn folder_of(file: &Path) -> &Path {
    file.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or_else(|| Path::new("."))
}

fn optional<T>(
    name: &str,
    value: &Option<String>,
    read: impl FnOnce(Setting<'_>) -> Result<T, WrongSetting>,
) -> Result<Option<T>, WrongSetting> {
    let value = value.as_deref();
    value
        .map(|value| read(Setting::new(name, value)))
        .transpose()
}

fn database(given: &Args, fallback: Option<String>) -> Result<DatabaseUrl, WrongSetting> {
    let read = |setting: Setting<'_>, url: &str| {
        DatabaseUrl::parse(url).map_err(|wrong| setting.wrong(wrong))
    };
    match (&given.database, fallback) {
        (Some(url), _) => read(Setting::new("database", url), url),
        (None, Some(url)) => read(Setting::variable("DATABASE_URL", &url), &url),
        (None, None) => Ok(DatabaseUrl::sqlite(&given.data_dir.join("tradepost.db"))),
    }
}

fn currency(setting: Setting<'_>) -> Result<Currency, WrongSetting> {
    Currency::from_code(setting.value()).ok_or_else(|| {
        setting.wrong("has to be the three capital letters of a currency (ISO 4217), such as USD")
    })
}

fn on_or_off(setting: Setting<'_>) -> Result<bool, WrongSetting> {
    match setting.value() {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(setting.wrong("has to be on or off")),
    }
}

fn log_format(setting: Setting<'_>) -> Result<LogFormat, WrongSetting> {
    match setting.value() {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err(setting.wrong("has to be text or json")),
    }
}

/// The access log, which has to be a file of its own: in the log file, its records would rotate
/// errors away.
fn access_log(given: &Args, log_file: &Path) -> Result<Option<PathBuf>, WrongSetting> {
    let Some(path) = &given.access_log else {
        return Ok(None);
    };
    let absolute = |path: &Path| std::path::absolute(path).ok();
    if absolute(path) == absolute(log_file) {
        let value = path.to_string_lossy();
        let setting = Setting::new("access-log", &value);
        return Err(setting.wrong("has to be another file than the log file"));
    }
    Ok(Some(path.clone()))
}

fn time_zone(setting: Setting<'_>) -> Result<ShopZone, WrongSetting> {
    let zone = setting.value().parse();
    zone.map_err(|unknown: UnknownZone| setting.wrong(unknown))
}

fn stock_writes(setting: Setting<'_>) -> Result<StockWrites, WrongSetting> {
    match setting.value() {
        "lenient" => Ok(StockWrites::Lenient),
        "strict" => Ok(StockWrites::Strict),
        _ => Err(setting.wrong("has to be lenient or strict")),
    }
}

fn low_stock(setting: Setting<'_>) -> Result<StockLevel, WrongSetting> {
    let units: i64 = setting.number(0..=StockLevel::MAX)?;
    StockLevel::new(units).ok_or_else(|| setting.wrong("has to be a number of units"))
}

fn throttle(given: &Args) -> Result<Option<Throttle>, WrongSetting> {
    let is_on = on_or_off(Setting::new("throttle", &given.throttle))?;
    let number = |name, value: &str| Setting::new(name, value).number(1..=1_000_000);
    let address = number("throttle-address", &given.throttle_address)?;
    let network = optional("throttle-network", &given.throttle_network, |setting| {
        setting.number(1..=Throttling::MAX_NETWORK)
    })?;
    let throttle = Throttle {
        requests: Throttling {
            user: number("throttle-user", &given.throttle_user)?,
            address,
            network: network.unwrap_or_else(|| Throttling::network_of(address)),
        },
        orders: OrderQuota {
            open: number("throttle-open-orders", &given.throttle_open_orders)?,
            hourly: number("throttle-orders", &given.throttle_orders)?,
        },
        attempts: AttemptSettings {
            sign_ins: number("throttle-sign-ins", &given.throttle_sign_ins)?,
            sign_ins_per_network: number("throttle-all-sign-ins", &given.throttle_all_sign_ins)?,
            sign_ins_per_account: number("throttle-account", &given.throttle_account)?,
            any_sign_ins: number("throttle-repeats", &given.throttle_repeats)?,
            registrations: number("throttle-registrations", &given.throttle_registrations)?,
        },
    };
    Ok(is_on.then_some(throttle))
}

/// The options that make another command address the shop of these settings.
fn target_options(given: &Args, database: &DatabaseUrl) -> String {
    let mut options = String::new();
    if given.data_dir != Path::new(Args::DATA_DIR) {
        options += &format!(" --data-dir {}", quoted(&given.data_dir.to_string_lossy()));
    }
    if given.database.is_some() {
        options += &format!(" --database {}", quoted(&database.to_string()));
    }
    options
}

/// Quotes a word for a shell.
fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._/:@".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests;
