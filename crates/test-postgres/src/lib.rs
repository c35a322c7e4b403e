//! Temporary PostgreSQL server, for tests and benchmarks.
//!
//! [`Cluster::start`] creates a cluster in a temporary folder and starts its server on a free port
//! of the loopback interface, as the user `postgres` if this process is root, as PostgreSQL refuses
//! to run as root. The server ends with this process, however it ends: the server's keeper reads
//! the end of a pipe.

pub mod certificates;
mod processes;
mod standby;
pub mod tls;

use processes::{await_ended, await_stopped, children_of, send, state_and_parent};
use std::fs;
use std::io::{self, Write};
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The superuser of every cluster.
pub const USER: &str = "postgres";
/// Its password.
pub const PASSWORD: &str = "throwaway";

/// The `connect_timeout` of [`Cluster::url`], in seconds. A safety net, not an expectation: clients
/// with a shorter default give up on a busy machine.
const CONNECT_TIMEOUT: u32 = 30;

/// How long a server may take to start, to stop or to pause, on a busy machine.
const SERVER_TIMEOUT: Duration = Duration::from_secs(120);

/// Runs PostgreSQL beside a shell, which stops it and removes its folder at the end of the pipe on
/// descriptor 3: by then this process has ended, and cannot clean up.
const KEEPER: &str = r#"
"$@" 3<&- & server=$!
(while read -r _; do :; done; : > ended; kill -INT $server) <&3 & reader=$!
wait $server
if [ -e ended ]; then cd / && rm -rf "$OLDPWD"; else kill $reader; fi
"#;

/// A temporary server and its data folder.
pub struct Cluster {
    folder: TempDir,
    programs: PathBuf,
    port: u16,
    settings: Vec<String>,
    keeper: Option<Child>,
    databases: AtomicU32,
}

impl Cluster {
    /// Starts a server with the weakest durability that tests allow: a crash of the machine can
    /// lose its data, a crash of the server cannot.
    ///
    /// # Errors
    /// If PostgreSQL is not installed, or does not start.
    pub fn start() -> io::Result<Self> {
        Self::with(&["fsync=off", "full_page_writes=off"])
    }

