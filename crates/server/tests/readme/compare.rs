//! Comparison of an output with a page.

use crate::Example;
use chrono::DateTime;

/// A line of three dots, which stands for any lines of a text, and for any members of JSON.
const ELISION: &str = "\n...\n";

/// Normalises an output: JSON without the white space between its tokens, text without trailing
/// white space, and neither with any value that differs from run to run.
fn comparable(language: &str, output: &str) -> String {
    let json = language == "json";
    let parts = output.split('"').enumerate().map(|(at, part)| {
        // An escaped quotation mark splits both sides alike.
        let quoted = at % 2 == 1;
        match part {
            _ if json && quoted => constant(part).to_owned(),
            _ if json => {
                let part: String = part.split_whitespace().collect();
                part.replace("...", ELISION)
            }
            _ => part.to_owned(),
        }
    });
    let text = parts.collect::<Vec<_>>().join("\"");
    let lines = text.trim().lines().map(str::trim_end);
    lines.collect::<Vec<_>>().join("\n")
}

/// The value of a string, or a placeholder if it differs from run to run.
fn constant(value: &str) -> &str {
    let hexadecimal = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let request_id = |id: &str| {
        id.split_once('-').is_some_and(|(process, count)| {
            process.len() == 16 && hexadecimal(process) && hexadecimal(count)
        })
    };
    if value.ends_with('Z') && DateTime::parse_from_rfc3339(value).is_ok() {
        "<time>"
    } else if value.starts_with("eyJ0eXAiOiJKV1Qi") {
        "<token>"
    } else if value.starts_with("tpr_") {
        "<refresh token>"
    } else if request_id(value) {
        "<request id>"
    } else if value.starts_with("evt_") {
        "<event>"
    } else {
        value
    }
}

/// Whether a JSON output is that of the page, with its elisions.
fn agrees_as_json(page: &str, output: &str) -> bool {
    let parts: Vec<_> = page.split(ELISION).collect();
    let [first, others @ ..] = &*parts else {
        return false;
    };
    let Some(mut rest) = output.strip_prefix(first) else {
        return false;
    };
    let Some((last, others)) = others.split_last() else {
        return rest.is_empty();
    };
    for part in others {
        let Some((_, after)) = rest.split_once(part) else {
            return false;
        };
        rest = after;
    }
    rest.ends_with(last)
}

/// Whether an output is that of the page, where a line of three dots stands for any lines.
fn agrees(page: &str, output: &str) -> bool {
    let output = format!("\n{output}\n");
    let mut rest = &*output;
    let parts: Vec<_> = page.split(ELISION).collect();
    let last = parts.len() - 1;
    for (at, part) in parts.into_iter().enumerate() {
        let part = format!("\n{part}\n");
        // Both ends of a part are those of lines; the next part begins with the end of this one.
        let place = match at {
            0 => rest.starts_with(&part).then_some(0),
            at if at == last => rest.ends_with(&part).then(|| rest.len() - part.len()),
            _ => rest.find(&part),
        };
        let Some(place) = place else { return false };
        let end = place + part.len();
        if at == last && end != rest.len() {
            return false;
        }
        rest = &rest[end - 1..];
    }
    true
}

/// The difference between an output and the page, if any.
pub(crate) fn difference(example: &Example, output: &str) -> Option<String> {
    let expected = comparable(&example.language, &example.output);
    let seen = comparable(&example.language, output);
    let agrees = match example.language == "json" {
        true => agrees_as_json(&expected, &seen),
        false => agrees(&expected, &seen),
    };
    (!agrees).then(|| {
        format!(
            "{}\nis said to give\n{expected}\nbut gives\n{seen}\n",
            example.command
        )
    })
}

#[test]
fn a_difference_is_found() {
    let example = |language: &str, output: &str| Example {
        command: "x".to_owned(),
        language: language.to_owned(),
        output: output.to_owned(),
    };
    for (language, page, output, same) in [
        ("json", "{\n  \"id\": 1\n}\n", "{\"id\":1}", true),
        ("json", "{\"id\": 1}", "{\"id\":2}", false),
        ("json", "{\"id\": 1}", "{\"id\":1}{\"id\":1}", false),
        ("json", "{\"id\": 1}", "", false),
        ("json", "{\"a b\": 1}", "{\"ab\": 1}", false),
        (
            "json",
            "{\"at\": \"2026-01-01T00:00:00.000001Z\"}",
            "{\"at\": \"2027-02-03T04:05:06.789000Z\"}",
            true,
        ),
        (
            "json",
            "{\"at\": \"2026-01-01T00:00:00Z\"}",
            "{\"at\":null}",
            false,
        ),
        (
            "json",
            "[\"eyJ0eXAiOiJKV1Qi...\"]",
            "[\"eyJ0eXAiOiJKV1Qi.a.b\"]",
            true,
        ),
        ("json", "[\"eyJ0eXAiOiJKV1Qi...\"]", "[\"abc\"]", false),
        ("json", "[\"tpr_ab...\"]", "[\"tpr_cd\"]", true),
        ("json", "[\"tpr_ab...\"]", "[\"cd\"]", false),
        (
            "json",
            "[\"0123456789abcdef-1\"]",
            "[\"fedcba9876543210-2f\"]",
            true,
        ),
        ("json", "[\"checkout-7\"]", "[\"checkout-8\"]", false),
        (
            "json",
            "{\"a\": 1,\n  ...\n \"d\": 4}",
            "{\"a\":1,\"b\":2,\"d\":4}",
            true,
        ),
        (
            "json",
            "{\"a\": 1,\n  ...\n \"d\": 4}",
            "{\"a\":1,\"d\":4}",
            true,
        ),
        (
            "json",
            "{\"a\": 1,\n  ...\n \"d\": 4}",
            "{\"a\":1,\"b\":2}",
            false,
        ),
        ("json", "[1, ..., 3, ..., 5]", "[1,2,3,4,5]", true),
        ("json", "[1, ..., 3, ..., 5]", "[1,2,4,5]", false),
        ("json", "[1, ..., 3]", "[1,2,3,4]", false),
        ("json", "[1, ..., 3]", "[0,1,2,3]", false),
        ("json", "[\"...\"]", "[\"a\"]", false),
        ("text", "200\n", "\n200\r\n", true),
        ("text", "200\n", "204\n", false),
        ("text", "two words", "twowords", false),
        ("text", "a\n...\nd", "a\nb\nc\nd", true),
        ("text", "a\n...\nd", "a\nd", true),
        ("text", "a\n...\nd", "a\nb\nd\ne", false),
        ("text", "a\n...\nd", "x\na\nb\nd", false),
        ("text", "a\n...\nd", "a\nb\nxd", false),
        ("text", "a\n...\nc\n...\ne", "a\nb\nc\nd\ne", true),
        ("text", "a\n...\nc\n...\ne", "a\nb\nd\ne", false),
        ("text", "a\n...\na", "a", false),
    ] {
        let found = difference(&example(language, page), output);
        assert_eq!(found.is_none(), same, "{page} {output}");
    }
}
