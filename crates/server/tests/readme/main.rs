//! The examples of the README and of the API page, executed as printed there.
//!
//! Every `sh` block is followed by a block with its output. The one that serves is started by the
//! test; all others run in one bash session, in the order of the page. The output is compared with
//! the page, except for values that differ from run to run: times, tokens, request ids, and the
//! port.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what helps tests may fail as they do"
)]

mod compare;

use compare::difference;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_tradepost");
/// The port that the pages use.
const PORT: &str = ":8000";
/// Printed before the output of each block; no output has such a line.
const MARK: &str = "\u{1}next block\u{1}";

/// A command, the language of the block with its output, and that output.
#[derive(Debug, PartialEq, Eq)]
struct Example {
    command: String,
    language: String,
    output: String,
}

/// The fenced code blocks below the headings, in order: the heading, the language and the text of
/// each.
fn blocks(page: &str) -> Vec<(String, String, String)> {
    let mut blocks: Vec<(String, String, String)> = Vec::new();
    let (mut heading, mut inside) = (String::new(), false);
    for line in page.lines() {
        if let Some(language) = line.strip_prefix("```") {
            inside = !inside;
            if inside {
                blocks.push((heading.clone(), language.to_owned(), String::new()));
            }
        } else if inside {
            let (_, _, text) = blocks.last_mut().unwrap();
            *text += line;
            *text += "\n";
        } else if let Some(title) = line.strip_prefix("## ") {
            heading = title.to_owned();
        }
    }
    assert!(!inside, "the last block has no end");
    blocks
}

/// The examples below these headings, or all of the page if none is given.
fn examples(page: &str, headings: &[&str]) -> Vec<Example> {
    let mut blocks = blocks(page);
    for heading in headings {
        assert!(blocks.iter().any(|(h, ..)| h == heading), "no {heading:?}");
    }
    blocks.retain(|(heading, ..)| headings.is_empty() || headings.contains(&&**heading));
    assert!(
        blocks.len().is_multiple_of(2),
        "a block is not one of a pair"
    );
    let pairs = blocks.chunks_exact(2).map(|pair| {
        let [(_, sh, command), (_, language, output)] = pair else {
            unreachable!()
        };
        assert_eq!(sh, "sh", "{command}");
        assert!(["json", "text"].contains(&&**language), "{command}");
        Example {
            command: command.clone(),
            language: language.clone(),
            output: output.clone(),
        }
    });
    pairs.collect()
}

/// A command with an empty environment, in this folder.
fn command(program: &str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("TRADEPOST_") || name == "DATABASE_URL" || name == "RUST_LOG" {
            command.env_remove(name);
        }
    }
    // Neither curl's configuration nor a proxy interferes.
    command.env("HOME", folder).env("CURL_HOME", folder);
    command.env("no_proxy", "*").env("NO_PROXY", "*");
    command.current_dir(folder).stdin(Stdio::null());
    command
}

/// The server that a page starts.
struct Serving {
    child: Child,
    out: BufReader<ChildStdout>,
    said: String,
    port: String,
}

impl Serving {
    /// Starts the command after `--` on a free port, and waits until it prints its address.
    fn start(line: &str, folder: &Path) -> Self {
        let words = line.trim().strip_prefix("cargo run --release -- ").unwrap();
        let err = fs::File::create(folder.join("err")).unwrap();
        let mut child = command(BINARY, folder)
            .args(words.split(' '))
            .env("TRADEPOST_LISTEN", "127.0.0.1:0")
            .stdout(Stdio::piped())
            .stderr(err)
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut said = String::new();
        let port = loop {
            let before = said.len();
            let read = out.read_line(&mut said).unwrap();
            let err = || fs::read_to_string(folder.join("err")).unwrap();
            assert!(read > 0, "it did not start: {said}{}", err());
            if let Some((_, address)) = said[before..].split_once("http://127.0.0.1:") {
                break format!(":{}", address.split('/').next().unwrap());
            }
        };
        Self {
            child,
            out,
            said,
            port,
        }
    }

