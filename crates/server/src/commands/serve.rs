//! `tradepost serve`: creates missing files and the database, and serves the shop until a signal
//! stops it.

use crate::cli::Serve;
use crate::config::{Config, KeySource};
use crate::exit::CliError;
use crate::logging::print_line;
use crate::lost_database::{FirstStart, SERVING};
use crate::system::signals::{self, Signals};
use crate::{demo, logging, preflight, retention, signing_keys, stock_check, wiring};
use actix_web::rt::System;
use std::error::Error;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};
use tradepost_admin::{Admin, AdminConfig, ProductFiles, SetupLink};
use tradepost_auth::{JwtTokens, SystemClock};
use tradepost_batch::Batchers;
use tradepost_diesel::ShopCurrency;
use tradepost_domain::Stores;
use tradepost_domain::import::products::ProductImports;
use tradepost_http::{Api, Backend, PublicUrl, Settings};

/// Grace period at shutdown for orders that the database has not answered.
const BATCHER_GRACE: Duration = Duration::from_secs(10);

/// Grace period at shutdown for threads that have no work left.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(5);

pub(super) fn run(config: &Config, options: &Serve) -> Result<(), CliError> {
    serve(config, options).map_err(|exit| preflight::explain(config, exit))
}

fn serve(config: &Config, options: &Serve) -> Result<(), CliError> {
    signals::survive().map_err(cannot_serve)?;
    // Preflight first: errors are found before anything is created, and a second server that is
    // started by mistake changes nothing.
    preflight::run(config, FirstStart::new(options.new))?;
    let listener = TcpListener::bind(&config.listen)
        .map_err(|error| preflight::not_listening(config, &error))?;
    let address = listener.local_addr().map_err(cannot_serve)?;
    wiring::make_data_dir(config)?;
    logging::to_files(
        &config.log_file,
        config.access_log.as_deref(),
        config.log_format,
    )?;
    let mut news = Vec::new();
    for name in wiring::migrate(config)? {
        log::info!(migration = name; "applied the migration {name}");
        news.push(format!("Applied the migration {name}."));
    }
    // After the database: a key without a database is evidence of a lost database.
    let keys = signing_keys::load_or_make(&config.key)?;
    if options.new && news.is_empty() {
        log::warn!(
            "--new was given and not needed: leave it out, so that a lost database is noticed"
        );
    }
    let insecure = [
        signing_keys::insecure_mode(&config.key),
        wiring::insecure_mode(config),
    ];
    for warning in insecure.into_iter().flatten() {
        log::warn!("{warning}");
    }
    let stores = wiring::open(config, ShopCurrency::Is(config.currency))?;
    stores.reports.set_low_stock(config.low_stock)?;
    if options.demo {
        news.push(
            match demo::fill(stores.products.as_ref(), config.currency)? {
                0 => "The demo made nothing: there are products already.".to_owned(),
                made => format!("The demo made {made} products."),
            },
        );
    }
    let files = product_files(config, &stores);
    let last = Arc::clone(&stores.ledger);
    let batching = tradepost_batch::BatcherConfig::default();
    let batchers = Batchers::start(&stores, batching).map_err(cannot_serve)?;
    let tidying = retention::tidy_imports(Arc::clone(&stores.product_imports));
    let tidying = tidying.map_err(cannot_serve)?;
    let checking = stock_check::start(Arc::clone(&stores.ledger)).map_err(cannot_serve)?;
    let purging = retention::start(Arc::clone(&stores.retention)).map_err(cannot_serve)?;
    let tokens = keys.tokens();
    let backend = backend(config, stores, tokens.clone(), batchers.clone())?;
    let watch = match &config.key {
        KeySource::File(path) => {
            let life = config.longest_token_life();
            let watch = signing_keys::watch(path.clone(), keys, tokens, life);
            Some(watch.map_err(cannot_serve)?)
        }
        KeySource::Text(_) => None,
    };
    let has_staff = backend.services.accounts.has_staff()?;
    let admin = admin(config, files);
    let setup = if has_staff {
        None
    } else {
        Some(admin.setup_link().map_err(cannot_serve)?)
    };
    let api = Api::with_mount(backend, settings(config), Arc::new(admin)).map_err(cannot_serve)?;
    let served = System::new().block_on(async {
        let running = api.serve(listener)?;
        let signals = Signals::listen()?;
        news.iter().for_each(print_line);
        print_banner(config, address, setup.as_ref());
        signals.stop(running.stop_handle())?;
        running.finished().await
    });
    drop((tidying, checking, purging, watch));
    let closed = close(batchers);
    if closed.is_ok() {
        close_database(last);
    }
    served.map_err(cannot_serve)?;
    closed?;
    log::info!("stopped");
    Ok(())
}

/// Closes the database by dropping the last reference to it. Server threads are ending meanwhile;
/// if one of them held the last reference, the process could exit before SQLite has checkpointed
/// its WAL.
fn close_database<S: ?Sized>(last: Arc<S>) {
    let until = Instant::now() + SHUTDOWN_GRACE;
    while Arc::strong_count(&last) > 1 {
        if Instant::now() > until {
            log::warn!("something still uses the database: it is closed by the end of the program");
            return;
        }
        thread::sleep(Duration::from_millis(2));
    }
}

