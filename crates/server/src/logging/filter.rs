//! Log filters: the levels of `RUST_LOG`.

use crate::exit::CliError;

/// The default filters of the server, without `RUST_LOG`. actix's HTTP parser logs malformed input
/// of any client as an error of the server, so it is off.
pub(super) const DEFAULT: &str = "info,actix_server=warn,actix_http=off";

/// The value of `RUST_LOG`, if set.
pub(crate) fn wanted() -> Option<String> {
    std::env::var("RUST_LOG")
        .ok()
        .filter(|filters| !filters.is_empty())
}

/// The filters of `RUST_LOG`, or the default ones.
///
/// # Errors
/// If `RUST_LOG` is invalid.
pub(super) fn read(default: &str) -> Result<String, CliError> {
    let filters = wanted().unwrap_or_else(|| default.to_owned());
    match wrong_part(&filters) {
        Some(part) => Err(CliError::Usage(format!(
            "RUST_LOG is wrong at {part:?}: it takes off, error, warn, info, debug or trace, or \
             such a level for a part of the program, as in info,tradepost_http=debug."
        ))),
        None => Ok(filters),
    }
}

/// The first invalid part of `RUST_LOG`, if any: it would switch the log off.
fn wrong_part(filters: &str) -> Option<&str> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    let is_level = |text: &str| {
        let text = text.trim();
        LEVELS.iter().any(|level| level.eq_ignore_ascii_case(text))
    };
    // The part after a slash is a text filter.
    let parts = filters.split('/').next().unwrap_or_default().split(',');
    let mut parts = parts.filter(|part| !part.trim().is_empty());
    parts.find(|part| match part.split_once('=') {
        Some((target, level)) => target.trim().is_empty() || !is_level(level),
        None => !is_level(part),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_log_filters_are_found() {
        for (filters, wrong) in [
            ("", None),
            ("info", None),
            (DEFAULT, None),
            (" Debug , tradepost_http = TRACE,", None),
            ("off", None),
            ("info/what, is=looked for", None),
            ("loud", Some("loud")),
            ("info,tradepost", Some("tradepost")),
            ("info,tradepost=loud", Some("tradepost=loud")),
            ("=info", Some("=info")),
            ("bogus=[", Some("bogus=[")),
        ] {
            assert_eq!(wrong_part(filters), wrong, "{filters:?}");
        }
    }
}