    /// Stops it as a service manager does; returns its output.
    fn stop(mut self) -> String {
        // The shell's built-in `kill`: not every machine has a program of that name.
        let kill = format!("kill -s TERM {}", self.child.id());
        let sent = Command::new("bash").args(["-c", &kill]).status();
        assert!(sent.unwrap().success());
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "it does not end");
            std::thread::sleep(Duration::from_millis(10));
        };
        assert_eq!(status.code(), Some(0));
        let mut said = std::mem::take(&mut self.said);
        self.out.read_to_string(&mut said).unwrap();
        said.replace(&self.port, PORT)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // The process has exited already, unless a test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The output of each command, in one session.
fn outputs(examples: &[Example], port: &str, folder: &Path) -> Vec<String> {
    let mut script = String::new();
    for example in examples {
        script += &format!("printf '\\n%s\\n' '{MARK}'\n{}\n", example.command);
    }
    let ended = command("bash", folder)
        .args(["-euo", "pipefail", "-c", &script.replace(PORT, port)])
        .output()
        .unwrap();
    let out = String::from_utf8(ended.stdout).unwrap().replace(port, PORT);
    let mut outputs: Vec<String> = out.split(MARK).map(str::to_owned).collect();
    outputs.remove(0);
    let last = outputs.len().saturating_sub(1);
    assert!(
        ended.status.success(),
        "{}\nfailed: {}{}",
        examples[last].command,
        outputs[last],
        String::from_utf8_lossy(&ended.stderr)
    );
    outputs
}

/// Runs the examples of a page in an empty folder, and compares their output with the page.
fn walk(name: &str, headings: &[&str]) {
    let page = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(name);
    let examples = examples(&fs::read_to_string(page).unwrap(), headings);
    let [serve, others @ ..] = &*examples else {
        panic!("{name} has no examples")
    };
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    // The place of the binary in a source tree.
    fs::create_dir_all(folder.join("target/release")).unwrap();
    symlink(BINARY, folder.join("target/release/tradepost")).unwrap();

    let serving = Serving::start(&serve.command, folder);
    let outputs = outputs(others, &serving.port, folder);
    let said = serving.stop();
    let pairs = others.iter().zip(&outputs).chain([(serve, &said)]);
    let wrong: Vec<_> = pairs
        .filter_map(|(example, output)| difference(example, output))
        .collect();
    assert!(
        wrong.is_empty(),
        "{name} is not true:\n{}",
        wrong.join("\n")
    );

    let verified = command(BINARY, folder).arg("verify").output().unwrap();
    assert!(verified.status.success(), "{verified:?}");
}

#[test]
fn the_readme_is_true() {
    walk("README.md", &["Sixty seconds", "The API by example"]);
}

#[test]
fn the_page_about_the_api_is_true() {
    walk("docs/api.md", &[]);
}

#[test]
fn the_pages_about_resources_are_true() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/api");
    for entry in folder.read_dir().unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name != "README.md" {
            walk(&format!("docs/api/{name}"), &[]);
        }
    }
}

#[test]
fn examples_are_read_by_their_headings() {
    let page =
        "# P\n\n```sh\nno\n```\n\n## A\n\n```sh\none\ntwo\n```\n\n```text\nout\n```\n\n## B\n";
    let found = Example {
        command: "one\ntwo\n".to_owned(),
        language: "text".to_owned(),
        output: "out\n".to_owned(),
    };
    assert_eq!(examples(page, &["A"]), [found]);
    for wrong in [
        "## A\n```sh\nx\n```\n",
        "## A\n```sh\nx\n```\n```sh\ny\n```\n",
        "## A\n```text\nx\n```\n```sh\ny\n```\n",
        "## A\n```sh\nx\n```\n```\ny\n```\n",
    ] {
        let read = std::panic::catch_unwind(|| examples(wrong, &["A"]));
        assert!(read.is_err(), "{wrong}");
    }
}
