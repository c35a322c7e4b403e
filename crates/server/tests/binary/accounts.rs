//! `tradepost createsuperuser` and `changepassword`, on the real binary.

use crate::place::{Place, QUICK};

#[test]
fn createsuperuser_makes_everything_that_it_needs() {
    let place = Place::new();
    assert_eq!(
        place.make_staff(&QUICK).well(),
        "The staff user ada is made.\n"
    );
    assert_eq!(
        place.files(),
        ["tradepost.db"],
        "no key: nobody signs in here"
    );
    let again = place.make_staff(&QUICK).sentence(1);
    assert!(
        again.contains("username: This is already taken."),
        "{again}"
    );
    assert!(again.contains("email: This is already taken."), "{again}");
}

#[test]
fn createsuperuser_prompts_for_missing_values() {
    let place = Place::new();
    let full = [
        "createsuperuser",
        "--noinput",
        "--username",
        "ada",
        "--email",
        "ada@example.org",
    ];
    let password = [("TRADEPOST_SUPERUSER_PASSWORD", "correct horse")];
    for (words, variables, said) in [
        (&full[..4], &password[..], "--email"),
        (
            &[full[0], full[1], full[4], full[5]],
            &password,
            "--username",
        ),
        (&full, &[], "TRADEPOST_SUPERUSER_PASSWORD"),
        (
            &full,
            &[("TRADEPOST_SUPERUSER_PASSWORD", "")],
            "TRADEPOST_SUPERUSER_PASSWORD",
        ),
        (&full[..1], &password, "--noinput"),
    ] {
        let sentence = place.run_with(words, variables, "").sentence(2);
        assert!(sentence.contains(said), "{sentence}");
    }
    assert!(place.files().is_empty());
}

#[test]
fn createsuperuser_keeps_the_rules() {
    let place = Place::new();
    for (username, email, password, said) in [
        (
            "a b",
            "ada@example.org",
            "correct horse",
            "--username is \"a b\"",
        ),
        ("", "ada@example.org", "correct horse", "may not be blank"),
        ("ada", "ada", "correct horse", "--email is \"ada\""),
        ("ada", "ada@example.org", "short", "At least 8 characters"),
        ("ada", "ada@example.org", "password1", "too common"),
        (
            "ada.lovelace",
            "ada@example.org",
            "Ada.Lovelace",
            "may not be the username",
        ),
    ] {
        let words = [
            "createsuperuser",
            "--noinput",
            "--username",
            username,
            "--email",
            email,
        ];
        let password = ("TRADEPOST_SUPERUSER_PASSWORD", password);
        let sentence = place.run_with(&words, &[password], "").sentence(2);
        assert!(sentence.contains(said), "{sentence}");
    }
    assert!(place.files().is_empty());
}

#[test]
fn changepassword_reads_a_line() {
    let place = Place::new();
    let change = |username: &str, input: &str| {
        place.run_with(
            &["changepassword", username, QUICK[0], QUICK[1]],
            &[],
            input,
        )
    };
    assert!(
        change("ada", "another horse\n")
            .sentence(1)
            .contains("no database")
    );
    place.make_staff(&QUICK).well();
    assert_eq!(
        change("ADA", "another horse\n").well(),
        "The password of ada is changed.\n"
    );
    assert_eq!(
        change("ada", "a third horse").well(),
        "The password of ada is changed.\n"
    );
    assert_eq!(
        change("ada", "a horse on windows\r\n").well(),
        "The password of ada is changed.\n"
    );
    assert!(
        change("bob", "another horse\n")
            .sentence(1)
            .contains("no user \"bob\"")
    );
    assert!(change("ada", "").sentence(2).contains("standard input"));
    assert!(change("ada", "\n").sentence(2).contains("may not be blank"));
    assert!(
        change("ada", "12345678\n")
            .sentence(2)
            .contains("too common")
    );
}
