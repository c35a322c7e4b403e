//! The measured program, configured as in production.

use crate::Outcome;
use crate::data::TestShop;
use crate::plan::Mode;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// Signing key of the tokens.
pub(crate) const SECRET: &str = "this key signs tokens for a measurement and nothing else";

/// A rate limit in requests a minute that no client reaches.
const PLENTY: &str = "1000000";

/// A running server.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    _folder: TempDir,
}

/// Resident memory, in kilobytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    /// The peak.
    pub(crate) most: u64,
    pub(crate) now: u64,
}

impl Server {
    /// Starts the program of a shop: with the default log, to its file and to standard error, which
    /// is redirected to another file, and without throttling, as all clients share one address,
    /// unless the mode says otherwise.
    pub(crate) fn start(shop: &TestShop, mode: Mode) -> Outcome<Self> {
        let folder = tempfile::Builder::new()
            .prefix("tradepost-bench-")
            .tempdir()?;
        let mut command = tradepost(&shop.program, &shop.url, folder.path());
        match mode {
            Mode::Plain => &mut command,
            Mode::Unlogged => command.env("RUST_LOG", "warn"),
            Mode::Counted => command
                .env("TRADEPOST_THROTTLE", "on")
                .env("TRADEPOST_THROTTLE_USER", PLENTY)
                .env("TRADEPOST_THROTTLE_ADDRESS", PLENTY)
                .env("TRADEPOST_THROTTLE_ORDERS", PLENTY)
                .env("TRADEPOST_THROTTLE_OPEN_ORDERS", PLENTY),
        };
        let mut child = command
            .arg("serve")
            .stdout(Stdio::piped())
            .stderr(File::create(folder.path().join("stderr"))?)
            .spawn()?;
        let out = child.stdout.take().ok_or("it has no standard output")?;
        let mut address = None;
        for line in BufReader::new(out).lines() {
            let line = line?;
            // The line is: API http://ADDRESS/api/
            let rest = line.split_once("http://").map(|(_, rest)| rest);
            let found = rest.and_then(|rest| rest.split('/').next());
            if let Some(found) = found.and_then(|found| found.parse().ok()) {
                address = Some(found);
                break;
            }
        }
        let Some(address) = address else {
            child.wait()?;
            let said = fs::read_to_string(folder.path().join("stderr"))?;
            return Err(format!("{} does not serve: {said}", shop.program.display()).into());
        };
        Ok(Self {
            child,
            address,
            _folder: folder,
        })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn memory(&self) -> Outcome<Memory> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid()))?;
        let kilobytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().trim_end_matches(" kB").parse().ok()
        };
        let most = kilobytes("VmHWM:").ok_or("/proc has no VmHWM")?;
        let now = kilobytes("VmRSS:").ok_or("/proc has no VmRSS")?;
        Ok(Memory { most, now })
    }

    /// Stops the server by SIGTERM, as an operator does.
    pub(crate) fn stop(mut self) -> Outcome<()> {
        let pid = self.pid().to_string();
        Command::new("kill").args(["-TERM", &pid]).status()?;
        let status = self.child.wait()?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("the server ended with {status}").into())
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Fails if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs the ledger audit of a shop.
pub(crate) fn verify(shop: &TestShop) -> Outcome<()> {
    run(&shop.program, &shop.url, "verify")
}

/// Applies the migrations of a program to an empty database.
pub(crate) fn migrate(program: &Path, url: &str) -> Outcome<()> {
    run(program, url, "migrate")
}

/// Runs a command of a program.
fn run(program: &Path, url: &str, verb: &str) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let ended = tradepost(program, url, folder.path()).arg(verb).output()?;
    if ended.status.success() {
        return Ok(());
    }
    let (said, complained) = (ended.stdout, ended.stderr);
    let said = [said, complained].map(|text| String::from_utf8_lossy(&text).into_owned());
    Err(format!("{} {verb} failed: {}", program.display(), said.concat()).into())
}

fn tradepost(program: &Path, url: &str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env("TRADEPOST_DATABASE_URL", url)
        .env("TRADEPOST_DATA_DIR", folder)
        .env("TRADEPOST_JWT_SECRET", SECRET)
        .env("TRADEPOST_LISTEN", "127.0.0.1:0")
        .env("TRADEPOST_THROTTLE", "off")
        .env_remove("RUST_LOG")
        .stdin(Stdio::null());
    command
}
