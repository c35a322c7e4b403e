//! Allowed hosts: requests for other hosts are rejected, so that no page of another site can reach
//! this server under a name of its own (DNS rebinding).

use crate::middleware::forwarded::ForwardedInfo;
use crate::state::State;

/// Whether the host of a request is allowed; if not, it is logged. Probes of monitoring systems
/// address the process by its IP address, so any host may be named there.
pub(super) fn check(state: &State, forwarded: &ForwardedInfo<'_>, path: &str) -> bool {
    let allowed = forwarded.is_for(state.allowed_hosts.as_deref()) || (state.is_probe)(path);
    if !allowed {
        warn(state, forwarded);
    }
    allowed
}

/// Logs the name of a rejected host, with the settings that allow it.
fn warn(state: &State, forwarded: &ForwardedInfo<'_>) {
    if let Some(more) = state.refused_hosts.tell() {
        let others = match more {
            0 => String::new(),
            more => format!(" ({more} more since the last such line)"),
        };
        let host = forwarded.shown_host();
        log::warn!(
            host:%, more;
            "refused a request for the host {host:?}{others}: if it is this shop's, name it in \
             --allowed-hosts (TRADEPOST_ALLOWED_HOSTS)"
        );
    }
}