    /// Starts a server with these settings (`name=value`) and the defaults for all others.
    ///
    /// # Errors
    /// As [`Cluster::start`].
    pub fn with(settings: &[&str]) -> io::Result<Self> {
        let programs = programs()?;
        let folder = tempfile::Builder::new().prefix("tradepost-pg-").tempdir()?;
        let port = free_port()?;
        let settings = settings.iter().map(|&setting| setting.to_owned()).collect();
        let databases = AtomicU32::new(0);
        let mut cluster = Self {
            folder,
            programs,
            port,
            settings,
            keeper: None,
            databases,
        };
        cluster.initialise()?;
        cluster.first_start()?;
        Ok(cluster)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn initialise(&self) -> io::Result<()> {
        let password = self.folder.path().join("password");
        fs::write(&password, PASSWORD)?;
        let mut own = Command::new("chown");
        let owned = !is_root()?
            || own
                .args(["-R", USER])
                .arg(self.folder.path())
                .status()?
                .success();
        let mut initdb = self.command("initdb")?;
        initdb
            .arg("--pgdata")
            .arg(self.data())
            .arg("--pwfile")
            .arg(&password);
        initdb.args(["-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "-U", USER]);
        let made = initdb.args(["-A", "scram-sha-256"]).output()?;
        if owned && made.status.success() {
            Ok(())
        } else {
            Err(io::Error::other(
                String::from_utf8_lossy(&made.stderr).into_owned(),
            ))
        }
    }

    /// A PostgreSQL program, run as the user that may run it.
    fn command(&self, program: &str) -> io::Result<Command> {
        let program = self.programs.join(program);
        let mut command = if is_root()? {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", USER, "--regid", USER, "--init-groups", "--"]);
            command.arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(self.folder.path()).env_remove("LC_ALL");
        Ok(command)
    }

    /// Starts the server, on another port if another process has taken the free one.
    fn first_start(&mut self) -> io::Result<()> {
        for _ in 0..5 {
            match self.resume_or_start() {
                Err(_) if self.log().contains("Address already in use") => {
                    self.port = free_port()?;
                    fs::remove_file(self.log_file())?;
                }
                outcome => return outcome,
            }
        }
        self.resume_or_start()
    }

    /// Starts the server if it is not running, on the same port and the same data.
    ///
    /// # Errors
    /// If it does not respond within two minutes.
    pub fn resume_or_start(&mut self) -> io::Result<()> {
        if let Some(mut keeper) = self.keeper.take() {
            keeper.wait()?;
        }
        let server = self.command("postgres")?;
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log_file())?;
        let mut keeper = Command::new("bash");
        // The pipe becomes descriptor 3, as a background job of a shell reads nothing from 0.
        keeper
            .arg("-c")
            .arg(format!("exec 3<&0; {KEEPER}"))
            .arg("keeper");
        keeper.arg(server.get_program()).args(server.get_args());
        keeper
            .arg("-D")
            .arg(self.data())
            .arg("-k")
            .arg(self.folder.path());
        keeper.args(["-h", "127.0.0.1", "-p", &self.port.to_string()]);
        for setting in &self.settings {
            keeper.args(["-c", setting]);
        }
        keeper.current_dir(self.folder.path());
        keeper
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log);
        self.keeper = Some(keeper.spawn()?);
        self.wait_until_ready()
    }

    fn wait_until_ready(&mut self) -> io::Result<()> {
        let began = Instant::now();
        // By the socket in this folder: another server might respond on the port.
        let (folder, port) = (self.folder.path().display(), self.port);
        let url = format!("postgres://{USER}:{PASSWORD}@/postgres?host={folder}&port={port}");
        while began.elapsed() < SERVER_TIMEOUT {
            if self.sql_at(&url, "SELECT 1").is_ok() {
                return Ok(());
            }
            if let Some(keeper) = &mut self.keeper
                && keeper.try_wait()?.is_some()
            {
                break;
            }
            sleep(Duration::from_millis(50));
        }
        Err(io::Error::other(format!(
            "PostgreSQL does not start:\n{}",
            self.log()
        )))
    }

    /// The URL of a database, with a `connect_timeout` that is not reached on a busy machine.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        let plain = self.plain_url(database);
        format!("{plain}?connect_timeout={CONNECT_TIMEOUT}")
    }

    /// The URL of a database without parameters, for a client whose own defaults are under test.
    #[must_use]
    pub fn plain_url(&self, database: &str) -> String {
        format!(
            "postgres://{USER}:{PASSWORD}@127.0.0.1:{}/{database}",
            self.port
        )
    }

    /// The server's port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Creates an empty database; returns its name.
    ///
    /// # Errors
    /// If the server does not respond.
    pub fn database(&self) -> io::Result<String> {
        let name = format!("shop_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name}"))?;
        Ok(name)
    }

    /// Creates a copy of a database that has no connections; returns its name.
    ///
    /// # Errors
    /// If the server does not respond.
    pub fn copy(&self, template: &str) -> io::Result<String> {
        let name = format!("shop_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.sql(
            "postgres",
            &format!("CREATE DATABASE {name} TEMPLATE {template}"),
        )?;
        Ok(name)
    }

    /// Runs SQL with psql; returns its output, one line per row, with columns separated by `|`.
    ///
    /// # Errors
    /// The message of psql.
    pub fn sql(&self, database: &str, sql: &str) -> io::Result<String> {
        self.sql_at(&self.url(database), sql)
    }

