//! The subcommands and their arguments.

use crate::config::setting::{Setting, WrongSetting};
use clap::{ArgAction, Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make what is missing, migrate, and serve the shop (without a command as well)
    Serve(Serve),
    /// Bring the database's schema up to date
    Migrate(Migrate),
    /// Make a member of the staff
    Createsuperuser(CreateSuperuser),
    /// Change somebody's password; every session of theirs ends
    Changepassword(ChangePassword),
    /// Prove the stock ledger and the order totals
    Verify,
    /// Put a new signing key beside the old ones, which nobody notices; servers may run
    RotateKey(RotateKey),
    /// Print the OpenAPI document of the HTTP API
    Openapi,
    /// Take over the users, products, carts and orders of another shop
    #[command(subcommand)]
    Import(Import),
    /// Write the products to a file that can be imported again
    #[command(subcommand)]
    Export(Export),
    /// Copy an SQLite shop while it sells, and prove the copy
    Backup(Backup),
    /// Read the configuration and the database and say what is unsafe
    Check(Check),
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Fill a small catalogue if there are no products yet
    #[arg(long, env = "TRADEPOST_DEMO", hide_env_values = true, action = ArgAction::SetTrue, value_parser = yes_or_no)]
    pub(crate) demo: bool,
    /// Make an empty shop where the database is missing, though key or log say that there was one
    #[arg(long)]
    pub(crate) new: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Migrate {
    /// Only say which migrations would be run
    #[arg(long, conflicts_with = "revert")]
    pub(crate) plan: bool,
    /// Take the last migration back
    #[arg(long)]
    pub(crate) revert: bool,
    /// Make an empty shop where the database is missing, though key or log say that there was one
    #[arg(long, conflicts_with_all = ["plan", "revert"])]
    pub(crate) new: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CreateSuperuser {
    /// Ask for nothing: needs --username, --email and TRADEPOST_SUPERUSER_PASSWORD
    #[arg(long)]
    pub(crate) noinput: bool,
    /// The name to sign in with
    #[arg(long, env = "TRADEPOST_SUPERUSER_USERNAME", hide_env_values = true)]
    pub(crate) username: Option<String>,
    /// The e-mail address
    #[arg(long, env = "TRADEPOST_SUPERUSER_EMAIL", hide_env_values = true)]
    pub(crate) email: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ChangePassword {
    /// Whose password; the new one is asked for, or read from standard input
    pub(crate) username: String,
}

/// From where
#[derive(Debug, Subcommand)]
pub(crate) enum Import {
    /// What `manage.py dumpdata` of a Django shop wrote
    Django(Box<ImportDjango>),
    /// Products as CSV: an export, or the product CSV of Shopify or WooCommerce
    Products(ImportProducts),
}

/// Of what
#[derive(Debug, Subcommand)]
pub(crate) enum Export {
    /// Products as CSV
    Products(ExportProducts),
}

#[derive(Debug, Args)]
pub(crate) struct ImportProducts {
    /// The file; - for standard input
    pub(crate) file: PathBuf,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Set the stock on hand to that of the file, or leave the column out
    #[arg(long, value_name = "HOW", value_parser = ["set", "skip"])]
    pub(crate) stock: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ExportProducts {
    /// Where the products go; standard output by default
    pub(crate) file: Option<PathBuf>,
    /// Replace an older file of that name
    #[arg(long, requires = "file")]
    pub(crate) force: bool,
    /// Write archived products as well, with a column archived
    #[arg(long)]
    pub(crate) archived: bool,
    /// Begin with a byte order mark, by which Excel reads UTF-8
    #[arg(long)]
    pub(crate) bom: bool,
    /// Write products that have no sku as well, which an import cannot find again
    #[arg(long)]
    pub(crate) without_sku: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ImportDjango {
    /// The file; - for standard input
    pub(crate) file: PathBuf,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// The meaning of a status, as in --status paid=processing; of a column's value, as in --status
    /// ordered=false=cart; or of no status, as in --status =delivered. cart is for open orders; may
    /// be repeated
    #[arg(long, value_name = "NAME=STATUS", allow_hyphen_values = true)]
    pub(crate) status: Vec<String>,
    /// Import these parts alone, as in --only users,products
    #[arg(long, value_name = "PARTS", value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// The kind of a model: user, product, cart, cart-line, order, order-line or skip; may be
    /// repeated
    #[arg(long, value_name = "APP.MODEL=KIND")]
    pub(crate) model: Vec<String>,
    /// The column of a field, as in --field shop.product.price=selling_price; no column leaves the
    /// field out, and :APP.MODEL after it says what a user column is a key of; may be repeated
    #[arg(long, value_name = "APP.MODEL.FIELD=COLUMN")]
    pub(crate) field: Vec<String>,
    /// Give the orders of guests to this account, which is made if there is none of the name
    #[arg(long, value_name = "USERNAME")]
    pub(crate) guest: Option<String>,
    /// Lines of orders whose product is gone: make an archived product, or skip the line
    #[arg(long, value_name = "HOW", value_parser = ["archive", "skip"])]
    pub(crate) missing_products: Option<String>,
    /// Leave orders without lines out
    #[arg(long)]
    pub(crate) skip_empty_orders: bool,
    /// Keep totals that are not the sum of the lines, with the difference as an adjustment
    #[arg(long)]
    pub(crate) keep_totals: bool,
    /// Round amounts that have more decimals than the currency
    #[arg(long)]
    pub(crate) round_amounts: bool,
    /// Units on hand of products that do not say so
    #[arg(long, value_name = "UNITS")]
    pub(crate) stock: Option<i64>,
    /// Give rows whose keys are no whole numbers new ids, and write which to this new file
    #[arg(long, value_name = "FILE")]
    pub(crate) new_ids: Option<PathBuf>,
    /// Leave rows of this model out in which something is wrong, with a list; may be repeated
    #[arg(long, value_name = "APP.MODEL")]
    pub(crate) skip_rows: Vec<String>,
    /// Leave values of this optional field out that are wrong, with a list; may be repeated
    #[arg(long, value_name = "APP.MODEL.FIELD")]
    pub(crate) skip_values: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// Where the copy goes; it must not be there yet
    pub(crate) file: PathBuf,
    /// Replace an older copy of that name
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RotateKey {
    /// When the new key begins to sign, in minutes from now: enough for every server to have it
    #[arg(
        long,
        value_name = "MINUTES",
        default_value = "5",
        value_parser = clap::value_parser!(u32).range(1..=10_080)
    )]
    pub(crate) minutes: u32,
    /// Sign with it at once: for a shop with one server
    #[arg(long, conflicts_with = "minutes")]
    pub(crate) now: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Be strict: whatever is unsafe is an error
    #[arg(long)]
    pub(crate) deploy: bool,
}

/// Parses the boolean value of the `demo` setting.
fn yes_or_no(value: &str) -> Result<bool, WrongSetting> {
    match value.to_ascii_lowercase().as_str() {
        "yes" | "y" | "true" | "t" | "on" | "1" => Ok(true),
        "no" | "n" | "false" | "f" | "off" | "0" => Ok(false),
        _ => Err(Setting::new("demo", value).wrong("has to be yes or no")),
    }
}
