//! Tables of the rules for usernames and addresses.

use super::*;
use crate::identity::Password;
use crate::kernel::UserSearch;

fn name(text: &str) -> Username {
    Username::new(text).unwrap()
}

#[test]
fn usernames_have_the_letters_that_django_allows() {
    for text in [
        "ada",
        "Ада",
        "a@b.c",
        "x+y-z_1",
        "שלום",
        "مرحبا",
        "李小龙",
        "straße",
    ] {
        assert_eq!(Username::new(text).as_ref().map(Username::as_str), Ok(text));
    }
    for text in ["a b", "a/b", "a<b", "a\u{200b}b"] {
        assert_eq!(
            Username::new(text),
            Err(FieldError::NotAUsername),
            "{text:?}"
        );
    }
    for long in ["a".repeat(151), "a".repeat(100_000), "é".repeat(151)] {
        assert_eq!(Username::new(&long), Err(FieldError::TooLong { max: 150 }));
    }
    assert!(Username::new(&"e\u{301}".repeat(150)).is_ok());
    for blank in ["", " \t", "\u{feff}", " \u{200b}\u{feff} "] {
        assert_eq!(Username::new(blank), Err(FieldError::Blank), "{blank:?}");
    }
}

#[test]
fn new_usernames_have_no_invisible_and_no_compatibility_characters() {
    for text in [
        "admin\u{3164}",
        "\u{115f}admin",
        "ad\u{ad}min",
        "ad\u{feff}min",
        "ad\u{2060}min",
        "ad\u{202e}nim",
        "ad\u{2067}nim",
        "adm\u{fe0f}in",
        "𝐚𝐝𝐦𝐢𝐧",
        "𝒶dmin",
        "ⓐdmin",
        "ﬁsh",
        "admin²",
        // Ambiguous directions (RFC 5893).
        "adminשלום",
        "שלוםadmin",
    ] {
        assert!(Username::new(text).is_err(), "{text:?}");
    }
}

#[test]
fn new_usernames_are_normalised_and_keep_their_case() {
    for (typed, expected) in [
        ("ＡＤＭＩＮ", "ADMIN"),
        ("Ame\u{301}lie", "Amélie"),
        (" \u{feff}Ada\u{200b} ", "Ada"),
        ("ｶﾅ", "カナ"),
    ] {
        assert_eq!(name(typed).as_str(), expected);
        // The stored form parses unchanged.
        assert_eq!(Username::existing(expected), Ok(name(typed)));
        assert_eq!(name(expected), name(typed));
    }
}

#[test]
fn existing_usernames_stay_as_they_are() {
    for text in ["admin\u{3164}", "ａdmin", "𝐚dmin", "adminשלום", "e\u{301}"] {
        let Ok(existing) = Username::existing(text) else {
            // Marks were never allowed.
            assert_eq!(text, "e\u{301}");
            continue;
        };
        assert_eq!(existing.as_str(), text);
        assert_eq!(existing.key(), fold_case(text));
        // Its user signs in with it, also if it is confusable with another name.
        assert_eq!(LoginName::new(text).keys().next(), Some(&*existing.key()));
    }
}

#[test]
fn names_that_look_alike_have_one_skeleton() {
    for alike in [
        "ADMIN",
        "ADМIN",
        "АDМІN",
        "аdmin",
        "аԁmіn",
        "admln",
        "adm1n",
        "AdmlN",
        "adrnin",
        "ａｄｍｉｎ",
        "admın",
    ] {
        assert_eq!(name(alike).skeleton(), name("admin").skeleton(), "{alike}");
    }
    for alike in ["admin\u{3164}", "𝐚𝐝𝐦𝐢𝐧", "ⓐdmin"] {
        if let Ok(existing) = Username::existing(alike) {
            assert_eq!(existing.skeleton(), name("Admin").skeleton(), "{alike}");
        }
    }
    for (one, other) in [("Alice", "aIice"), ("bob0", "BOBO"), ("раураl", "paypal")] {
        assert_eq!(name(one).skeleton(), name(other).skeleton(), "{one}");
    }
    for (one, other) in [
        ("ada", "adam"),
        ("ada", "áda"),
        ("customer1", "customer2"),
        ("a-b", "a_b"),
        ("resume", "résumé"),
    ] {
        assert_ne!(name(one).skeleton(), name(other).skeleton(), "{one}");
    }
}

#[test]
fn every_spelling_of_a_login_name_counts_as_one() {
    let ada = LoginName::new("Amélie");
    for spelling in [
        "AMÉLIE",
        "ame\u{301}lie",
        "Ａmélie",
        " amélie\u{feff}",
        "𝐀mélie",
    ] {
        let login = LoginName::new(spelling);
        assert_eq!(login.attempt_key(), ada.attempt_key(), "{spelling}");
        assert!(login.keys().any(|key| key == name("Amélie").key()));
    }
    assert_eq!(ada.keys().count(), 1);
    assert_ne!(LoginName::new("Amelie").attempt_key(), ada.attempt_key());
}

/// The characters that case folding or normalisation may change, and many more; without the large
/// blocks of ideographs, syllables and private use.
fn characters() -> impl Iterator<Item = char> {
    ('\0'..='\u{1ffff}').filter(|character| {
        !matches!(u32::from(*character),
            0x3400..=0x9fff | 0xac00..=0xd7a3 | 0xe000..=0xf8ff | 0x12000..=0x1afff | 0x1b170..=0x1b2fb)
    })
}

