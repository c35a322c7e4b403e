use super::*;
use std::time::Instant;

/// Hashes written by Django 5.2.
const MADE_BY_DJANGO: [(&str, &str); 7] = [
    (
        "correct horse",
        "pbkdf2_sha256$1200$Ws2yAlt0cV9kqEa7Zr1uXb$+Br83jRl+1UM6/IoiDZfvG+quyg4rzCts/UL4W2x8Bs=",
    ),
    (
        "correct horse",
        "pbkdf2_sha1$900$s$pq4NVaHTTnp164O4OaOeohOhMkU=",
    ),
    (
        "correct horse",
        "bcrypt_sha256$$2b$04$lHmK1W5oYnGFU2BecADm0OGR2jVnkZ0qXEa7u4n566Hyar9vxf6Pu",
    ),
    (
        "correct horse",
        "bcrypt$$2b$04$Av8DT0o6KvDLXMf/uSkO2u4KzqgsW9ljjxl4rKVRD0af3PZ0vLTgG",
    ),
    (
        LONG,
        "pbkdf2_sha256$1200$Ws2yAlt0cV9kqEa7Zr1uXb$hxSvMDcmgQtaDO1Cn9TUmPMTKbB8SPqbP47fcjdjkDU=",
    ),
    (LONG, "pbkdf2_sha1$900$s$svtjJZia80YmamOXdK/MV3Pk+uA="),
    (
        LONG,
        "bcrypt_sha256$$2b$04$f8fvllas4Yq2/vOqOtLaM./jhwCxYBwI/aASuPnuFj5AJswsGtpim",
    ),
];

const LONG: &str = "пароль xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

fn hash(text: &str) -> PasswordHash {
    PasswordHash::new(text.to_owned())
}

#[test]
fn django_hashes_verify_and_are_outdated() {
    let hasher = BcryptHasher::with_cost_for_tests();
    for (password, text) in MADE_BY_DJANGO {
        let stored = hash(text);
        assert!(hasher.verify(password, &stored), "{text}");
        assert!(
            hasher.is_outdated(&stored, password) && is_checkable(&stored),
            "{text}"
        );
        for other in [
            "",
            "Correct horse",
            "correct horse ",
            &LONG[..LONG.len() - 1],
        ] {
            assert!(!hasher.verify(other, &stored), "{text} {other:?}");
        }
    }
}

/// Django's plain bcrypt hashes the first 72 bytes only. Whether the remaining bytes are right is
/// unknown, so the hash is not renewed with them.
#[test]
fn a_truncated_password_verifies_and_is_not_renewed() {
    let hasher = BcryptHasher::with_cost_for_tests();
    // By crypt(3), of 80 letters.
    let stored = hash("bcrypt$$2b$04$abcdefghijklmnopqrstuubzadhGtS2zEF.gu0yd0opP6cVzb.e0i");
    for (length, expected) in [(71, false), (72, true), (73, true), (80, true), (128, true)] {
        let candidate = "x".repeat(length);
        assert_eq!(hasher.verify(&candidate, &stored), expected, "{length}");
        let renewed = hasher.is_outdated(&stored, &candidate);
        assert_eq!(renewed, length <= 71, "{length}");
    }
    let other = format!("{}y{}", "x".repeat(71), "x".repeat(8));
    assert!(!hasher.verify(&other, &stored));
    let (_, of_digest) = MADE_BY_DJANGO[6];
    assert!(hasher.is_outdated(&hash(of_digest), LONG));
}

#[test]
fn an_unsupported_django_hash_matches_no_password() {
    let hasher = BcryptHasher::with_cost_for_tests();
    let digest = "+Br83jRl+1UM6/IoiDZfvG+quyg4rzCts/UL4W2x8Bs=";
    for text in [
        "",
        "!",
        "!rvMwVWXFNQdcGIZWPkPtnXsgRWDFGbSS5PhS6Cqk",
        "pbkdf2_sha256$1200$Ws2yAlt0cV9kqEa7Zr1uXb",
        "pbkdf2_sha256$1200$Ws2yAlt0cV9kqEa7Zr1uXb$",
        "pbkdf2_sha256$1200$Ws2yAlt0cV9kqEa7Zr1uXb$+Br8",
        &format!("pbkdf2_sha256$0$Ws2yAlt0cV9kqEa7Zr1uXb${digest}"),
        &format!("pbkdf2_sha256$+1200$Ws2yAlt0cV9kqEa7Zr1uXb${digest}"),
        &format!("pbkdf2_sha1$1200$Ws2yAlt0cV9kqEa7Zr1uXb${digest}"),
        &format!("pbkdf2_md5$1200$Ws2yAlt0cV9kqEa7Zr1uXb${digest}"),
        "argon2$argon2id$v=19$m=102400,t=2,p=8$c2FsdA$ZGlnZXN0",
        "bcrypt$",
        "bcrypt$$2b$04$short",
    ] {
        let stored = hash(text);
        assert!(!hasher.verify("correct horse", &stored), "{text:?}");
        assert!(
            !hasher.verify("", &stored) && !is_checkable(&stored),
            "{text:?}"
        );
        assert!(
            !hasher.is_outdated(&stored, "correct horse") || text.starts_with("bcrypt$"),
            "{text:?}"
        );
    }
}

#[test]
fn no_hash_keeps_a_core_busy_for_as_long_as_it_likes() {
    let hasher = BcryptHasher::with_cost_for_tests();
    let dots = ".".repeat(53);
    for text in [
        format!("pbkdf2_sha256$4294967295$s${}", "A".repeat(43) + "="),
        format!("pbkdf2_sha256$5000001$s${}", "A".repeat(43) + "="),
        format!("bcrypt$$2b$31${dots}"),
        format!("bcrypt_sha256$$2b$17${dots}"),
        format!("$2b$31${dots}"),
    ] {
        let start = Instant::now();
        assert!(!hasher.verify("correct horse", &hash(&text)));
        assert!(start.elapsed().as_secs() < 1, "{text}");
        assert!(!is_checkable(&hash(&text)), "{text}");
    }
    let most = format!("pbkdf2_sha256$5000000$s${}", "A".repeat(43) + "=");
    assert!(is_checkable(&hash(&most)));
}
