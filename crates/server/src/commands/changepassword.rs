//! `tradepost changepassword`: replaces a user's password and ends all sessions of the user.

use super::{ask_new_password, given_password};
use crate::cli::ChangePassword;
use crate::config::Config;
use crate::exit::CliError;
use crate::system::console::{is_terminal, print_line, read_line};
use crate::wiring;

pub(super) fn run(config: &Config, options: &ChangePassword) -> Result<(), CliError> {
    let accounts = wiring::accounts_alone(config)?;
    let account = accounts.by_username(&options.username)?;
    let username = account
        .map(|account| account.username)
        .ok_or_else(|| CliError::Failed(format!("There is no user {:?}.", options.username)))?;
    let password = if is_terminal() {
        print_line(format_args!("Changing the password of {username}."));
        ask_new_password(&username)?
    } else {
        let line = read_line()?.ok_or_else(|| {
            CliError::Usage("The new password has to be a line of standard input.".to_owned())
        })?;
        given_password(&line, &username)?
    };
    accounts.reset_password(username.as_str(), &password)?;
    print_line(format_args!("The password of {username} is changed."));
    Ok(())
}
