//! Statistics of a batcher.

use super::{limits, placed, start, submit};
use crate::fake::{Act, Fake};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

#[test]
fn statistics_count_batches_waits_and_conflicts() {
    let (fake, gate) = Fake::gated();
    let batcher = start(fake.clone(), limits(2, 10)).unwrap();
    let (sender, answers) = mpsc::channel();
    submit(&batcher, 1, &sender).unwrap();
    gate.wait_for_batch();
    for id in [3, 5, 4] {
        submit(&batcher, id, &sender).unwrap();
    }
    assert_eq!(batcher.stats().waiting, 3);
    thread::sleep(Duration::from_millis(3));
    // 1 alone; 3 and 5; 4 alone, with one lock conflict and placed then.
    for act in [Act::Place, Act::Place, Act::ContendEven] {
        fake.then(act);
    }
    gate.open();
    for _ in 0..4 {
        placed(&answers);
    }
    batcher.close();
    let stats = batcher.stats();
    assert_eq!((stats.waiting, stats.contended), (0, 1));
    assert_eq!((stats.sizes.count, stats.sizes.sum), (4, 5));
    assert_eq!(stats.sizes.buckets[..2], [(1, 3), (2, 4)]);
    assert_eq!((stats.waits.count, stats.took.count), (4, 4));
    assert!(
        stats.waits.sum >= 9_000 && stats.took.sum >= 3_000,
        "{stats:?}"
    );
}
