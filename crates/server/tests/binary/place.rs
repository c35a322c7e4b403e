//! Test support: runs the real binary, each time in a folder of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A timeout far above the duration of any step.
const NEVER: Duration = Duration::from_secs(60);

/// The lowest cost of password hashing.
pub(crate) const QUICK: [&str; 2] = ["--bcrypt-cost", "10"];

/// The migrations, oldest first: the folders of the source tree.
pub(crate) static MIGRATIONS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations/sqlite");
    let entries = folder.read_dir().unwrap().map(|entry| entry.unwrap());
    let mut names: Vec<_> = entries
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort_unstable();
    names
});

/// A line for each migration.
pub(crate) fn each_migration(line: fn(&str) -> String) -> String {
    MIGRATIONS.iter().map(|name| line(name)).collect()
}

/// The result of a command.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    /// Asserts success; returns the output.
    #[track_caller]
    pub(crate) fn well(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.out
    }

    /// Asserts this exit code and one sentence on standard error; returns it.
    #[track_caller]
    pub(crate) fn sentence(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{self:?}");
        let mut lines = self.err.lines();
        let (first, more) = (lines.next().unwrap_or_default(), lines.next());
        assert!(
            first.starts_with("error: ") && first.ends_with('.') && more.is_none(),
            "{self:?}"
        );
        first["error: ".len()..].to_owned()
    }
}

/// A folder to run commands in, with an empty environment.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tradepost"));
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if name.starts_with("TRADEPOST_") || name == "DATABASE_URL" || name == "RUST_LOG" {
                command.env_remove(name);
            }
        }
        command.args(words).current_dir(self.folder.path());
        command
    }

    /// Runs a command with empty standard input.
    pub(crate) fn run(&self, words: &[&str]) -> Ended {
        self.run_with(words, &[], "")
    }

    pub(crate) fn run_with(
        &self,
        words: &[&str],
        variables: &[(&str, &str)],
        input: &str,
    ) -> Ended {
        let mut command = self.command(words);
        command.envs(variables.iter().copied());
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A command that reads no input may have exited already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        Ended {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Creates the staff user ada with the password `correct horse`.
    pub(crate) fn make_staff(&self, more: &[&str]) -> Ended {
        let words = [
            "createsuperuser",
            "--noinput",
            "--username",
            "ada",
            "--email",
            "ada@example.org",
        ];
        let password = ("TRADEPOST_SUPERUSER_PASSWORD", "correct horse");
        self.run_with(&[&words, more].concat(), &[password], "")
    }

    /// Serves on a free port; returns once the server prints its address.
    pub(crate) fn serve(&self, words: &[&str]) -> Serving {
        let words = [&["serve", "--listen", "127.0.0.1:0"], words].concat();
        self.start(self.command(&words))
    }

    /// Starts a server process; returns once it prints its address.
    pub(crate) fn start(&self, command: Command) -> Serving {
        let err = std::fs::File::create(self.path("err")).unwrap();
        self.start_into(command, err)
    }

    /// Like `start`, with its standard error redirected.
    pub(crate) fn start_into(&self, mut command: Command, err: impl Into<Stdio>) -> Serving {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(err);
        let mut child = command.spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut greeting = String::new();
        let address = loop {
            let before = greeting.len();
            assert!(
                out.read_line(&mut greeting).unwrap() > 0,
                "{greeting}{:?}",
                std::fs::read_to_string(self.path("err"))
            );
            let line = &greeting[before..];
            if let Some((_, rest)) = line.split_once("API       http://") {
                break rest.trim_end().trim_end_matches("/api/").to_owned();
            }
        };
        Serving {
            child,
            out,
            greeting,
            address,
        }
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// The files in the folder, except the WAL files of SQLite, which come and go.
    pub(crate) fn files(&self) -> Vec<String> {
        fn walk(folder: &Path, found: &mut Vec<String>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, found);
                } else {
                    found.push(path.file_name().unwrap().to_string_lossy().into_owned());
                }
            }
        }
        let mut found = Vec::new();
        walk(self.folder.path(), &mut found);
        found.retain(|name| !name.ends_with("-wal") && !name.ends_with("-shm"));
        found.sort();
        found
    }
}

/// A running server.
pub(crate) struct Serving {
    child: Child,
    /// The output after the greeting.
    pub(crate) out: BufReader<ChildStdout>,
    pub(crate) greeting: String,
    pub(crate) address: String,
}

impl Serving {
    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(NEVER)).unwrap();
        stream
    }

    /// Sends a request; the response can be read from the returned stream.
    pub(crate) fn send(&self, method: &str, path: &str, headers: &str, body: &str) -> TcpStream {
        let mut stream = self.connect();
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        stream
    }

    /// Sends a GET request; returns status and body.
    pub(crate) fn get(&self, path: &str, headers: &str) -> (u16, String) {
        answer(self.send("GET", path, headers, ""))
    }

    /// Sends a sign-in request for ada.
    pub(crate) fn begin_sign_in(&self, password: &str) -> TcpStream {
        let body = format!("{{\"username\": \"ada\", \"password\": \"{password}\"}}");
        self.send(
            "POST",
            "/api-token-auth/",
            "Content-Type: application/json\r\n",
            &body,
        )
    }

    /// Signs ada in; returns the token.
    pub(crate) fn sign_in(&self, password: &str) -> Option<String> {
        token(self.begin_sign_in(password))
    }

    /// The process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, name: &str) {
        // The shell's built-in `kill`: small systems have no program of that name.
        let kill = format!("kill -s {name} {}", self.id());
        let sent = Command::new("bash").args(["-c", &kill]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits for the process to exit; returns its exit code and output.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(start.elapsed() < NEVER, "it does not end");
            std::thread::sleep(Duration::from_millis(10));
        };
        let mut said = std::mem::take(&mut self.greeting);
        self.out.read_to_string(&mut said).unwrap();
        (status.code(), said)
    }

    /// Stops the server; returns its output.
    pub(crate) fn stop(self) -> String {
        self.signal("TERM");
        let (code, said) = self.end();
        assert_eq!(code, Some(0));
        said
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // The process has exited already, unless a test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Status and body.
pub(crate) fn answer(mut stream: TcpStream) -> (u16, String) {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}

/// The token in the response to a successful sign-in.
pub(crate) fn token(stream: TcpStream) -> Option<String> {
    let (status, body) = answer(stream);
    let (_, rest) = body.split_once("\"token\":\"")?;
    assert_eq!(status, 200);
    Some(rest.split('"').next().unwrap().to_owned())
}
