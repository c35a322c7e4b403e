//! `tradepost import django`: imports the data of another shop.

use crate::cli::ImportDjango;
use crate::config::Config;
use crate::exit::CliError;
use crate::lost_database::FirstStart;
use crate::system::console::{count, print_line};
use crate::system::progress::ProgressReport;
use crate::{commands::verify, preflight, wiring};
use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write as _};
use std::path::Path;
use std::sync::Arc;
use tradepost_auth::SystemClock;
use tradepost_auth::is_checkable;
use tradepost_diesel::{OpenError, ShopCurrency};
use tradepost_domain::Stores;
use tradepost_domain::identity::Username;
use tradepost_domain::import::{ExistingData, decide_import};
use tradepost_domain::inventory::StockLevel;
use tradepost_domain::kernel::{Clock, UserId};
use tradepost_import_django::parse::{self, BadOption};
use tradepost_import_django::{Dump, DumpError, MissingProduct, Options, Wrong};

pub(super) fn run(config: &Config, options: &ImportDjango) -> Result<(), CliError> {
    let mut known = parse_options(config, options)?;
    let existing = existing_data(config, options)?;
    let largest = existing.staff.iter().map(|account| account.id);
    known.last_user = largest.max().map_or(0, UserId::get);
    let dump = read(options, &known)?;
    // Decided before anything is created, the database included.
    let decision = decide_import(&dump.shop, &existing, config.currency);
    let mut wrong = dump.wrong.clone();
    if let Err(refusal) = decision {
        wrong.extend(dump.explain(&refusal));
    }
    if !wrong.is_empty() {
        return Err(refused(options, &wrong));
    }
    summarise(options, &dump);
    if options.dry_run {
        print_line("Nothing was written, as --dry-run says.");
        return Ok(());
    }
    let stores = open(config)?;
    let ids = write_ids(options, &dump)?;
    let command = Arc::new(dump.shop);
    let imported = {
        let _progress = ProgressReport::of("Writing the shop", None, || None);
        stores.imports.import(Arc::clone(&command))
    };
    if let (Some(file), Ok(Err(_))) = (ids, &imported) {
        // No row has these ids. If the store failed, the import may still have been committed.
        drop(fs::remove_file(file));
    }
    if let Err(refusal) = imported? {
        // Another process changed the data first.
        let first = refusal.problems.first().map(ToString::to_string);
        return Err(CliError::Failed(format!(
            "Nothing was imported. {}.",
            first.unwrap_or_default()
        )));
    }
    print_line("The shop is imported.");
    verify::report(&verify::audit(&stores)?)
}

/// The import options, from the command line.
fn parse_options(config: &Config, given: &ImportDjango) -> Result<Options, CliError> {
    let mut options = Options::new(config.currency, SystemClock.now());
    let usage = |option: &str, text: &str, error: BadOption| {
        CliError::Usage(format!("{option} is {text:?}, but has to be {error}."))
    };
    for text in &given.status {
        let status = parse::status(text).map_err(|error| usage("--status", text, error))?;
        options.statuses.push(status);
    }
    for text in &given.model {
        let (model, kind) = parse::model(text).map_err(|error| usage("--model", text, error))?;
        options.models.insert(model, kind);
    }
    for text in &given.field {
        let field = parse::field(text).map_err(|error| usage("--field", text, error))?;
        options.fields.push(field);
    }
    let parts = given.only.iter().map(String::as_str);
    options.only =
        parse::only(parts).map_err(|error| usage("--only", &given.only.join(","), error))?;
    options.guest = match &given.guest {
        Some(name) => Some(Username::new(name).map_err(|problem| {
            CliError::Usage(format!(
                "--guest is {name:?}, which is no username: {problem}"
            ))
        })?),
        None => None,
    };
    options.missing_products = match given.missing_products.as_deref() {
        Some("archive") => Some(MissingProduct::Archive),
        Some(_) => Some(MissingProduct::Skip),
        None => None,
    };
    options.stock = match given.stock {
        Some(units) => Some(StockLevel::requested(units).map_err(|problem| {
            CliError::Usage(format!(
                "--stock is {units}, but it has to be a level: {problem}"
            ))
        })?),
        None => None,
    };
    options.skip_empty_orders = given.skip_empty_orders;
    options.keep_totals = given.keep_totals;
    options.round_amounts = given.round_amounts;
    options.new_ids = given.new_ids.is_some();
    options.skip_values = given.skip_values.iter().cloned().collect();
    options.skip_rows = given.skip_rows.iter().cloned().collect();
    Ok(options)
}

