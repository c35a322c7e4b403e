//! Tests of every error against the golden list.

#[path = "../tests/http/golden.rs"]
mod golden;

use super::*;
use std::collections::BTreeSet;
use tradepost_domain::kernel::{FieldError, ValidationErrors};

/// An example of each variant, with the pattern that it has to match first. The match is
/// exhaustive: a new variant does not compile until it has a line here.
macro_rules! examples {
    ($list:ident: $type:ty; $($pattern:pat => $example:expr),+ $(,)?) => {
        fn $list() -> Vec<(&'static str, $type)> {
            fn name(example: &$type) -> &'static str {
                match example {
                    $($pattern => stringify!($pattern)),+
                }
            }
            let examples: Vec<(&'static str, $type)> = vec![$((stringify!($pattern), $example)),+];
            for (pattern, example) in &examples {
                assert_eq!(*pattern, name(example));
            }
            examples
        }
    };
}

examples! { failures: StoreErrorKind;
    StoreErrorKind::Busy => StoreErrorKind::Busy,
    StoreErrorKind::Unavailable => StoreErrorKind::Unavailable,
    StoreErrorKind::DeadlineExceeded => StoreErrorKind::DeadlineExceeded,
    StoreErrorKind::Full => StoreErrorKind::Full,
    StoreErrorKind::OutcomeUnknown => StoreErrorKind::OutcomeUnknown,
    StoreErrorKind::Corrupt { .. } => StoreErrorKind::Corrupt {
        table: "secret table",
        column: "secret column",
        row: 1,
    },
    StoreErrorKind::SchemaMismatch => StoreErrorKind::SchemaMismatch,
    StoreErrorKind::Other => StoreErrorKind::Other,
}

examples! { own: ApiError;
    ApiError::Refused(_) => Refusal::NotFound.into(),
    ApiError::NoActiveAccount => ApiError::NoActiveAccount,
    ApiError::Store(_) => StoreError::new(StoreErrorKind::Other).into(),
    ApiError::Hashing(_) => ApiError::Hashing(HashingFailed("secret cause".to_owned())),
    ApiError::Amount(_) => ApiError::Amount(MoneyError::Overflow),
    ApiError::MalformedBody(_) => ApiError::MalformedBody("The body is not valid JSON."),
    ApiError::BodyTooLarge => ApiError::BodyTooLarge,
    ApiError::UnsupportedMediaType => ApiError::UnsupportedMediaType,
    ApiError::UnsupportedEncoding => ApiError::UnsupportedEncoding,
    ApiError::BodyTimeout => ApiError::BodyTimeout,
    ApiError::MethodNotAllowed(_) => ApiError::MethodNotAllowed(HeaderValue::from_static("GET")),
    ApiError::BadHost => ApiError::BadHost,
    ApiError::CrossOrigin => ApiError::CrossOrigin,
    ApiError::Throttled { .. } => ApiError::Throttled { seconds: 2 },
    ApiError::Busy => ApiError::Busy,
    ApiError::Overdue => ApiError::Overdue,
    ApiError::ListOverdue => ApiError::ListOverdue,
    ApiError::OutcomeUnknown => ApiError::OutcomeUnknown,
    ApiError::NotReady(_) => not_ready(StoreErrorKind::Unavailable),
    ApiError::Panicked => ApiError::Panicked,
    ApiError::Defect(_) => ApiError::Defect("secret cause".to_owned()),
    ApiError::Framework(_) => ApiError::Framework(StatusCode::UPGRADE_REQUIRED),
}

fn examples() -> Vec<(String, ApiError)> {
    let named = |(name, error): (&str, ApiError)| (name.to_owned(), error);
    let refused = Refusal::samples()
        .into_iter()
        .map(|refusal| (format!("Refusal: {refusal}"), ApiError::from(refusal)));
    let failed = failures().into_iter().map(|(name, kind)| {
        let source = std::io::Error::other("secret cause");
        (name.to_owned(), StoreError::caused(kind, source).into())
    });
    let own = own().into_iter().map(named);
    own.chain(refused).chain(failed).collect()
}

fn not_ready(kind: StoreErrorKind) -> ApiError {
    ApiError::NotReady(StoreError::caused(
        kind,
        std::io::Error::other("secret cause"),
    ))
}

