//! `tradepost import django`: takes over another shop.

use crate::cli::ImportDjango;
use crate::config::Config;
use crate::console::{count, say};
use crate::evidence::FirstStart;
use crate::exit::Exit;
use crate::outside::SystemClock;
use crate::{commands::verify, preflight, shop};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;
use tradepost_auth::is_checkable;
use tradepost_diesel::{OpenError, ShopCurrency};
use tradepost_django::{Dump, DumpError, Options, Wrong};
use tradepost_domain::{Clock, Ground, OrderStatus, Stores, UserId, decide_import};

pub(super) fn run(config: &Config, options: &ImportDjango) -> Result<(), Exit> {
    let statuses = statuses(&options.status)?;
    let ground = ground(config, options)?;
    let largest = ground.staff.iter().map(|account| account.id);
    let known = Options {
        currency: config.currency,
        now: SystemClock.now(),
        statuses,
        last_user: largest.max().map_or(0, UserId::get),
    };
    let dump = read(options, &known)?;
    // Before anything is made, be it the database.
    if let Err(refusal) = decide_import(&dump.shop, &ground, config.currency) {
        return Err(refused(options, &dump.explain(&refusal)));
    }
    summarise(options, &dump);
    if options.dry_run {
        say("Nothing was written, as --dry-run says.");
        return Ok(());
    }
    let stores = open(config)?;
    let command = Arc::new(dump.shop);
    if let Err(refusal) = stores.imports.import(Arc::clone(&command))? {
        // Somebody was faster.
        let first = refusal.problems.first().map(ToString::to_string);
        return Err(Exit::Failed(format!(
            "Nothing was imported. {}.",
            first.unwrap_or_default()
        )));
    }
    say("The shop is imported.");
    verify::report(&stores.ledger.audit()?)
}

/// What the names of `--status` mean.
fn statuses(given: &[String]) -> Result<BTreeMap<String, OrderStatus>, Exit> {
    let mut statuses = BTreeMap::new();
    for option in given {
        let pair = option.rsplit_once('=');
        let pair = pair.and_then(|(name, word)| Some((name, OrderStatus::parse(word)?)));
        let (name, status) = pair.ok_or_else(|| {
            let allowed = OrderStatus::ALL.map(OrderStatus::as_str).join(", ");
            Exit::Usage(format!(
                "--status is {option:?}, but has to be a name, = and one of {allowed}."
            ))
        })?;
        statuses.insert(name.trim().to_lowercase(), status);
    }
    Ok(statuses)
}

/// What is here already; nothing where there is no database yet. Nothing is written but the schema,
/// where it is not up to date and this is no rehearsal.
fn ground(config: &Config, options: &ImportDjango) -> Result<Ground, Exit> {
    preflight::for_database(config, FirstStart::IfUnused)?;
    match shop::pending(config) {
        Err(OpenError::Missing { .. }) => return Ok(Ground::default()),
        Err(error) => return Err(error.into()),
        Ok(pending) if pending.is_empty() || options.dry_run => {}
        Ok(_) => drop(shop::migrate(config)?),
    }
    let currency = ShopCurrency::Like(config.currency);
    let stores = shop::open(config, currency)?;
    Ok(stores.imports.ground()?)
}

fn read(options: &ImportDjango, known: &Options) -> Result<Dump, Exit> {
    let name = options.file.display();
    let file: Box<dyn Read> = if options.file.as_os_str() == "-" {
        Box::new(io::stdin().lock())
    } else {
        let unreadable = |error| Exit::Failed(format!("The file {name} cannot be read: {error}."));
        Box::new(File::open(&options.file).map_err(unreadable)?)
    };
    tradepost_django::read(file, known).map_err(|error| match error {
        DumpError::Wrong(wrong) => refused(options, &wrong),
        error => Exit::Failed(format!("The file {name} cannot be imported: {error}.")),
    })
}

/// Says what is wrong.
fn refused(options: &ImportDjango, wrong: &Wrong) -> Exit {
    for sentence in wrong.sentences() {
        say(sentence);
    }
    let listed = u64::try_from(wrong.sentences().len()).unwrap_or(u64::MAX);
    let more = match wrong.count().saturating_sub(listed) {
        0 => String::new(),
        _ => format!(", of which the first {listed} are listed"),
    };
    Exit::Failed(format!(
        "Nothing was imported from {}: {}{more}.",
        options.file.display(),
        count(wrong.count(), "problem")
    ))
}

/// Says what is imported, and what is not.
fn summarise(options: &ImportDjango, dump: &Dump) {
    let rows = |rows: usize, thing| count(u64::try_from(rows).unwrap_or(u64::MAX), thing);
    let shop = &dump.shop;
    let staff = shop.users.iter().filter(|user| user.account.is_staff);
    let archived = shop.products.iter().filter(|product| product.archived);
    say(format_args!(
        "{}: {} ({} of the staff), {} ({} archived), {}, {}.",
        options.file.display(),
        rows(shop.users.len(), "user"),
        staff.count(),
        rows(shop.products.len(), "product"),
        archived.count(),
        rows(shop.carts.len(), "cart line"),
        rows(shop.orders.len(), "order"),
    ));
    let note = |number: u64, thing, rest: &str| {
        if number > 0 {
            say(format_args!("{}{rest}", count(number, thing)));
        }
    };
    for (model, rows) in &dump.skipped {
        note(*rows, "row", &format!(" of {model} skipped."));
    }
    note(dump.anonymous, "cart line", " of nobody skipped.");
    let merged = " added to another line of the same cart and product.";
    note(dump.merged, "cart line", merged);
    note(
        dump.undated,
        "row",
        " without a time: the time of now is theirs.",
    );
    let shut = shop
        .users
        .iter()
        .filter(|user| !is_checkable(&user.password));
    let shut = u64::try_from(shut.count()).unwrap_or(u64::MAX);
    let how = " without a password that can be checked here: tradepost changepassword sets one.";
    note(shut, "user", how);
}

/// The shop that takes over: made if it is missing, as its first start would.
fn open(config: &Config) -> Result<Stores, Exit> {
    shop::prepare(config, FirstStart::IfUnused)?;
    shop::migrate(config)?;
    shop::open(config, ShopCurrency::Is(config.currency))
}
