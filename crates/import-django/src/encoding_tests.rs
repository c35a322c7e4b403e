//! Files in the encodings of dumpdata, PowerShell and editors.

use super::*;
use crate::testing::options;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write as _;

const ROWS: &str = r#"[
{"model": "auth.user", "pk": 1, "fields": {"username": "Zoë-𝔷", "password": "!", "date_joined": "2024-01-01T00:00:00Z"}},
{"model": "shop.product", "pk": 7, "fields": {"name": "Grüner Tee 🍵", "price": "9.90", "stock": 4}}
]"#;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

fn utf16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(unit).collect()
}

fn with_mark(mark: &[u8], bytes: &[u8]) -> Vec<u8> {
    [mark, bytes].concat()
}

fn lines(text: &str) -> String {
    let rows = text.lines().filter(|line| line.starts_with('{'));
    let rows: Vec<_> = rows.map(|line| line.trim_end_matches(',')).collect();
    rows.join("\n")
}

#[test]
fn every_form_that_dumpdata_and_shells_write_is_the_same_dump() {
    let plain = ROWS.replace("Zoë-𝔷", "zoe").into_bytes();
    let expected = read(plain.as_slice(), &options()).unwrap();
    assert_eq!(expected.shop.products[0].name.as_str(), "Grüner Tee 🍵");
    let text = String::from_utf8(plain.clone()).unwrap();
    let (le, be) = (u16::to_le_bytes, u16::to_be_bytes);
    let forms: &[(&str, Vec<u8>)] = &[
        ("byte order mark", with_mark(b"\xef\xbb\xbf", &plain)),
        ("UTF-16", with_mark(b"\xff\xfe", &utf16(&text, le))),
        (
            "UTF-16, big-endian",
            with_mark(b"\xfe\xff", &utf16(&text, be)),
        ),
        ("UTF-16 without a mark", utf16(&text, le)),
        ("big-endian without a mark", utf16(&text, be)),
        ("gzip", gzip(&plain)),
        (
            "gzip of UTF-16",
            gzip(&with_mark(b"\xff\xfe", &utf16(&text, le))),
        ),
        (
            "two members of gzip",
            [gzip(&plain[..50]), gzip(&plain[50..])].concat(),
        ),
        ("JSON Lines", lines(&text).into_bytes()),
        (
            "JSON Lines on Windows",
            lines(&text).replace('\n', "\r\n").into_bytes(),
        ),
        (
            "a dump for each app",
            text.replace("}},\n", "}}\n]\n[\n").into_bytes(),
        ),
        ("one line", text.replace('\n', "").into_bytes()),
    ];
    for (form, bytes) in forms {
        let dump = read(bytes.as_slice(), &options());
        let dump = dump.unwrap_or_else(|error| panic!("{form}: {error}"));
        assert_eq!(dump.shop, expected.shop, "{form}");
        assert_eq!(dump.notes, expected.notes, "{form}");
    }
}

#[test]
fn characters_across_chunks_are_whole() {
    for padding in 0..4 {
        let long = "🍵é".repeat(40_000);
        let blank = " ".repeat(padding);
        let row = r#"{"model": "a.product", "pk": 1, "fields": {"name": "T", "price": 1, "stock": 1, "blurb": "#;
        let text = format!("[{blank}{row}\"{long}\"}}}}]");
        let wide = with_mark(b"\xff\xfe", &utf16(&text, u16::to_le_bytes));
        for bytes in [text.as_bytes(), wide.as_slice()] {
            let dump = read(bytes, &options()).unwrap();
            assert_eq!(dump.shop.products.len(), 1);
        }
        let cut = wide.len() - 1;
        let error = read(&wide[..cut], &options()).unwrap_err().to_string();
        assert!(error.starts_with("it is UTF-16, but byte "), "{error}");
    }
}

#[test]
fn text_around_the_json_is_skipped_and_reported() {
    let rows = ROWS.replace("Zoë-𝔷", "zoe");
    let text = format!("Loading [settings] from {{env}}\n[debug] ready\n{rows}\nDone.\n");
    let dump = read(text.as_bytes(), &options()).unwrap();
    assert_eq!((dump.shop.users.len(), dump.shop.products.len()), (1, 1));
    let said =
        "Lines that are no JSON are skipped: 3, the first is \"Loading [settings] from {env}\".";
    assert_eq!(dump.notes[0], said);
    let glued = format!("Loading... {rows} Done.");
    let dump = read(glued.as_bytes(), &options()).unwrap();
    assert_eq!(dump.shop.products.len(), 1);
    assert!(dump.notes[0].contains("skipped: 2, the first is \"Loading...\""));
}

#[test]
fn damaged_files_are_refused_with_their_place() {
    let rows = ROWS.replace("Zoë-𝔷", "zoe");
    let cut = &rows[..rows.len() - 40];
    let error = read(cut.as_bytes(), &options()).unwrap_err().to_string();
    assert!(error.contains("EOF while parsing"), "{error}");
    let wrong = format!("Hello\nWorld\n{}", rows.replace("\"pk\": 7", "\"pk\": x"));
    let error = read(wrong.as_bytes(), &options()).unwrap_err().to_string();
    assert!(
        error.ends_with("expected value at line 5 column 33"),
        "{error}"
    );
    let gzip = gzip(rows.as_bytes());
    let error = read(&gzip[..gzip.len() - 9], &options()).unwrap_err();
    assert!(matches!(error, DumpError::Unreadable(_)), "{error}");
}

/// A text in a single-byte code page that has these two characters.
fn code_page(text: &str, first: (char, u8), others: &[(char, u8)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for c in text.chars() {
        let known = others.iter().chain([&first]).find(|(other, _)| *other == c);
        match known {
            Some((_, byte)) => bytes.push(*byte),
            None => bytes.push(u8::try_from(u32::from(c)).unwrap()),
        }
    }
    bytes
}

#[test]
fn code_pages_are_named_with_the_remedy() {
    let rows = ROWS.replace("Zoë-𝔷", "zoe");
    let western = rows.replace(" 🍵", " für Gäste, süß und heiß");
    let western = code_page(&western, ('ü', 0xfc), &[('ä', 0xe4), ('ß', 0xdf)]);
    let word = "Зелёный чай с молоком";
    let cyrillic: Vec<(char, u8)> = ('А'..='я').zip(0xc0..=0xff).chain([('ё', 0xb8)]).collect();
    let cyrillic = code_page(&rows.replace("Grüner Tee 🍵", word), ('Ё', 0xa8), &cyrillic);
    for (bytes, encoding) in [(western, "windows-1252"), (cyrillic, "windows-1251")] {
        let error = read(bytes.as_slice(), &options()).unwrap_err().to_string();
        for part in [
            "line 3 is not UTF-8",
            &format!("it seems to be {encoding}"),
            &format!("iconv -f {encoding} -t UTF-8"),
            "python -X utf8 manage.py dumpdata",
        ] {
            assert!(error.contains(part), "{part}: {error}");
        }
    }
}

#[test]
fn other_archives_are_named() {
    for (head, name) in [
        (&b"BZh91AY&SY"[..], "bzip2"),
        (b"\xfd7zXZ\0\0\x04", "xz"),
        (b"PK\x03\x04\x14\0\0\0", "zip"),
    ] {
        let error = read(head, &options()).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("it is compressed as {name}")),
            "{error}"
        );
    }
    let utf32 = b"\xff\xfe\0\0[\0\0\0";
    let error = read(utf32.as_slice(), &options()).unwrap_err();
    assert_eq!(error.to_string(), "it is UTF-32: save it as UTF-8");
}