/// A typed name counts under the key of every account that it may find, so that no account has a
/// second count.
#[test]
fn no_spelling_of_a_name_has_a_count_of_its_own() {
    let characters: Vec<char> = characters().collect();
    for some in characters.chunks(64) {
        let typed: String = some
            .iter()
            .flat_map(|character| ['x', *character])
            .collect();
        let login = LoginName::new(&format!("{typed}x"));
        for key in login.keys() {
            let counted = LoginName::new(key).attempt_key();
            assert_eq!(counted, login.attempt_key(), "{some:?}");
        }
    }
}

#[test]
fn a_new_username_is_found_by_every_spelling_that_makes_it() {
    for character in characters() {
        let typed = format!("x{character}x");
        if let Ok(name) = Username::new(&typed) {
            let login = LoginName::new(&typed);
            let found = login.keys().any(|key| key == name.key());
            assert!(found, "{character:?}");
            assert_eq!(Username::new(name.as_str()).as_ref(), Ok(&name));
        }
    }
}

#[test]
fn invalid_addresses_are_refused() {
    for text in ["ada@example.org", "a.b+c@sub.example.co", "ä@exämple.org"] {
        assert!(Email::new(text).is_ok(), "{text}");
    }
    for text in [
        "ada",
        "@example.org",
        "ada@",
        "ada@localhost",
        "ada@a..b",
        "a b@example.org",
        "a@b@c.d",
        "a@b.c>",
        "a\u{200b}da@example.org",
        "ada\u{3164}@example.org",
        "ada@exam\u{202e}ple.org",
        "ada@example\u{3164}.org",
    ] {
        assert_eq!(Email::new(text), Err(FieldError::NotAnEmail), "{text}");
    }
    let long = format!("{}@example.org", "a".repeat(65));
    assert_eq!(Email::new(&long), Err(FieldError::NotAnEmail));
    let long = format!("a@{}", "a".repeat(254));
    assert_eq!(Email::new(&long), Err(FieldError::TooLong { max: 254 }));
    assert!(Email::existing("ada\u{3164}@example.org").is_ok());
}

#[test]
fn addresses_of_one_key_differ_in_spelling_alone() {
    let key = Email::new("Amélie@example.org").unwrap().key();
    for text in [
        " ame\u{301}lie@EXAMPLE.org\u{feff}",
        "ａmélie@example.org",
        "𝐚mélie@example.org",
    ] {
        assert_eq!(Email::new(text).unwrap().key(), key, "{text}");
    }
    assert_eq!(UserSearch::new("AMÉLIE@").unwrap().key(), "amélie@");
    let named = name("AMÉLIE@example.org");
    assert_eq!(named.as_email_key(), Some(key));
    let email = Email::new("ａmélie@example.org").unwrap();
    assert!(email.as_username_keys().contains(&named.key()));
    assert_eq!(name("amélie").as_email_key(), None);
}

#[test]
fn taken_names_are_reported_by_field() {
    let none = NameConflicts::default();
    for (conflicts, expected) in [
        (none, vec![]),
        (
            NameConflicts {
                username: true,
                similar_username: true,
                ..none
            },
            vec![("username", FieldError::Taken)],
        ),
        (
            NameConflicts {
                similar_username: true,
                ..none
            },
            vec![("username", FieldError::TooSimilar)],
        ),
        (
            NameConflicts {
                username_is_email: true,
                ..none
            },
            vec![("username", FieldError::Taken)],
        ),
        (
            NameConflicts {
                email_is_username: true,
                ..none
            },
            vec![("email", FieldError::Taken)],
        ),
        (
            NameConflicts {
                username: true,
                email: true,
                ..none
            },
            vec![
                ("username", FieldError::Taken),
                ("email", FieldError::Taken),
            ],
        ),
    ] {
        let mut errors = ValidationErrors::default();
        for (field, problem) in &expected {
            errors.push(field, problem.clone());
        }
        let refused = decide_names(conflicts).err();
        let expected = (!expected.is_empty()).then_some(Refusal::Invalid(errors));
        assert_eq!(refused, expected, "{conflicts:?}");
    }
}

#[test]
fn passwords_are_normalised_before_they_are_hashed() {
    for (typed, expected) in [
        ("cafe\u{301} au lait", "café au lait"),
        ("correct\u{a0}horse\u{3000}x", "correct horse x"),
        ("correct horse", "correct horse"),
        ("  padded spaces ", "  padded spaces "),
        // RFC 8265 forbids it, and Django's users may have it.
        (
            "👩\u{200d}🚀👩\u{200d}🚀👩\u{200d}🚀",
            "👩\u{200d}🚀👩\u{200d}🚀👩\u{200d}🚀",
        ),
    ] {
        let password = Password::new(typed, None).unwrap();
        assert_eq!(password.reveal(), expected);
        let forms: Vec<_> = Password::hashed_forms(typed).collect();
        let both = [expected, typed];
        let distinct = if expected == typed { 1 } else { 2 };
        assert_eq!(forms, both[..distinct], "{typed}");
        assert!(Password::is_normalised(expected));
        assert_eq!(Password::is_normalised(typed), distinct == 1);
    }
    // The length is counted after normalisation.
    assert_eq!(
        Password::new(&"e\u{301}".repeat(7), None),
        Err(FieldError::TooShort { min: 8 })
    );
    assert!(Password::new(&"e\u{301}".repeat(128), None).is_ok());
    let ada = name("Ada.Lovelace");
    let full_width = Password::new("ａda.lovelace", Some(&ada));
    assert_eq!(full_width, Err(FieldError::PasswordIsUsername));
}