/// The existing data; empty if no database exists yet. Writes nothing but the schema, and that only
/// if it is out of date and this is no dry run.
fn existing_data(config: &Config, options: &ImportDjango) -> Result<ExistingData, CliError> {
    preflight::for_database(config, FirstStart::IfUnused)?;
    match wiring::pending(config) {
        Err(OpenError::Missing { .. }) => return Ok(ExistingData::default()),
        Err(error) => return Err(error.into()),
        Ok(pending) if pending.is_empty() || options.dry_run => {}
        Ok(_) => drop(wiring::migrate(config)?),
    }
    let currency = ShopCurrency::Like(config.currency);
    let stores = wiring::open(config, currency)?;
    Ok(stores.imports.existing_data()?)
}

fn read(options: &ImportDjango, known: &Options) -> Result<Dump, CliError> {
    let name = options.file.display();
    let _progress = ProgressReport::of("Reading the dump", None, || None);
    let dump = if options.file.as_os_str() == "-" {
        // A dump is read twice, which standard input does not allow.
        let mut bytes = Vec::new();
        let read = io::stdin().lock().read_to_end(&mut bytes);
        read.map_err(|error| unreadable(options, &error))?;
        tradepost_import_django::read(bytes.as_slice(), known)
    } else {
        tradepost_import_django::read(options.file.as_path(), known)
    };
    dump.map_err(|error| match error {
        DumpError::Unreadable(error) if error.kind() != io::ErrorKind::InvalidData => {
            unreadable(options, &error)
        }
        error => CliError::Failed(format!("The file {name} cannot be imported: {error}.")),
    })
}

fn unreadable(options: &ImportDjango, error: &io::Error) -> CliError {
    let name = options.file.display();
    CliError::Failed(format!("The file {name} cannot be read: {error}."))
}

/// Writes the new ids of rows whose keys are not integers, before any row is written; an existing
/// file is not replaced. Returns the path, if a file was written.
fn write_ids<'a>(options: &'a ImportDjango, dump: &Dump) -> Result<Option<&'a Path>, CliError> {
    let Some(path) = options.new_ids.as_deref() else {
        return Ok(None);
    };
    let mut text = String::from("model,key,id\n");
    for new in &dump.new_ids {
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        let (model, key) = (quoted(&new.model), quoted(&new.key));
        text.push_str(&format!("{model},{key},{}\n", new.id));
    }
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        });
    match written {
        Ok(()) => Ok(Some(path)),
        Err(error) => Err(CliError::Failed(format!(
            "Nothing was imported: the file {} cannot be written: {error}.",
            path.display()
        ))),
    }
}

/// The error for an import that is rejected.
fn refused(options: &ImportDjango, wrong: &Wrong) -> CliError {
    for sentence in wrong.sentences() {
        print_line(sentence);
    }
    let listed = wrong.listed();
    let more = match wrong.count().saturating_sub(listed) {
        0 => String::new(),
        _ => format!(", of which {listed} are listed"),
    };
    CliError::Failed(format!(
        "Nothing was imported from {}: {}{more}.",
        options.file.display(),
        count(wrong.count(), "problem")
    ))
}

/// Prints a summary: imported and skipped rows.
fn summarise(options: &ImportDjango, dump: &Dump) {
    let shop = &dump.shop;
    let staff = shop.users.iter().filter(|user| user.account.is_staff);
    let archived = shop.products.iter().filter(|product| product.archived);
    print_line(format_args!(
        "{}: {} ({} of the staff), {} ({} archived), {}, {}.",
        options.file.display(),
        count(shop.users.len(), "user"),
        staff.count(),
        count(shop.products.len(), "product"),
        archived.count(),
        count(shop.carts.len(), "cart line"),
        count(shop.orders.len(), "order"),
    ));
    let note = |number: u64, thing, rest: &str| {
        if number > 0 {
            print_line(format_args!("{}{rest}", count(number, thing)));
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
    for sentence in &dump.notes {
        print_line(sentence);
    }
    if let Some(file) = &options.new_ids {
        let ids = count(dump.new_ids.len(), "new id");
        let verb = if options.dry_run {
            "to be written"
        } else {
            "written"
        };
        print_line(format_args!("{ids} {verb} to {}.", file.display()));
    }
    let shut = shop
        .users
        .iter()
        .filter(|user| !is_checkable(&user.password));
    let shut = u64::try_from(shut.count()).unwrap_or(u64::MAX);
    let how = " without a password that can be checked here: tradepost changepassword sets one.";
    note(shut, "user", how);
}

/// The target shop, created as the first start of the server would if it is missing.
fn open(config: &Config) -> Result<Stores, CliError> {
    wiring::prepare(config, FirstStart::IfUnused)?;
    wiring::migrate(config)?;
    wiring::open(config, ShopCurrency::Is(config.currency))
}
