//! Access log: one record for each answered request, handed to the [sink](crate::access_log).

use crate::access_log::AccessRecord;
use crate::extract::request_context::RequestInfo;
use actix_web::http::StatusCode;
use std::time::Duration;
use tradepost_domain::kernel::{Actor, UserId};

/// Maximum length of a path in the log, in bytes, so that long paths cannot fill the disk.
const MAX_PATH: usize = 512;

/// Maximum length of a method in the log, in bytes: twice the longest registered one.
const MAX_METHOD: usize = 32;

/// Hands the record of a request to the sink.
pub(super) fn write(info: &RequestInfo, status: StatusCode, took: Duration) {
    info.state.access_log.record(&AccessRecord {
        id: info.id(),
        method: beginning(info.method.as_str(), MAX_METHOD),
        path: beginning(info.path(), MAX_PATH),
        status: status.as_u16(),
        took,
        user: info.actor.get().and_then(user),
        client: info.client,
    });
}

/// At most this many bytes of a text, in whole characters.
fn beginning(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most)).unwrap_or(text)
}

/// The id of a signed-in user.
fn user(actor: Actor) -> Option<UserId> {
    match actor {
        Actor::Anonymous => None,
        Actor::Customer(user) | Actor::Staff(user) => Some(user),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_off_between_characters() {
        for (text, most, cut) in [
            ("short", 5, "short"),
            ("longer", 5, "longe"),
            ("ééé", 5, "éé"),
            ("é", 1, ""),
            ("", 5, ""),
        ] {
            assert_eq!(beginning(text, most), cut, "{text:?}");
        }
    }
}
