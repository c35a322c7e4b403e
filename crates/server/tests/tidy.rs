//! Tidy checks: limits on prose, names and file sizes that CONTRIBUTING.md sets, the twins of the
//! migrations, and the scripts of the workflows. Each check is a function over text or a folder, with a test that it can fail.

#![expect(
    clippy::unwrap_used,
    reason = "a tree that cannot be read has failed the test"
)]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The maximum length of a file of `src`, which CONTRIBUTING.md names.
const MAX_LINES: usize = 450;

/// The share of comment lines, one in so many, that may match [`VAGUE`].
const BUDGET: usize = 100;

/// Expressions that stand in for a noun. `a|b c` is `a c` or `b c`; words are compared without
/// case and punctuation.
const VAGUE: &[&str] = &[
    "whoever|whosoever|whatever|whichever|nobody|somebody|everybody|anybody|anew|stranger|strangers",
    "what is|was|are|were|there|it|they|has|had|can|cannot|does|did|would|will|may|must|one|other|others",
    "what comes|came|goes|went",
    "who is|was|has|had|asks|does|can|may|would|comes|wants|waits|reads|writes",
    "those|ones|they|he|people who",
    "of then|now|old|today",
    "as it|they is|are|was|were",
    "is|are there",
    "by itself|themselves",
    "at work on",
    "a moment ago",
    "from nowhere",
    "for good",
    "in hand",
];

/// Prefixes that keep a test's name from beginning with its subject.
const PRONOUNS: [&str; 6] = [
    "what_",
    "who_",
    "whoever_",
    "nobody_",
    "everybody_",
    "somebody_",
];

/// A finding: the number of the line, and the line.
type Finding = (usize, String);

/// The text of the comment on a line, if any.
fn comment(line: &str) -> Option<&str> {
    let line = line.trim();
    let whole = line.starts_with("//").then_some(line);
    let text = whole.or_else(|| line.split_once(" // ").map(|(_, text)| text))?;
    let text = text.trim_start_matches(['/', '!']).trim();
    (!text.is_empty()).then_some(text)
}

fn words(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric());
    words
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

fn is_vague(comment: &str) -> bool {
    let words = words(comment);
    let holds = |expression: &&str| {
        let places: Vec<Vec<&str>> = expression
            .split(' ')
            .map(|place| place.split('|').collect())
            .collect();
        words.windows(places.len()).any(|window| {
            let mut both = window.iter().zip(&places);
            both.all(|(word, place)| place.contains(&word.as_str()))
        })
    };
    VAGUE.iter().any(holds)
}

/// The number of comment lines, and those that are vague.
fn vague_comments(source: &str) -> (usize, Vec<Finding>) {
    let comments = (1..).zip(source.lines());
    let comments: Vec<_> = comments
        .filter_map(|(number, line)| comment(line).map(|text| (number, text.to_owned())))
        .collect();
    let count = comments.len();
    let vague = comments.into_iter().filter(|(_, text)| is_vague(text));
    (count, vague.collect())
}

/// Functions whose name begins with a pronoun.
fn pronoun_names(source: &str) -> Vec<Finding> {
    let named = |line: &str| {
        let name = line.split_once("fn ").map(|(_, name)| name);
        name.is_some_and(|name| PRONOUNS.iter().any(|pronoun| name.starts_with(pronoun)))
    };
    let lines = (1..).zip(source.lines().map(str::trim));
    lines
        .filter(|(_, line)| named(line))
        .map(|(number, line)| (number, line.to_owned()))
        .collect()
}

/// The length of a file that is longer than the maximum.
fn excess(source: &str) -> Option<usize> {
    Some(source.lines().count()).filter(|lines| *lines > MAX_LINES)
}

/// Defects of a folder of migrations: migrations of one database only, and missing scripts.
fn migration_defects(migrations: &Path) -> Vec<String> {
    let names = |database: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(migrations.join(database)).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect()
    };
    let [sqlite, postgres] = ["sqlite", "postgres"].map(names);
    let mut defects = Vec::new();
    if sqlite.is_empty() && postgres.is_empty() {
        defects.push("there are no migrations".to_owned());
    }
    for name in sqlite.union(&postgres) {
        for database in ["sqlite", "postgres"] {
            for script in ["up.sql", "down.sql"] {
                if !migrations.join(database).join(name).join(script).is_file() {
                    defects.push(format!("{database}/{name}/{script} is missing"));
                }
            }
        }
    }
    defects
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The Rust files of a folder, with their text.
fn sources(folder: &Path, into: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            into.push((path, text));
        }
    }
}

/// Each crate's folder with its Rust files: sources, tests and examples.
fn crates() -> Vec<(PathBuf, Vec<(PathBuf, String)>)> {
    let folders = fs::read_dir(root().join("crates")).unwrap();
    let folders = folders.map(|folder| folder.unwrap().path());
    let read = |folder: PathBuf| {
        let mut files = Vec::new();
        sources(&folder, &mut files);
        (folder, files)
    };
    folders.map(read).collect()
}

fn report(path: &Path, findings: Vec<Finding>) -> Vec<String> {
    let line = |(number, text)| format!("{}:{number}: {text}", path.display());
    findings.into_iter().map(line).collect()
}

