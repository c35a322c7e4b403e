//! Processes of a server, found and signalled by their ids.

use super::SERVER_TIMEOUT;
use std::fs;
use std::io;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// State and parent of a process, from `/proc/PID/stat`; `None` if it has ended.
pub(crate) fn state_and_parent(pid: u32) -> Option<(String, u32)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // pid (name) state parent ...
    let mut fields = stat.rsplit(") ").next()?.split(' ');
    Some((fields.next()?.to_owned(), fields.next()?.parse().ok()?))
}

/// Process ids of the children of a process.
pub(crate) fn children_of(parent: u32) -> io::Result<Vec<u32>> {
    let mut children = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let pid = entry?.file_name().to_string_lossy().parse();
        children.extend(pid.ok().filter(|&pid| {
            state_and_parent(pid).is_some_and(|(_, its_parent)| its_parent == parent)
        }));
    }
    Ok(children)
}

/// States of a process that has ended, and holds no memory any longer.
const ENDED: [&str; 2] = ["Z", "X"];

/// Waits until a process has stopped or ended, as signals are delivered asynchronously.
pub(crate) fn await_stopped(pid: u32) -> io::Result<()> {
    await_state(pid, |state| {
        ["T", "t"].contains(&state) || ENDED.contains(&state)
    })
}

/// Waits until a process has ended. PostgreSQL does not start while one holds its shared memory.
pub(crate) fn await_ended(pid: u32) -> io::Result<()> {
    await_state(pid, |state| ENDED.contains(&state))
}

fn await_state(pid: u32, is_reached: impl Fn(&str) -> bool) -> io::Result<()> {
    let began = Instant::now();
    while state_and_parent(pid).is_some_and(|(state, _)| !is_reached(&state)) {
        if began.elapsed() > SERVER_TIMEOUT {
            return Err(io::Error::other(format!("process {pid} does not stop")));
        }
        sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// Sends a signal to each of these processes, ignoring those that have ended.
pub(crate) fn send(signal: &str, pids: &[u32]) -> io::Result<()> {
    // The shell's builtin `kill`: small systems have no program of that name.
    let each = "signal=$1; shift; for pid; do kill \"$signal\" \"$pid\" 2>/dev/null; done; :";
    let mut shell = Command::new("bash");
    shell.args(["-c", each, "kill", signal]);
    shell.args(pids.iter().map(u32::to_string));
    if shell.status()?.success() {
        Ok(())
    } else {
        Err(io::Error::other(format!("kill {signal} failed")))
    }
}
