//! Connection limits: in total, and per client network.

use super::lifecycle::Expiry;
use ipnet::IpNet;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tradepost_domain::identity::ClientNetwork;
use tradepost_metrics::Counter;

/// The log gets at most one line about refused connections in this time.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// The connections of a server, over all of its workers.
pub(crate) struct Connections {
    open: AtomicUsize,
    max: usize,
    by_address: Mutex<HashMap<ClientNetwork, usize>>,
    max_per_address: usize,
    trusted_proxies: Vec<IpNet>,
    refused: Counter,
    idle: Counter,
    slow_heads: Counter,
    slow_readers: Counter,
    log: Mutex<RefusalLog>,
}

/// Refused connections that have not been logged yet.
#[derive(Default)]
struct RefusalLog {
    told: Option<Instant>,
    untold: u64,
}

impl RefusalLog {
    /// Counts one more; returns the number to log, if a log line is due.
    fn note(&mut self, now: Instant) -> Option<u64> {
        self.untold = self.untold.saturating_add(1);
        let is_due = |told| now.saturating_duration_since(told) >= LOG_INTERVAL;
        if !self.told.is_none_or(is_due) {
            return None;
        }
        self.told = Some(now);
        Some(std::mem::take(&mut self.untold))
    }
}

impl Connections {
    /// At most `max` connections over all workers, and at most `max_per_address` from one IPv4
    /// address or IPv6 /64 network, except those of trusted proxies and of the loopback address of
    /// this machine.
    pub(crate) fn new(max: usize, max_per_address: usize, trusted_proxies: Vec<IpNet>) -> Self {
        Self {
            open: AtomicUsize::new(0),
            max,
            by_address: Mutex::default(),
            max_per_address,
            trusted_proxies,
            refused: Counter::default(),
            idle: Counter::default(),
            slow_heads: Counter::default(),
            slow_readers: Counter::default(),
            log: Mutex::default(),
        }
    }

    /// Admits a connection; `None` if its client has too many. A peer without an address has
    /// already disconnected and is not counted.
    pub(crate) fn admit(self: &Arc<Self>, client: Option<IpAddr>) -> Option<Admission> {
        let client = client.map(|client| client.to_canonical());
        let counted = client.filter(|client| !self.is_exempt(*client));
        let address = counted.map(ClientNetwork::new);
        if let Some(address) = address
            && !self.count(address)
        {
            self.refuse(address);
            return None;
        }
        self.open.fetch_add(1, Ordering::Relaxed);
        Some(Admission {
            connections: Arc::clone(self),
            address,
        })
    }

    /// Whether a client has no limit. A proxy on this machine connects from the loopback address
    /// and may not be listed as trusted; the limit of one client would then apply to all clients
    /// together. Other addresses of the loopback network are limited like any other.
    fn is_exempt(&self, client: IpAddr) -> bool {
        let own = [IpAddr::V4(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()];
        own.contains(&client) || self.trusted_proxies.iter().any(|net| net.contains(&client))
    }

    fn count(&self, address: ClientNetwork) -> bool {
        let mut by_address = lock(&self.by_address);
        let count = by_address.entry(address).or_insert(0);
        if *count >= self.max_per_address {
            return false;
        }
        *count = count.saturating_add(1);
        true
    }

    fn refuse(&self, address: ClientNetwork) {
        self.refused.add_one();
        if let Some(count) = lock(&self.log).note(Instant::now()) {
            log::warn!(
                address:% = address.address(), refused = count;
                "{} has {} connections, which are the most for one address: {count} more were \
                 refused (--connections-per-address)",
                address.address(),
                self.max_per_address
            );
        }
    }

    /// Counts a connection that the server ended.
    pub(crate) fn note(&self, why: Expiry) {
        let counter = match why {
            Expiry::Idle => &self.idle,
            Expiry::SlowHead => &self.slow_heads,
            Expiry::SlowReader => &self.slow_readers,
        };
        counter.add_one();
    }

    /// The number of open connections.
    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Whether more than three quarters of the connections are in use: none is kept alive then.
    pub(crate) fn are_scarce(&self) -> bool {
        self.open() > self.max - self.max / 4
    }

    /// The most connections that may be open.
    pub(crate) fn max(&self) -> usize {
        self.max
    }

    /// The connections that the server ended, by reason.
    pub(crate) fn ended(&self) -> [(&'static str, u64); 4] {
        [
            ("idle", self.idle.get()),
            ("slow_head", self.slow_heads.get()),
            ("slow_reader", self.slow_readers.get()),
            ("too_many", self.refused.get()),
        ]
    }
}

/// The locked data is consistent at any time, also after a panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An admitted connection; dropping it frees its place.
pub(crate) struct Admission {
    connections: Arc<Connections>,
    address: Option<ClientNetwork>,
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.connections.open.fetch_sub(1, Ordering::Relaxed);
        let Some(address) = self.address else {
            return;
        };
        let mut by_address = lock(&self.connections.by_address);
        if let Entry::Occupied(mut count) = by_address.entry(address) {
            if *count.get() > 1 {
                *count.get_mut() -= 1;
            } else {
                count.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connections(most: usize) -> Arc<Connections> {
        let proxies = vec!["10.0.0.0/8".parse().unwrap()];
        Arc::new(Connections::new(100, most, proxies))
    }

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn an_address_has_a_bound_and_others_have_their_own() {
        let connections = connections(2);
        let admit = |text: &str| connections.admit(address(text));
        for alike in [
            ["192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1"],
            ["2001:db8::1", "2001:db8::ffff:2", "2001:db8::3"],
            ["127.0.0.2", "127.0.0.2", "127.0.0.2"],
        ] {
            let [one, two, three] = alike;
            let first = admit(one).unwrap();
            let second = admit(two).unwrap();
            assert!(admit(three).is_none(), "{three}");
            assert!(admit("192.0.2.9").is_some());
            assert!(admit("2001:db8:0:1::1").is_some());
            assert_eq!(connections.open(), 2);
            drop(first);
            assert!(admit(three).is_some(), "{three}");
            drop(second);
        }
        assert_eq!(connections.open(), 0);
        assert!(lock(&connections.by_address).is_empty());
        assert!(connections.ended().contains(&("too_many", 3)));
    }

    #[test]
    fn proxies_have_no_bound() {
        let connections = connections(1);
        for exempt in ["10.1.2.3", "::ffff:10.1.2.3", "127.0.0.1", "::1"] {
            let admitted: Vec<_> = (0..50)
                .map(|_| connections.admit(address(exempt)))
                .collect();
            assert!(admitted.iter().all(Option::is_some), "{exempt}");
        }
        assert!(connections.admit(None).is_some());
    }

    #[test]
    fn connections_are_scarce_when_three_of_four_are_in_use() {
        let connections = connections(1_000);
        let mut admitted = Vec::new();
        for number in 0..100 {
            assert_eq!(connections.are_scarce(), number > 75, "{number}");
            admitted.push(connections.admit(address("192.0.2.1")).unwrap());
        }
        admitted.clear();
        assert!(!connections.are_scarce());
    }

    #[test]
    fn refusals_are_logged_once_per_interval() {
        let (mut log, start) = (RefusalLog::default(), Instant::now());
        assert_eq!(log.note(start), Some(1));
        for milliseconds in 1..1_000 {
            assert_eq!(log.note(start + Duration::from_millis(milliseconds)), None);
        }
        assert_eq!(log.note(start + LOG_INTERVAL), Some(1_000));
    }
}
