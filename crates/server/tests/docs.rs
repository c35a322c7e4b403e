//! The pages say what the program does: codes, routes, settings, and where they lead.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what helps tests may fail as they do"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

type Row = Vec<String>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

/// The rows of the first table below a heading, without its head: the text of each cell.
fn table(page: &str, heading: &str) -> Vec<Row> {
    let below = page.split_once(&format!("\n{heading}\n"));
    let (_, below) = below.unwrap_or_else(|| panic!("there is no {heading:?}"));
    let lines = below.lines().skip_while(|line| !line.starts_with('|'));
    let lines = lines.take_while(|line| line.starts_with('|'));
    lines.skip(2).map(cells).collect()
}

/// A bar inside of a cell has a backslash before it.
fn cells(line: &str) -> Row {
    let line = line.replace("\\|", "\u{1}");
    let inner = line.trim_start_matches('|').trim_end_matches('|');
    let cells = inner
        .split('|')
        .map(|cell| cell.trim().replace('\u{1}', "|"));
    cells.collect()
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

#[test]
fn every_code_is_listed_with_its_status() {
    let rows = table(&read("docs/api.md"), "### Codes");
    let listed: BTreeSet<_> = rows.iter().map(|row| (&*row[0], &*row[1])).collect();
    let given: Vec<_> = tradepost_http::error_codes()
        .map(|(status, word, _)| (code(word), status.to_string()))
        .collect();
    let given: BTreeSet<_> = given.iter().map(|(w, s)| (&**w, &**s)).collect();
    assert_eq!(listed, given);
    assert_eq!(rows.len(), given.len(), "a code is listed twice");
    assert!(rows.iter().all(|row| !row[2].is_empty()));
}

#[test]
fn every_route_is_listed() {
    let page = read("docs/api.md");
    let rows = table(&page, "## Routes");
    let listed: Vec<_> = rows.into_iter().map(|row| row[0].clone()).collect();
    let given: Vec<_> = tradepost_http::table()
        .iter()
        .map(|entry| code(&format!("{} {}", entry.method(), entry.path())))
        .collect();
    assert_eq!(listed, given);
}

/// What `--help` says of a setting: option with value, variable, default.
fn setting(line: &str) -> Option<Row> {
    let line = line.trim();
    if !line.starts_with("--") {
        return None;
    }
    let (option, _) = line.split_once("  ")?;
    let noted = |name: &str| {
        let (_, rest) = line.split_once(&format!("[{name}: "))?;
        Some(code(rest.split(']').next()?))
    };
    let default = noted("default").unwrap_or_default();
    Some(vec![code(option), noted("env")?, default])
}

#[test]
fn every_setting_is_listed_with_its_default() {
    let help = Command::new(env!("CARGO_BIN_EXE_tradepost"))
        .arg("--help")
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let given: Vec<_> = help.lines().filter_map(setting).collect();
    assert!(given.len() > 10, "{help}");
    let rows = table(&read("README.md"), "## Configuration");
    let listed: Vec<_> = rows.iter().map(|row| row[..3].to_vec()).collect();
    assert_eq!(listed, given);
    let page = read("README.md");
    let (_, alone) = help.split_once("Only from the environment:\n").unwrap();
    for line in alone.lines().take_while(|line| !line.is_empty()) {
        let name = line.split_whitespace().next().unwrap();
        assert!(page.contains(&code(name)), "{name}");
    }
}

/// The pages, by their paths from the root.
fn pages() -> Vec<PathBuf> {
    fn walk(folder: &Path, into: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, into);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                into.push(path);
            }
        }
    }
    let names = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE.md"];
    let mut found: Vec<_> = names.map(|name| root().join(name)).into();
    walk(&root().join("docs"), &mut found);
    found
}

/// What the links of a page lead to within the tree, without the place on the page.
fn links(page: &str) -> Vec<&str> {
    let targets = page.split("](").skip(1);
    let targets = targets.filter_map(|rest| rest.split(')').next());
    let inward = targets.filter(|target| !target.contains("://"));
    let files = inward.filter_map(|target| target.split('#').next());
    files.filter(|file| !file.is_empty()).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut followed = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for link in links(&text) {
            let target = page.parent().unwrap().join(link);
            assert!(target.exists(), "{} leads to {link}", page.display());
            followed += 1;
        }
    }
    assert!(followed > 10, "only {followed} links were found");
}

#[test]
fn links_are_found() {
    let page = "[a](b.md) [c](d/e.md#f) [g](#h) [i](https://example.org/j.md), [k](../l)";
    assert_eq!(links(page), ["b.md", "d/e.md", "../l"]);
}