#[test]
fn failed_readiness_is_503_with_one_of_three_reasons() {
    for (name, kind) in failures() {
        let code = not_ready(kind.clone()).code();
        let expected = match kind {
            StoreErrorKind::Busy => Code::Busy,
            StoreErrorKind::SchemaMismatch => Code::Schema,
            _ => Code::Unavailable,
        };
        assert_eq!(code, expected, "{name}");
        assert_eq!(code.status(), StatusCode::SERVICE_UNAVAILABLE);
    }
}

#[test]
fn every_failure_has_the_status_and_code_of_the_golden_list() {
    // A refusal has its code and status in the OpenAPI document.
    let is_refusal = |error: &ApiError| matches!(error, ApiError::Refused(_));
    let failures = examples().into_iter();
    let seen: String = failures
        .filter(|(_, error)| !is_refusal(error))
        .map(|(name, error)| {
            let code = error.code();
            format!("{} {} {name}\n", code.status().as_u16(), code.word())
        })
        .collect();
    golden::expect_golden("errors.txt", &seen);
}

#[test]
fn every_refusal_has_a_row_with_its_code() {
    for refusal in Refusal::samples() {
        let code = Code::of(&refusal);
        assert_eq!(code.word(), refusal.code(), "{refusal:?}");
        assert!(
            code.status().is_client_error() || code == Code::Busy,
            "{refusal:?}"
        );
    }
}

#[test]
fn every_code_can_happen_and_no_two_are_alike() {
    let happening: BTreeSet<Code> = examples().iter().map(|(_, error)| error.code()).collect();
    let known: BTreeSet<Code> = Code::ALL.iter().copied().collect();
    assert_eq!(known, happening);
    let words: BTreeSet<&str> = error_codes().map(|(_, word, _)| word).collect();
    assert_eq!(words.len(), Code::ALL.len());
}

#[test]
fn responses_of_the_framework_have_codes() {
    for (status, code) in [
        (400, Code::BadRequest),
        (404, Code::NotFound),
        (408, Code::RequestTimeout),
        (413, Code::BodyTooLarge),
        (415, Code::UnsupportedMediaType),
        (431, Code::BadRequest),
        (500, Code::InternalError),
        (502, Code::InternalError),
    ] {
        let status = StatusCode::from_u16(status).unwrap();
        assert_eq!(ApiError::Framework(status).code(), code);
    }
}

#[test]
fn responses_name_no_internal_cause() {
    for (_, error) in examples() {
        let text =
            String::from_utf8(crate::respond::problem::document(&error, "/x", "id")).unwrap();
        assert!(!text.contains("secret"), "{text}");
        assert!(!error.to_string().is_empty());
    }
}

#[test]
fn fields_are_listed_with_all_their_problems() {
    let mut errors = ValidationErrors::new("price", FieldError::NotPositive);
    errors.push("name", FieldError::Blank);
    errors.push("price", FieldError::TooManyDigits);
    let error = ApiError::from(Refusal::Invalid(errors));
    let document: serde_json::Value =
        serde_json::from_slice(&crate::respond::problem::document(&error, "/x", "id")).unwrap();
    assert_eq!(
        document["errors"],
        serde_json::json!({
            "price": ["Must be greater than 0.", "At most 12 digits are allowed."],
            "name": ["This field may not be blank."],
        })
    );
}

#[test]
fn retry_after_is_set_on_retryable_errors() {
    for (name, error) in examples() {
        let code = error.code();
        let later = matches!(
            code,
            Code::Busy
                | Code::Unavailable
                | Code::ListTimeout
                | Code::TooManyAttempts
                | Code::TooManyOrders
                | Code::Throttled
        );
        assert_eq!(error.retry_after(false).is_some(), later, "{name}");
        let later = later || code == Code::OutcomeUnknown;
        assert_eq!(error.retry_after(true).is_some(), later, "{name}");
        let challenged = matches!(
            code,
            Code::NotAuthenticated | Code::NoActiveAccount | Code::InvalidToken
        );
        assert_eq!(error.challenge().is_some(), challenged, "{name}");
    }
}
