//! Terminal input and output of the commands.

use crate::exit::CliError;
use crate::system::signals;
use std::fmt::Display;
use std::fs::File;
use std::io::{self, BufRead, ErrorKind, IsTerminal, Write};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// Prints a line on standard output.
pub(crate) fn print_line(line: impl Display) {
    // An error means that the reader closed the pipe; the exit code carries the result.
    let _ = writeln!(io::stdout().lock(), "{line}");
}

/// Prints a line on standard error.
pub(crate) fn print_error(line: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Whether the process is interactive: a terminal to prompt on.
pub(crate) fn is_terminal() -> bool {
    io::stdin().is_terminal()
}

/// Prompts for a line.
pub(crate) fn ask(question: &str) -> Result<String, CliError> {
    let mut out = io::stdout().lock();
    let _ = write!(out, "{question}").and_then(|()| out.flush());
    drop(out);
    read_line()?.ok_or_else(|| {
        print_line("");
        CliError::Usage("The input ended before it was complete.".to_owned())
    })
}

/// A line of standard input without its line ending; `None` at the end of the input.
pub(crate) fn read_line() -> Result<Option<String>, CliError> {
    let mut line = String::new();
    let read = io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|error| CliError::Failed(format!("Standard input cannot be read: {error}.")))?;
    let text = line.strip_suffix('\n').unwrap_or(&line);
    let text = text.strip_suffix('\r').unwrap_or(text);
    Ok((read > 0).then(|| text.to_owned()))
}

/// Prompts for a password without echo. A signal restores the terminal.
pub(crate) fn ask_password(question: &str) -> Result<String, CliError> {
    static WATCHED: OnceLock<()> = OnceLock::new();
    if WATCHED.get().is_none() {
        // Ctrl-C would otherwise end the process inside rpassword, before rpassword restores the
        // terminal.
        signals::end_after(show_again)
            .map_err(|error| CliError::Failed(format!("No signal can be waited for: {error}.")))?;
        let _ = WATCHED.set(());
    }
    ASKING.store(true, Ordering::Release);
    let password = rpassword::prompt_password(question);
    ASKING.store(false, Ordering::Release);
    password.map_err(|error| match error.kind() {
        ErrorKind::Interrupted => CliError::Interrupted,
        _ => CliError::Failed(format!("The password cannot be read: {error}.")),
    })
}

/// Whether echo is off because of a password prompt.
static ASKING: AtomicBool = AtomicBool::new(false);

/// Restores the terminal's echo before a signal ends the process.
fn show_again() {
    // After Ctrl-C, rpassword restores the echo. Other signals do not reach it.
    thread::sleep(Duration::from_millis(100));
    if ASKING.load(Ordering::Acquire) {
        let _ = File::open("/dev/tty").and_then(|terminal| {
            Command::new("stty")
                .args(["echo", "icanon", "isig"])
                .stdin(terminal)
                .status()
        });
        print_error("");
    }
}

/// `1 order`, `2 orders`.
pub(crate) fn count(number: impl TryInto<u64>, thing: &str) -> String {
    let number = number.try_into().unwrap_or(u64::MAX);
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{plural}")
}
