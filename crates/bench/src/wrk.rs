//! wrk, a load driver of other authors, which confirms the rows of reads.

use crate::Outcome;
use crate::driver::Session;
use crate::plan::CONNECTIONS;
use std::io::{ErrorKind, Write};
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

/// The most requests that it takes turns with.
const REQUESTS: usize = 1_000;

/// Sends the first requests of these sessions in turn for two seconds, after a second of warming up; returns the responses
/// a second. `None` if wrk is not installed.
pub(crate) fn run(address: SocketAddr, sessions: &[Session]) -> Outcome<Option<(u32, Duration)>> {
    let mut script = tempfile::NamedTempFile::new()?;
    writeln!(script, "local all, at = {{}}, 0")?;
    for request in sessions
        .iter()
        .filter_map(|session| session.first())
        .take(REQUESTS)
    {
        // The text of a request has the same escapes in Lua.
        writeln!(
            script,
            "all[#all + 1] = {:?}",
            String::from_utf8_lossy(&request.bytes)
        )?;
    }
    writeln!(
        script,
        "request = function() at = at % #all + 1 return all[at] end"
    )?;
    script.flush()?;
    let send = |seconds: &str| {
        let mut command = Command::new("wrk");
        command
            .args(["-t1", "-c", &CONNECTIONS.to_string(), "-d", seconds, "-s"])
            .arg(script.path())
            .arg(format!("http://{address}/"));
        command.output()
    };
    let report = match send("1s").and_then(|_| send("2s")) {
        Ok(ended) => String::from_utf8_lossy(&ended.stdout).into_owned(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    if report.contains("Non-2xx") || report.contains("Socket errors") {
        return Err(format!("wrk got errors: {report}").into());
    }
    let rate = rate(&report).ok_or_else(|| format!("wrk says: {report}"))?;
    Ok(Some((rate, Duration::from_secs(1))))
}

/// The whole responses a second in the report of wrk.
fn rate(report: &str) -> Option<u32> {
    let line = report
        .lines()
        .find_map(|line| line.trim().strip_prefix("Requests/sec:"))?;
    line.trim().split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_read_from_the_report() {
        let report =
            "  129 requests in 1.00s, 3MB read\nRequests/sec:  12944.87\nTransfer/sec: 3MB\n";
        assert_eq!(rate(report), Some(12_944));
        assert_eq!(rate("unable to connect"), None);
    }
}
