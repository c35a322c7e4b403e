//! Signed pagination cursors: a position in a list, handed to a client. A client can decode a
//! cursor, but cannot change it or use it for another list: position and list are signed together.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use tradepost_domain::kernel::{
    CursorBound, CursorRequest, FieldError, MessageSigner, SortPosition, SortValue,
};

/// The longest is that of a name of 200 characters with four bytes each: under 1,200 characters.
const LONGEST: usize = 2048;

/// The length of a signature in bytes.
const SIGNATURE: usize = 16;

const BACKWARDS: u8 = 1;
const INCLUSIVE: u8 = 2;
const TEXT: u8 = 4;

/// The list that a cursor belongs to: its kind, its order, and its filter.
#[derive(Debug)]
pub struct Scope(String);

impl Scope {
    /// The scope of a list.
    pub fn new(list: &impl Serialize) -> Self {
        // Tuples of texts and numbers can always be serialized.
        Self(serde_json::to_string(list).unwrap_or_default())
    }

    /// The signed message. JSON has no NUL.
    fn message(&self, place: &[u8]) -> Vec<u8> {
        [b"cursor\0", self.0.as_bytes(), b"\0", place].concat()
    }

    /// The cursor for the start of a span; empty for the start of the list.
    #[must_use]
    pub fn write(&self, span: &CursorRequest, signer: &dyn MessageSigner) -> String {
        let Some(edge) = &span.edge else {
            return String::new();
        };
        let mut flags = 0;
        if span.backwards {
            flags |= BACKWARDS;
        }
        if edge.inclusive {
            flags |= INCLUSIVE;
        }
        let value = match &edge.position.value {
            SortValue::Number(number) => number.to_be_bytes().to_vec(),
            SortValue::Text(text) => {
                flags |= TEXT;
                text.as_bytes().to_vec()
            }
        };
        let place = [&[flags][..], &edge.position.id.to_be_bytes(), &value].concat();
        self.signed(&place, signer)
    }

    /// A position with its signature, encoded for a client.
    pub(crate) fn signed(&self, place: &[u8], signer: &dyn MessageSigner) -> String {
        let signature = signer.sign(&self.message(place));
        URL_SAFE_NO_PAD.encode([place, &signature].concat())
    }

    /// The span that a cursor leads to.
    ///
    /// # Errors
    /// [`FieldError::NotACursor`] if it is forged, or belongs to another list.
    pub fn read(
        &self,
        cursor: &str,
        size: u32,
        signer: &dyn MessageSigner,
    ) -> Result<CursorRequest, FieldError> {
        if cursor.is_empty() {
            return Ok(CursorRequest::first(size));
        }
        let (edge, backwards) = self.genuine(cursor, signer).ok_or(FieldError::NotACursor)?;
        Ok(CursorRequest {
            edge: Some(edge),
            backwards,
            size,
        })
    }

    fn genuine(&self, cursor: &str, signer: &dyn MessageSigner) -> Option<(CursorBound, bool)> {
        if cursor.len() > LONGEST {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (place, signature) = bytes.split_at_checked(bytes.len().checked_sub(SIGNATURE)?)?;
        if !signer.verify(&self.message(place), signature) {
            return None;
        }
        let (flags, place) = place.split_first()?;
        let (id, value) = place.split_first_chunk()?;
        let value = if flags & TEXT == 0 {
            SortValue::Number(i64::from_be_bytes(value.try_into().ok()?))
        } else {
            SortValue::Text(String::from_utf8(value.to_vec()).ok()?)
        };
        let place = SortPosition {
            value,
            id: i64::from_be_bytes(*id),
        };
        let edge = CursorBound {
            position: place,
            inclusive: flags & INCLUSIVE != 0,
        };
        Some((edge, flags & BACKWARDS != 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradepost_domain::kernel::MockMessageSigner;

    /// Sums up the bytes, each weighted by its position: enough to detect a change.
    fn signer() -> MockMessageSigner {
        fn sum(message: &[u8]) -> Vec<u8> {
            let weighed = message.iter().zip(1_u64..);
            let sum: u64 = weighed.map(|(byte, at)| u64::from(*byte) * at).sum();
            [sum.to_be_bytes(), sum.to_le_bytes()].concat()
        }
        let mut signer = MockMessageSigner::new();
        signer.expect_sign().returning(sum);
        signer
            .expect_verify()
            .returning(|message, signer| sum(message) == signer);
        signer
    }

    fn spans() -> Vec<CursorRequest> {
        let values = [
            SortValue::Number(0),
            SortValue::Number(i64::MIN),
            SortValue::Text(String::new()),
            SortValue::Text("𝕏".repeat(200)),
        ];
        let mut spans = vec![CursorRequest::first(7)];
        for value in values {
            for (inclusive, backwards) in
                [(false, false), (false, true), (true, false), (true, true)]
            {
                let place = SortPosition {
                    value: value.clone(),
                    id: 42,
                };
                let edge = Some(CursorBound {
                    position: place,
                    inclusive,
                });
                spans.push(CursorRequest {
                    edge,
                    backwards,
                    size: 7,
                });
            }
        }
        spans
    }

    #[test]
    fn cursors_round_trip() {
        let (scope, signer) = (Scope::new(&("products", "-price")), signer());
        for span in spans() {
            let cursor = scope.write(&span, &signer);
            assert!(cursor.len() <= 1200, "{}", cursor.len());
            assert_eq!(scope.read(&cursor, 7, &signer), Ok(span));
        }
    }

    #[test]
    fn forged_and_foreign_cursors_are_rejected() {
        let (scope, signer) = (Scope::new(&("products", "-price")), signer());
        let cursor = scope.write(&spans()[1], &signer);
        let refused = |scope: &Scope, cursor: &str| {
            assert_eq!(
                scope.read(cursor, 7, &signer),
                Err(FieldError::NotACursor),
                "{cursor:.60}"
            );
        };
        refused(&Scope::new(&("products", "price")), &cursor);
        for length in 1..cursor.len() {
            refused(&scope, &cursor[..length]);
        }
        for at in 0..cursor.len() {
            for other in ["A", "B", "_", " ", "="] {
                let mut forged = cursor.clone();
                forged.replace_range(at..=at, other);
                if forged != cursor {
                    refused(&scope, &forged);
                }
            }
        }
        for cursor in [
            "=",
            "x",
            "é",
            "\0",
            "null",
            &"A".repeat(2048),
            &"A".repeat(1 << 20),
        ] {
            refused(&scope, cursor);
        }
        refused(&scope, &format!("{cursor}="));
        refused(&scope, &format!("{cursor}A"));
    }
}
