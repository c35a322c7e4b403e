//! `tradepost serve`: makes what is missing, and serves the shop until it is told to stop.

use crate::cli::Serve;
use crate::config::Config;
use crate::console::say;
use crate::exit::Exit;
use crate::keys::{self, Keys};
use crate::outside::{RandomPlacementIds, SystemClock};
use crate::signals::Signals;
use crate::{demo, logging, shop};
use actix_web::rt::System;
use std::error::Error;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;
use tradepost_batch::Batcher;
use tradepost_diesel::ShopCurrency;
use tradepost_domain::{Carts, Catalogue, Clock, Orders, Stores};
use tradepost_http::{Api, Limits, Settings, Shop};

/// How long a stop waits for orders that the database does not answer.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) fn run(config: &Config, options: &Serve) -> Result<(), Exit> {
    shop::make_data_dir(config)?;
    logging::to_file(&config.log_file)?;
    // Before the database is touched: a second server by mistake changes nothing.
    let listener = listen(config)?;
    let address = listener.local_addr().map_err(cannot_serve)?;
    let keys = keys::load_or_make(&config.key)?;
    if let Some(exposure) = keys::exposure(&config.key) {
        log::warn!("{exposure}");
    }
    let mut news = Vec::new();
    for name in shop::migrate(config)? {
        log::info!("applied the migration {name}");
        news.push(format!("Applied the migration {name}."));
    }
    let limits = Limits::default();
    let stores = shop::open(config, ShopCurrency::Is(config.currency), limits)?;
    if options.demo {
        news.push(
            match demo::fill(stores.products.as_ref(), config.currency)? {
                0 => "The demo made nothing: there are products already.".to_owned(),
                made => format!("The demo made {made} products."),
            },
        );
    }
    let batching = tradepost_batch::Limits::default();
    let batcher = Batcher::start(Arc::clone(&stores.orders), batching).map_err(cannot_serve)?;
    let batcher = Arc::new(batcher);
    let shop = put_together(config, stores, keys, Arc::clone(&batcher))?;
    let has_staff = shop.accounts.has_staff()?;
    let api = Api::new(shop, settings(config, limits)).map_err(cannot_serve)?;
    let served = System::new().block_on(async {
        let running = api.serve(listener)?;
        let signals = Signals::listen()?;
        news.iter().for_each(say);
        greet(config, address, has_staff);
        signals.stop(running.stop_handle());
        running.finished().await
    });
    let closed = close(batcher);
    served.map_err(cannot_serve)?;
    closed?;
    log::info!("stopped");
    Ok(())
}

fn cannot_serve(error: impl Error) -> Exit {
    Exit::Failed(format!("The shop cannot be served: {error}."))
}

fn listen(config: &Config) -> Result<TcpListener, Exit> {
    TcpListener::bind(&config.listen).map_err(|error| {
        Exit::Failed(format!(
            "Nothing can listen on {}: {error}. Stop the program that does, or choose another address with --listen.",
            config.listen
        ))
    })
}

fn put_together(
    config: &Config,
    stores: Stores,
    keys: Keys,
    batcher: Arc<Batcher>,
) -> Result<Shop, Exit> {
    let accounts = shop::accounts(config, &stores, keys.into_tokens())?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let placement_ids = RandomPlacementIds::new().map_err(cannot_serve)?;
    Ok(Shop {
        catalogue: Catalogue::new(stores.products, Arc::clone(&clock)),
        carts: Carts::new(stores.carts, Arc::clone(&clock)),
        orders: Orders::new(stores.orders, Arc::new(placement_ids), clock),
        accounts,
        batcher,
        currency: config.currency,
    })
}

fn settings(config: &Config, limits: Limits) -> Settings {
    Settings {
        public_url: config.public_url.clone(),
        allowed_hosts: config.allowed_hosts.clone(),
        trusted_proxies: config.trusted_proxies.clone(),
        allowed_origins: config.allowed_origins.clone(),
        page_size: config.page_size,
        request_timeout: config.request_timeout,
        limits,
    }
}

fn greet(config: &Config, address: SocketAddr, has_staff: bool) {
    say(format_args!("Tradepost {}", env!("CARGO_PKG_VERSION")));
    say(format_args!("  API       http://{address}/api/"));
    if let Some(url) = &config.public_url {
        say(format_args!("  Public    {}/api/", url.as_str()));
    }
    say(format_args!("  Data      {}", config.data_dir.display()));
    say(format_args!("  Database  {}", config.database));
    say(format_args!("  Log       {}", config.log_file.display()));
    if !has_staff {
        say("There is no staff user yet. Make one with:");
        say(format_args!(
            "  tradepost createsuperuser{}",
            config.same_shop
        ));
    }
    log::info!("serving on {address}");
}

/// Lets the orders that were accepted be placed; waits for a while.
fn close(batcher: Arc<Batcher>) -> Result<(), Exit> {
    let (closed, waits) = mpsc::channel();
    let closing = move || {
        batcher.close();
        // Nobody waits any longer if the patience was at its end.
        let _ = closed.send(());
    };
    thread::Builder::new()
        .name("close".to_owned())
        .spawn(closing)
        .map_err(cannot_serve)?;
    waits.recv_timeout(PATIENCE).map_err(|_| {
        Exit::Failed(format!(
            "The database did not answer for {} seconds. Orders that were under way are in it, or not.",
            PATIENCE.as_secs()
        ))
    })
}