fn cannot_serve(error: impl Error) -> CliError {
    CliError::Failed(format!("The shop cannot be served: {error}."))
}

fn backend(
    config: &Config,
    stores: Stores,
    tokens: JwtTokens,
    batchers: Batchers,
) -> Result<Backend, CliError> {
    Ok(Backend {
        signer: Arc::new(tokens.clone()),
        health: Arc::clone(&stores.health),
        services: wiring::services(config, stores, tokens)?,
        batchers,
        currency: config.currency,
    })
}

fn settings(config: &Config) -> Settings {
    Settings {
        public_url: config.public_url.clone(),
        allowed_hosts: config.allowed_hosts.clone(),
        trusted_proxies: config.trusted_proxies.clone(),
        throttling: config.throttle.map(|throttle| throttle.requests),
        metrics_allow: config.metrics_allow.clone(),
        allowed_origins: config.allowed_origins.clone(),
        page_size: config.page_size,
        request_timeout: config.request_timeout,
        limits: wiring::limits(config),
        access_log: logging::access_log(),
    }
}

fn print_banner(config: &Config, address: SocketAddr, setup: Option<&SetupLink>) {
    print_line(format_args!("Tradepost {}", env!("CARGO_PKG_VERSION")));
    print_line(format_args!("  Admin     http://{address}/admin/"));
    print_line(format_args!("  API       http://{address}/api/"));
    print_line(format_args!("  Docs      http://{address}/api/docs/"));
    if let Some(url) = &config.public_url {
        print_line(format_args!("  Public    {}/api/", url.as_str()));
    }
    print_line(format_args!("  Data      {}", config.data_dir.display()));
    print_line(format_args!("  Database  {}", config.database));
    print_line(format_args!("  Log       {}", config.log_file.display()));
    if let Some(path) = &config.access_log {
        print_line(format_args!("  Access    {}", path.display()));
    }
    if let Some(setup) = setup {
        print_setup(config, address, setup);
    }
    log::info!(address:%; "{SERVING}{address}");
}

/// Prints the setup link, on the console alone: the log file is kept.
fn print_setup(config: &Config, address: SocketAddr, setup: &SetupLink) {
    print_line("There is no staff user yet. Make one in a browser within 30 minutes:");
    let base = match &config.public_url {
        Some(url) if !config.setup_allow.is_empty() => url.as_str().to_owned(),
        _ if address.ip().is_unspecified() => format!("http://localhost:{}", address.port()),
        _ => format!("http://{address}"),
    };
    print_line(format_args!("  {base}{}", setup.reveal()));
    print_line("or with:");
    print_line(format_args!(
        "  tradepost createsuperuser{}",
        config.target_options
    ));
}

fn product_files(config: &Config, stores: &Stores) -> ProductFiles {
    let imports = Arc::clone(&stores.product_imports);
    ProductFiles {
        imports: ProductImports::new(imports, Arc::new(SystemClock), config.currency),
        products: Arc::clone(&stores.products),
        stock_writes: config.stock_writes,
    }
}

fn admin(config: &Config, files: ProductFiles) -> Admin {
    let path = config.public_url.as_ref().map_or("", PublicUrl::path);
    let config = AdminConfig {
        time_zone: config.time_zone.clone(),
        clock: Arc::new(SystemClock),
        setup_allow: config.setup_allow.clone(),
        files,
    };
    Admin::new(config, path)
}

/// Drains the batchers: accepted commands are still executed, up to the grace period.
fn close(batchers: Batchers) -> Result<(), CliError> {
    let (closed, waits) = mpsc::channel();
    let closing = move || {
        batchers.close();
        // The last references to the store, but for the reads of its connections.
        drop(batchers);
        // The receiver is gone if the grace period has expired.
        let _ = closed.send(());
    };
    thread::Builder::new()
        .name("close".to_owned())
        .spawn(closing)
        .map_err(cannot_serve)?;
    waits.recv_timeout(BATCHER_GRACE).map_err(|_| {
        CliError::Failed(format!(
            "The database did not answer for {} seconds. Orders that were under way are in it, or not.",
            BATCHER_GRACE.as_secs()
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    static CLOSED: AtomicBool = AtomicBool::new(false);

    struct Database;

    impl Drop for Database {
        fn drop(&mut self) {
            thread::sleep(Duration::from_millis(50));
            CLOSED.store(true, Ordering::SeqCst);
        }
    }

    #[test]
    fn the_database_is_closed_after_the_server_threads_have_dropped_it() {
        let database = Arc::new(Database);
        let of_server = Arc::clone(&database);
        let server = thread::spawn(move || {
            thread::sleep(Duration::from_millis(100));
            drop(of_server);
        });
        close_database(database);
        assert!(CLOSED.load(Ordering::SeqCst));
        server.join().unwrap();
    }
}