#[test]
fn comments_name_their_subject() {
    for (folder, files) in crates() {
        let (mut count, mut vague) = (0, Vec::new());
        for (path, text) in files {
            let (comments, findings) = vague_comments(&text);
            count += comments;
            vague.extend(report(&path, findings));
        }
        assert!(
            vague.len() <= count / BUDGET,
            "{}: {} of {count} comment lines are vague:\n{}",
            folder.display(),
            vague.len(),
            vague.join("\n")
        );
    }
}

#[test]
fn a_vague_comment_is_found() {
    let source = "//! Whoever asks.\nlet a = 1; // Done by itself.\n\n    /// As\n    /// It tells \
                  what there\n/// A connection. What the client sent.\n////\nlet b = \"nobody\";\n";
    let (count, vague) = vague_comments(source);
    let lines: Vec<usize> = vague.iter().map(|(number, _)| *number).collect();
    assert_eq!((count, lines), (5, vec![1, 2, 5]));
    for vague in [
        "Nobody's.",
        "the answer of then",
        "those who wait",
        "Is it as they were?",
    ] {
        assert!(is_vague(vague), "{vague}");
    }
    for clear in [
        "Whether the row exists.",
        "an archive",
        "what a client sent",
    ] {
        assert!(!is_vague(clear), "{clear}");
    }
}

#[test]
fn names_of_functions_begin_with_their_subject() {
    let mut found = Vec::new();
    for (path, text) in crates().into_iter().flat_map(|(_, files)| files) {
        found.extend(report(&path, pronoun_names(&text)));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_name_with_a_pronoun_is_found() {
    for (at, pronoun) in PRONOUNS.iter().enumerate() {
        let source = format!("{}    async fn {pronoun}waits() {{}}", "\n".repeat(at));
        assert_eq!(pronoun_names(&source).len(), 1, "{source}");
        assert_eq!(pronoun_names(&source)[0].0, at + 1);
    }
    assert!(pronoun_names("fn a_client_that_waits_is_told_who_waits() {}").is_empty());
}

#[test]
fn a_file_has_one_subject() {
    let mut found = Vec::new();
    for (path, text) in crates().into_iter().flat_map(|(_, files)| files) {
        let is_source = path.components().any(|part| part.as_os_str() == "src");
        let excess = excess(&text).filter(|_| is_source);
        found.extend(excess.map(|lines| format!("{} has {lines} lines", path.display())));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    let rules = fs::read_to_string(root().join("CONTRIBUTING.md")).unwrap();
    assert!(rules.contains(&format!("at most {MAX_LINES} lines")));
}

#[test]
fn a_file_that_is_too_long_is_found() {
    assert_eq!(excess(&"\n".repeat(MAX_LINES)), None);
    assert_eq!(excess(&"\n".repeat(MAX_LINES + 1)), Some(MAX_LINES + 1));
}

#[test]
fn both_databases_have_the_same_migrations() {
    let defects = migration_defects(&root().join("migrations"));
    assert!(defects.is_empty(), "{}", defects.join("\n"));
}

#[test]
fn a_migration_without_its_twin_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    };
    for database in ["sqlite", "postgres"] {
        fs::create_dir(folder.path().join(database)).unwrap();
    }
    assert_eq!(
        migration_defects(folder.path()),
        ["there are no migrations"]
    );
    for path in ["sqlite/1/up.sql", "sqlite/1/down.sql", "postgres/1/up.sql"] {
        write(path);
    }
    let missing = "postgres/1/down.sql is missing";
    assert_eq!(migration_defects(folder.path()), [missing]);
    write("postgres/1/down.sql");
    assert!(migration_defects(folder.path()).is_empty());
    write("sqlite/2/up.sql");
    assert_eq!(migration_defects(folder.path()).len(), 3);
}

/// The scripts of this repository that a text calls.
fn called_scripts(text: &str) -> BTreeSet<&str> {
    let is_name =
        |letter: char| letter.is_alphanumeric() || matches!(letter, '/' | '-' | '_' | '.');
    let words = text.split(|letter: char| !is_name(letter));
    let paths = words.map(|word| word.trim_start_matches("./").trim_end_matches('.'));
    paths.filter(|path| path.starts_with("scripts/")).collect()
}

/// The scripts that a text calls and that the folder does not have as executable files.
fn missing_scripts<'a>(text: &'a str, root: &Path) -> Vec<&'a str> {
    let is_executable = |path: &&str| {
        let metadata = fs::metadata(root.join(path));
        metadata.is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
    };
    let called = called_scripts(text).into_iter();
    called.filter(|path| !is_executable(path)).collect()
}

#[test]
fn every_script_of_a_workflow_exists() {
    let mut called = 0;
    for entry in fs::read_dir(root().join(".github/workflows")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        called += called_scripts(&text).len();
        assert_eq!(
            missing_scripts(&text, &root()),
            [""; 0],
            "{}",
            path.display()
        );
    }
    assert!(called > 0, "the workflows call no script");
}

#[test]
fn a_script_that_is_missing_or_cannot_be_executed_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let scripts = folder.path().join("scripts");
    fs::create_dir(&scripts).unwrap();
    for (name, mode) in [("test", 0o755), ("plain", 0o644)] {
        let path = scripts.join(name);
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }
    let text = "run: ./scripts/test && scripts/gone x\n# see `scripts/plain`, not myscripts/other.";
    assert_eq!(
        missing_scripts(text, folder.path()),
        ["scripts/gone", "scripts/plain"]
    );
}
