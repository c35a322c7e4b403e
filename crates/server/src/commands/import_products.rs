//! `tradepost import products`: creates and changes products from a file.

use crate::cli::ImportProducts;
use crate::config::Config;
use crate::exit::CliError;
use crate::lost_database::FirstStart;
use crate::system::console::{count, print_line};
use crate::system::progress::ProgressReport;
use crate::wiring;
use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;
use tradepost_auth::SystemClock;
use tradepost_diesel::ShopCurrency;
use tradepost_domain::Stores;
use tradepost_domain::import::products::{
    ImportCounts, ImportedBy, ProductImports, ReviewedImport, StageError,
};
use tradepost_domain::inventory::StockWrites;
use tradepost_product_csv::{CsvError, Options, ProductFile, Report};

pub(super) fn run(config: &Config, options: &ImportProducts) -> Result<(), CliError> {
    let mut file = open_file(config, options)?;
    let stock = stock_is_read(config, options, &file)?;
    file.read_stock(stock);
    let stores = open_shop(config, options)?;
    let clock = Arc::new(SystemClock);
    let imports = ProductImports::new(stores.product_imports, clock, config.currency);
    let progress = Arc::new(ProgressReport::new());
    let by = ImportedBy::Operator;
    let reviewed = imports.stage(by, file.by_ref(), 0, &*progress);
    progress.end();
    let reviewed = reviewed.map_err(|error| not_staged(options, error))?;
    let Some(staged) = reviewed.staged else {
        return Err(refused(options, &reviewed));
    };
    summarise(options, file.report());
    if options.dry_run {
        imports.discard(staged)?;
        print_line(counted(reviewed.counts));
        print_line("Nothing was changed, as --dry-run says.");
        return Ok(());
    }
    let applied = imports.apply(by, staged, progress.clone());
    progress.end();
    let counts = applied.map_err(|error| match error {
        StageError::Source(never) => match never {},
        StageError::Refused(refusal) => CliError::Failed(refusal.to_string()),
        StageError::Store(error) => error.into(),
    })?;
    print_line(counted(counts));
    Ok(())
}

fn open_file<'a>(config: &Config, options: &ImportProducts) -> Result<ProductFile<'a>, CliError> {
    let unreadable = |error: CsvError| unreadable(options, &error);
    let file: Box<dyn Read> = if options.file.as_os_str() == "-" {
        Box::new(io::stdin())
    } else {
        Box::new(File::open(&options.file).map_err(|error| unreadable(error.into()))?)
    };
    ProductFile::open(file, Options::new(config.currency)).map_err(unreadable)
}

/// Whether the stock of the file is read.
fn stock_is_read(
    config: &Config,
    options: &ImportProducts,
    file: &ProductFile<'_>,
) -> Result<bool, CliError> {
    match options.stock.as_deref() {
        Some(how) => Ok(how == "set"),
        None if config.stock_writes == StockWrites::Strict && file.has_stock() => {
            Err(CliError::Usage(
                "The file sets stock, and --stock-writes is strict: units that were sold since the \
                 file was written would be there again. Say --stock set, or leave the column out \
                 with --stock skip."
                    .to_owned(),
            ))
        }
        None => Ok(true),
    }
}

/// The shop, created as the first start of the server would if it is missing. A dry run creates and
/// migrates nothing.
fn open_shop(config: &Config, options: &ImportProducts) -> Result<Stores, CliError> {
    if options.dry_run {
        return wiring::open(config, ShopCurrency::Like(config.currency));
    }
    wiring::prepare(config, FirstStart::IfUnused)?;
    wiring::migrate(config)?;
    wiring::open(config, ShopCurrency::Is(config.currency))
}

fn unreadable(options: &ImportProducts, error: &CsvError) -> CliError {
    let name = options.file.display();
    CliError::Failed(match error {
        CsvError::Unreadable(error) if error.kind() != io::ErrorKind::InvalidData => {
            format!("The file {name} cannot be read: {error}.")
        }
        error => format!("The file {name} cannot be imported: {error}."),
    })
}

fn not_staged(options: &ImportProducts, error: StageError<CsvError>) -> CliError {
    match error {
        StageError::Source(error) => unreadable(options, &error),
        StageError::Refused(refusal) => CliError::Failed(refusal.to_string()),
        StageError::Store(error) => error.into(),
    }
}

/// The error for an import with problems, which are printed.
fn refused(options: &ImportProducts, reviewed: &ReviewedImport) -> CliError {
    let problems = &reviewed.problems;
    problems.listed().iter().for_each(print_line);
    let listed = u64::try_from(problems.listed().len()).unwrap_or(u64::MAX);
    let more = match problems.count() > listed {
        true => format!(", of which {listed} are listed"),
        false => String::new(),
    };
    CliError::Failed(format!(
        "Nothing was imported from {}: {}{more}.",
        options.file.display(),
        count(problems.count(), "problem")
    ))
}

/// Prints the recognised columns and the values that are left out.
fn summarise(options: &ImportProducts, report: &Report) {
    let separator = match report.separator {
        ';' => "semicolons",
        '\t' => "tabs",
        _ => "commas",
    };
    print_line(format_args!(
        "{}: {} with the columns of {}, separated by {separator}.",
        options.file.display(),
        count(report.rows, "row"),
        report.dialect,
    ));
    report.left_out().iter().for_each(print_line);
}

fn counted(counts: ImportCounts) -> String {
    let skipped = match counts.skipped {
        0 => String::new(),
        rows => format!(
            ", {} skipped, as archived products are not created",
            count(rows, "row")
        ),
    };
    format!(
        "{} created, {} changed, {} unchanged{skipped}.",
        count(counts.created, "product"),
        counts.changed,
        counts.unchanged
    )
}
