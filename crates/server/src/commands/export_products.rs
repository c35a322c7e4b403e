//! `tradepost export products`: writes the products to a file or to standard output.

use crate::cli::ExportProducts;
use crate::config::Config;
use crate::exit::CliError;
use crate::system::console::{count, print_error};
use crate::system::progress::ProgressReport;
use crate::wiring;
use std::fs::{self, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use tradepost_domain::catalog::ProductRepository;
use tradepost_product_csv::{ExportError, ExportOptions, Exported, export};

pub(super) fn run(config: &Config, options: &ExportProducts) -> Result<(), CliError> {
    let products = wiring::open(config, wiring::unfixed(config))?.products;
    let exported = match &options.file {
        None => write(&*products, options, BufWriter::new(io::stdout().lock()))
            .map_err(|error| unwritable("Standard output".to_owned(), error)),
        Some(path) => replace(&*products, options, path),
    }?;
    if exported.left_out > 0 {
        print_error(format_args!(
            "{} without a sku left out: an import finds products by their skus. --without-sku \
             writes them as well.",
            count(exported.left_out, "product")
        ));
    }
    Ok(())
}

fn write(
    products: &dyn ProductRepository,
    options: &ExportProducts,
    to: impl Write,
) -> Result<Exported, ExportError> {
    let options = ExportOptions {
        archived: options.archived,
        byte_order_mark: options.bom,
        without_sku: options.without_sku,
    };
    let progress = ProgressReport::new();
    export(products, options, to, &progress)
}

/// Writes the file under another name first: a file that has its name is complete.
fn replace(
    products: &dyn ProductRepository,
    options: &ExportProducts,
    path: &Path,
) -> Result<Exported, CliError> {
    if !options.force && path.symlink_metadata().is_ok() {
        return Err(CliError::Failed(format!(
            "{} is there already. Name another file, or replace it with --force.",
            path.display()
        )));
    }
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}.partial", std::process::id()));
    let draft = PathBuf::from(draft);
    let written = write_file(products, options, &draft)
        .and_then(|exported| Ok(fs::rename(&draft, path).map(|()| exported)?));
    written.map_err(|error| {
        let _ = fs::remove_file(&draft);
        unwritable(format!("The file {}", path.display()), error)
    })
}

fn write_file(
    products: &dyn ProductRepository,
    options: &ExportProducts,
    path: &Path,
) -> Result<Exported, ExportError> {
    let file = OpenOptions::new().write(true).create_new(true).open(path)?;
    let exported = write(products, options, BufWriter::new(&file))?;
    file.sync_all()?;
    Ok(exported)
}

fn unwritable(to: String, error: ExportError) -> CliError {
    match error {
        ExportError::Store(error) => error.into(),
        ExportError::Unwritable(error) => {
            CliError::Failed(format!("{to} cannot be written: {error}."))
        }
    }
}
