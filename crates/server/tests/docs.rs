//! The documentation agrees with the program: codes, routes, settings and links.

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

/// The rows of the first table below a heading, without its header: the text of each cell.
fn table(page: &str, heading: &str) -> Vec<Row> {
    let below = page.split_once(&format!("\n{heading}\n"));
    let (_, below) = below.unwrap_or_else(|| panic!("there is no {heading:?}"));
    let lines = below.lines().skip_while(|line| !line.starts_with('|'));
    let lines = lines.take_while(|line| line.starts_with('|'));
    lines.skip(2).map(cells).collect()
}

/// The same, of a page that may lack the heading.
fn optional_table(page: &str, heading: &str) -> Vec<Row> {
    match page.contains(&format!("\n{heading}\n")) {
        true => table(page, heading),
        false => Vec::new(),
    }
}

/// The pages about single resources.
fn resource_pages() -> Vec<String> {
    let entries = fs::read_dir(root().join("docs/api")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .map(|path| fs::read_to_string(path).unwrap())
        .collect()
}

/// A bar inside a cell is escaped by a backslash.
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
    let mut rows = table(&read("docs/api.md"), "### Codes");
    for page in resource_pages() {
        rows.extend(optional_table(&page, "## Codes"));
    }
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
    let given = tradepost_http::table().iter();
    let given = given.map(|entry| code(&format!("{} {}", entry.method(), entry.path())));
    let mut given: Vec<_> = given.collect();
    let mut pages = vec![table(&read("docs/api.md"), "## Routes")];
    let others = resource_pages();
    pages.extend(others.iter().map(|page| optional_table(page, "## Routes")));
    for rows in pages {
        // Each page has its routes in the order of the route table, and no page those of another.
        let listed: Vec<_> = rows.into_iter().map(|row| row[0].clone()).collect();
        let of_page = |route: &String| listed.contains(route);
        let expected: Vec<_> = given.iter().filter(|route| of_page(route)).collect();
        assert_eq!(listed.iter().collect::<Vec<_>>(), expected);
        given.retain(|route| !of_page(route));
    }
    assert_eq!(given, [""; 0], "on no page");
}

/// A setting in a line of `--help`: option with value, variable, default.
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

/// The files for operators, with their names.
fn operations() -> Vec<(String, String)> {
    let folder = fs::read_dir(root().join("docs/operations")).unwrap();
    let paths = folder.map(|entry| entry.unwrap().path());
    let read = |path: PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        fs::read_to_string(path).ok().map(|text| (name, text))
    };
    paths.filter_map(read).collect()
}

/// Every word of `--help`, for the program and each of its commands.
fn words_of_help() -> BTreeSet<String> {
    let mut calls = vec![Vec::new(), vec!["import", "django"]];
    calls.extend(COMMANDS.map(|command| vec![command]));
    let mut words = BTreeSet::new();
    for call in calls {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tradepost"));
        let help = command.args(&call).arg("--help").output().unwrap();
        assert!(help.status.success(), "{call:?}");
        let help = String::from_utf8(help.stdout).unwrap();
        let word = |c: char| !c.is_alphanumeric() && !"-_".contains(c);
        words.extend(help.split(word).map(str::to_owned));
    }
    words
}

/// Environment variables of the program that a text names.
fn variables(text: &str) -> impl Iterator<Item = &str> {
    let outside = |c: char| !c.is_ascii_uppercase() && c != '_';
    text.split(outside)
        .filter(|word| word.starts_with("TRADEPOST_"))
}

const COMMANDS: [&str; 8] = [
    "serve",
    "migrate",
    "createsuperuser",
    "changepassword",
    "verify",
    "import",
    "backup",
    "check",
];

/// Options in calls of the program: after its name, with one of its commands, up to the end.
fn options(text: &str) -> Vec<&str> {
    let ends = |c: char| "`|;&".contains(c);
    let calls = text
        .lines()
        .filter_map(|line| line.split_once("tradepost "))
        .filter_map(|(_, call)| call.split(ends).next())
        .filter(|call| call.split_whitespace().any(|word| COMMANDS.contains(&word)));
    let words = calls.flat_map(str::split_whitespace);
    words.filter(|word| word.starts_with("--")).collect()
}

#[test]
fn settings_named_in_the_files_for_operators_exist() {
    let known = words_of_help();
    let (mut seen_variables, mut seen_options) = (0, 0);
    for (name, text) in operations() {
        for variable in variables(&text) {
            assert!(known.contains(variable), "{name}: {variable}");
            seen_variables += 1;
        }
        for option in options(&text) {
            let option = option.split('=').next().unwrap();
            assert!(known.contains(option), "{name}: {option}");
            seen_options += 1;
        }
    }
    assert!(seen_variables > 20 && seen_options > 10, "{seen_options}");
}

#[test]
fn variables_and_options_are_found() {
    let text = "set TRADEPOST_LISTEN=x, then `tradepost --data-dir /x verify --deep | less --raw`";
    assert_eq!(variables(text).collect::<Vec<_>>(), ["TRADEPOST_LISTEN"]);
    assert_eq!(options(text), ["--data-dir", "--deep"]);
}

/// The pages, by their paths relative to the root.
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

/// The targets of a page's links within the tree, without their fragments.
fn links(page: &str) -> Vec<&str> {
    let targets = page.split("](").skip(1);
    let targets = targets.filter_map(|rest| rest.split(')').next());
    let inward = targets.filter(|target| !target.contains("://"));
    let files = inward.filter_map(|target| target.split('#').next());
    files.filter(|file| !file.is_empty()).collect()
}

#[test]
fn every_link_target_exists() {
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

/// The tests that a page names, each with the file that it links: `name` ([file](path)).
fn named_tests(page: &str) -> Vec<(&str, &str)> {
    let claims = page.split("` ([").collect::<Vec<_>>();
    let claims = claims.windows(2).filter_map(|pair| {
        let name = pair.first()?.rsplit('`').next()?;
        let (_, rest) = pair.last()?.split_once("](")?;
        Some((name, rest.split(')').next()?))
    });
    claims.collect()
}

#[test]
fn tests_named_on_the_security_page_exist() {
    let page = read("docs/security.md");
    let mut items = 0;
    for section in page.split("\n## ").skip(1) {
        let (heading, text) = section.split_once('\n').unwrap();
        let tests = named_tests(text);
        for (name, file) in &tests {
            let source = read(&format!("docs/{file}"));
            assert!(
                source.contains(&format!("fn {name}(")),
                "{heading}: {file} has no {name}"
            );
        }
        if heading.starts_with("API") {
            items += 1;
            assert_eq!(heading.split(':').next(), Some(&*format!("API{items}")));
            let applies = !text.trim_start().starts_with("Does not apply");
            let least = if applies { 3 } else { 1 };
            assert!(tests.len() >= least, "{heading}: {tests:?}");
        }
    }
    assert_eq!(items, 10);
}

#[test]
fn named_tests_are_found() {
    let page = "- `a_b` ([c.rs](../d/c.rs)), by `e`\n- `f` ([g](h)) and `i` ([j](k)): `l` (m)";
    let expected = [("a_b", "../d/c.rs"), ("f", "h"), ("i", "k")];
    assert_eq!(named_tests(page), expected);
}
