//! The commands, one file each.

mod backup;
mod changepassword;
mod check;
mod createsuperuser;
mod export_products;
mod import;
mod import_products;
mod migrate;
mod rotate_key;
mod serve;
mod verify;

use crate::cli::{Args, Command, Export, Import};
use crate::config::{Config, environment};
use crate::exit::CliError;
use crate::logging;
use crate::system::console::{ask_password, print_error, print_line};
use tradepost_domain::identity::{Password, Username};
use tradepost_domain::kernel::{Error, Refusal};

/// Runs a command.
///
/// # Errors
/// The reason why it failed.
pub(crate) fn run(given: &Args, command: Command) -> Result<(), CliError> {
    let config = Config::from_args(given, &environment)?;
    if !matches!(command, Command::Serve(_)) {
        logging::to_standard_error(config.log_format)?;
    }
    match command {
        Command::Serve(options) => serve::run(&config, &options),
        Command::Migrate(options) => migrate::run(&config, &options),
        Command::Createsuperuser(options) => createsuperuser::run(&config, options),
        Command::Changepassword(options) => changepassword::run(&config, &options),
        Command::Verify => verify::run(&config),
        Command::RotateKey(options) => rotate_key::run(&config, &options),
        Command::Openapi => {
            print_line(tradepost_http::document());
            Ok(())
        }
        Command::Import(Import::Django(options)) => import::run(&config, &options),
        Command::Import(Import::Products(options)) => import_products::run(&config, &options),
        Command::Export(Export::Products(options)) => export_products::run(&config, &options),
        Command::Backup(options) => backup::run(&config, &options),
        Command::Check(options) => check::run(&config, &options),
    }
}

/// Prompts for a new password, twice, until it is valid.
fn ask_new_password(username: &Username) -> Result<Password, CliError> {
    loop {
        let first = ask_password("Password: ")?;
        if first != ask_password("Password (again): ")? {
            print_error("The two passwords are not the same.");
            continue;
        }
        match Password::new(&first, Some(username)) {
            Ok(password) => return Ok(password),
            Err(problem) => print_error(problem),
        }
    }
}

/// A password from a source without a prompt, which cannot be asked for a second time.
fn given_password(text: &str, username: &Username) -> Result<Password, CliError> {
    Password::new(text, Some(username))
        .map_err(|problem| CliError::Usage(format!("The password cannot be used. {problem}")))
}

impl From<Error> for CliError {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(Refusal::Invalid(errors)) => {
                let sentences = errors
                    .iter()
                    .map(|(field, problem)| format!("{field}: {problem}"));
                Self::Failed(sentences.collect::<Vec<_>>().join(" "))
            }
            Error::Refused(refusal) => Self::Failed(refusal.to_string()),
            Error::Store(error) => error.into(),
            Error::Hashing(error) => Self::Failed(format!("This failed: {error}.")),
            Error::Randomness(error) => Self::Failed(format!("This failed: {error}.")),
        }
    }
}
