//! `tradepost createsuperuser`: creates a staff user.

use super::{ask_new_password, given_password};
use crate::cli::CreateSuperuser;
use crate::config::{Config, environment, variable};
use crate::exit::CliError;
use crate::lost_database::FirstStart;
use crate::system::console::{ask, is_terminal, print_error, print_line};
use crate::wiring;
use tradepost_domain::identity::{Email, NewUser, Username};
use tradepost_domain::kernel::FieldError;

const PASSWORD: &str = "TRADEPOST_SUPERUSER_PASSWORD";

pub(super) fn run(config: &Config, options: CreateSuperuser) -> Result<(), CliError> {
    let user = if options.noinput {
        from_options(options)?
    } else if is_terminal() {
        from_answers(options)?
    } else {
        return Err(CliError::Usage(format!(
            "Nobody can be asked, as standard input is not a terminal. \
             Use --noinput with --username, --email and {PASSWORD}."
        )));
    };
    wiring::prepare(config, FirstStart::IfUnused)?;
    wiring::migrate(config)?;
    let account = wiring::accounts_alone(config)?.create_staff(user)?;
    print_line(format_args!("The staff user {} is made.", account.username));
    Ok(())
}

fn from_options(options: CreateSuperuser) -> Result<NewUser, CliError> {
    let missing =
        |what: &str| CliError::Usage(format!("With --noinput, {what} is needed as well."));
    let username = options.username.ok_or_else(|| missing("--username"))?;
    let email = options.email.ok_or_else(|| missing("--email"))?;
    let password = variable(&environment, PASSWORD)?.ok_or_else(|| missing(PASSWORD))?;
    let username =
        Username::new(&username).map_err(|problem| wrong("--username", &username, &problem))?;
    let email = Email::new(&email).map_err(|problem| wrong("--email", &email, &problem))?;
    Ok(NewUser {
        password: given_password(&password, &username)?,
        username,
        email: Some(email),
    })
}

fn wrong(option: &str, value: &str, problem: &FieldError) -> CliError {
    CliError::Usage(format!(
        "{option} is {value:?}, which cannot be used. {problem}"
    ))
}

fn from_answers(options: CreateSuperuser) -> Result<NewUser, CliError> {
    let username = answer(options.username, "Username: ", Username::new)?;
    let email = answer(
        options.email,
        "E-mail address (may be left out): ",
        |text| {
            if text.trim().is_empty() {
                Ok(None)
            } else {
                Email::new(text).map(Some)
            }
        },
    )?;
    let password = ask_new_password(&username)?;
    Ok(NewUser {
        username,
        email,
        password,
    })
}

/// The value of an option, or else the answer to a prompt, which is repeated until it is valid.
fn answer<T>(
    mut given: Option<String>,
    question: &str,
    read: impl Fn(&str) -> Result<T, FieldError>,
) -> Result<T, CliError> {
    loop {
        let text = match given.take() {
            Some(text) => text,
            None => ask(question)?,
        };
        match read(&text) {
            Ok(value) => return Ok(value),
            Err(problem) => print_error(problem),
        }
    }
}