    /// The same for a connection string, such as one with settings.
    ///
    /// # Errors
    /// The message of psql.
    pub fn sql_at(&self, url: &str, sql: &str) -> io::Result<String> {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["-XqtAv", "ON_ERROR_STOP=1", "-d", url, "-c", sql]);
        let output = psql.stdin(Stdio::null()).output()?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout)
                .trim_end()
                .to_owned())
        } else {
            Err(io::Error::other(
                String::from_utf8_lossy(&output.stderr).into_owned(),
            ))
        }
    }

    /// Ends the server like a power cut: SIGKILL for all of its processes.
    ///
    /// # Errors
    /// If it is not running.
    pub fn kill(&mut self) -> io::Result<()> {
        // A process forked by the postmaster meanwhile would outlive it briefly.
        self.pause()?;
        let postmaster = self.postmaster()?;
        let mut processes = children_of(postmaster)?;
        processes.push(postmaster);
        send("-KILL", &processes)?;
        if let Some(mut keeper) = self.keeper.take() {
            // Kept open until the keeper has ended: at the end of the pipe it would remove the
            // folder.
            let input = keeper.stdin.take();
            keeper.wait()?;
            drop(input);
        }
        processes.into_iter().try_for_each(await_ended)
    }

    /// Stops every process of the server by SIGSTOP, and returns once all of them have stopped;
    /// [`Cluster::unpause`] resumes them.
    ///
    /// # Errors
    /// If it is not running.
    pub fn pause(&self) -> io::Result<()> {
        let postmaster = self.postmaster()?;
        // Only the postmaster forks: once it has stopped, the list of its children is complete.
        send("-STOP", &[postmaster])?;
        await_stopped(postmaster)?;
        let children = children_of(postmaster)?;
        send("-STOP", &children)?;
        children.into_iter().try_for_each(await_stopped)
    }

    /// Resumes a paused server.
    ///
    /// # Errors
    /// If it is not running.
    pub fn unpause(&self) -> io::Result<()> {
        let postmaster = self.postmaster()?;
        let mut processes = children_of(postmaster)?;
        processes.push(postmaster);
        send("-CONT", &processes)
    }

    /// Process id of the postmaster, running or paused.
    fn postmaster(&self) -> io::Result<u32> {
        let pid_file = fs::read_to_string(self.data().join("postmaster.pid"))?;
        let pid = pid_file.lines().next().unwrap_or_default().trim();
        let pid = pid.parse().map_err(io::Error::other)?;
        // The file remains after a server was killed.
        state_and_parent(pid)
            .map(|_| pid)
            .ok_or_else(|| io::Error::other("PostgreSQL is not running"))
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// The whole log of the server.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read(self.log_file())
            .map(|log| String::from_utf8_lossy(&log).into_owned())
            .unwrap_or_default()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(mut keeper) = self.keeper.take() {
            // The keeper waits for the end of its input.
            if let Some(mut input) = keeper.stdin.take() {
                let _ = input.flush();
            }
            let _ = self.unpause();
            let _ = keeper.wait();
        }
    }
}

/// A free port below the ephemeral range: an outgoing connection could otherwise take it before the
/// server starts, or while it is down.
fn free_port() -> io::Result<u16> {
    for _ in 0..1_000 {
        let port = fastrand::u16(10_000..30_000);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    Err(io::Error::other("no port is free from 10000 to 29999"))
}

fn is_root() -> io::Result<bool> {
    Ok(fs::metadata("/proc/self")?.uid() == 0)
}

/// The folder with the programs of the newest PostgreSQL.
fn programs() -> io::Result<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|folder| folder.join("initdb").exists())
        .collect();
    found.sort_by_key(|folder| version(folder));
    if let Some(folder) = found.pop() {
        return Ok(folder);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .find(|folder| folder.join("initdb").exists())
        .ok_or_else(|| {
            io::Error::other(
                "PostgreSQL's server is not installed (Debian: apt-get install postgresql)",
            )
        })
}

fn version(folder: &Path) -> u32 {
    let version = folder
        .parent()
        .and_then(Path::file_name)
        .and_then(|name| name.to_str());
    version
        .and_then(|version| version.parse().ok())
        .unwrap_or_default()
}

/// The examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(test)]
#[path = "cluster_tests.rs"]
mod tests;
