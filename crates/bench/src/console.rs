//! Output: the report on standard output, progress on standard error.

use std::fmt::Arguments;

#[expect(
    clippy::print_stdout,
    reason = "the report is what this program is for"
)]
pub(crate) fn say(text: Arguments<'_>) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "it takes minutes: tells how far it is")]
pub(crate) fn progress(text: Arguments<'_>) {
    eprintln!("{text}");
}
