//! Token bucket tests at chosen times.

use super::*;

const SECOND: u64 = 1_000_000;

/// Requests at these times: the remaining units, or the seconds to wait.
fn taken(quota: u32, times: &[u64]) -> Vec<Result<u64, u64>> {
    let buckets = Buckets::new("user", quota);
    let take = |time: &u64| match buckets.take(1, 1, *time) {
        (quota, Ok(())) => Ok(quota.remaining),
        (quota, Err(ApiError::Throttled { seconds })) => {
            assert_eq!(quota.remaining, 0);
            Err(seconds)
        }
        (_, Err(other)) => panic!("{other:?}"),
    };
    times.iter().map(take).collect()
}

#[test]
fn a_bucket_is_emptied_at_once_and_fills_up_evenly() {
    let times = [
        0,
        0,
        0,
        1,
        19 * SECOND,
        20 * SECOND - 1,
        20 * SECOND,
        20 * SECOND,
        200 * SECOND,
    ];
    let expected = [
        Ok(2),
        Ok(1),
        Ok(0),
        Err(20),
        Err(1),
        Err(1),
        Ok(0),
        Err(20),
        Ok(2),
    ];
    assert_eq!(taken(3, &times), expected);
}

#[test]
fn a_request_succeeds_after_the_announced_wait() {
    for quota in [1, 7, 60, 1_200, 7_001, 1_000_000] {
        let buckets = Buckets::new("user", quota);
        let mut count = 0;
        let seconds = loop {
            match buckets.take(1, 1, 5).1 {
                Ok(()) => count += 1,
                Err(ApiError::Throttled { seconds }) => break seconds,
                Err(other) => panic!("{other:?}"),
            }
        };
        assert_eq!(count, quota);
        assert!(
            buckets.take(1, 1, 5 + seconds * SECOND).1.is_ok(),
            "{quota}"
        );
    }
}

#[test]
fn memory_is_bounded_and_full_buckets_make_room() {
    let buckets = Buckets::new("address", 1);
    let held = || -> usize {
        let shards = buckets.shards.iter();
        shards.map(|shard| shard.lock().unwrap().full.len()).sum()
    };
    let many = 2 * SHARDS * MAX_BUCKETS;
    for key in 0..many {
        assert!(buckets.take(key, 1, 0).1.is_ok());
    }
    assert_eq!(held(), SHARDS * MAX_BUCKETS);
    // Keys that have a bucket keep it.
    let known = (0..many).filter(|key| buckets.take(*key, 1, 1).1.is_err());
    assert_eq!(known.count(), SHARDS * MAX_BUCKETS);
    // Once their buckets are full, other keys find room.
    for key in 0..1_000 {
        assert!(buckets.take(many + key, 1, 61 * SECOND).1.is_ok());
        assert!(buckets.take(many + key, 1, 61 * SECOND).1.is_err());
    }
    assert_eq!(held(), 1_000);
}

#[test]
fn the_headers_follow_the_ietf_draft() {
    let buckets = Buckets::new("user", 1_200);
    let mut headers = HeaderMap::new();
    for (now, expected) in [
        (0, "\"user\";r=1199;t=1"),
        (0, "\"user\";r=1198;t=1"),
        (30_000, "\"user\";r=1197;t=1"),
    ] {
        buckets.take(1, 1, now).0.write(&mut headers);
        assert_eq!(headers.get("ratelimit").unwrap(), expected);
        assert_eq!(
            headers.get("ratelimit-policy").unwrap(),
            "\"user\";q=1200;w=60"
        );
    }
    for _ in 0..600 {
        buckets.take(1, 1, 30_000).0.write(&mut headers);
    }
    assert_eq!(headers.get("ratelimit").unwrap(), "\"user\";r=597;t=31");
}

#[test]
fn a_request_takes_its_cost() {
    let buckets = Buckets::new("user", 60);
    let take = |cost, now| match buckets.take(1, cost, now) {
        (quota, Ok(())) => Ok(quota.remaining),
        (_, Err(ApiError::Throttled { seconds })) => Err(seconds),
        (_, Err(other)) => panic!("{other:?}"),
    };
    assert_eq!(take(38, 0), Ok(22));
    assert_eq!(take(38, 0), Err(16));
    assert_eq!(take(1, 0), Ok(21), "a smaller one goes through");
    assert_eq!(take(38, 16 * SECOND), Err(1));
    assert_eq!(take(38, 17 * SECOND), Ok(0));
    // A cost above the capacity waits for a full bucket.
    assert_eq!(take(1_000, 17 * SECOND), Err(60));
    assert_eq!(take(1_000, 77 * SECOND), Ok(0));
}

#[test]
fn networks_are_ipv4_addresses_and_sites_of_ipv6() {
    let network = |address: &str| network(ClientNetwork::new(address.parse().unwrap()));
    for (one, other, same) in [
        ("192.0.2.1", "192.0.2.1", true),
        ("192.0.2.1", "192.0.2.2", false),
        ("192.0.2.1", "::ffff:192.0.2.1", true),
        ("2001:db8:1::1", "2001:db8:1:ffff::2", true),
        ("2001:db8:1::1", "2001:db8:2::1", false),
    ] {
        assert_eq!(network(one) == network(other), same, "{one} {other}");
    }
}

#[test]
fn the_headers_describe_the_bucket_with_the_least_left() {
    let throttle = RateLimiter::new(Throttling {
        user: 5,
        address: 9,
        network: 7,
    });
    let user = UserId::new(1).unwrap();
    let place = ClientNetwork::new("192.0.2.1".parse().unwrap());
    let mut names = Vec::new();
    for _ in 0..2 {
        let (network, _) = throttle.take(Payer::Network(place), 3);
        let (user, _) = throttle.take(Payer::User(user), 1);
        names.push(network.nearer(user).policy);
        names.push(user.nearer(network).policy);
    }
    assert_eq!(names, ["user", "network", "network", "network"]);
}
