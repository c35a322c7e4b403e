use std::panic::resume_unwind;
use std::sync::Barrier;
use std::thread;

/// Runs this many threads from one barrier. Each gets its index, from 0; results are in the order
/// of the indexes.
///
/// # Panics
/// If one of the threads panics.
pub fn race<T: Send>(racers: usize, run: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let start = Barrier::new(racers);
    let (start, run) = (&start, &run);
    thread::scope(|scope| {
        let one = |number| {
            scope.spawn(move || {
                start.wait();
                run(number)
            })
        };
        let racers: Vec<_> = (0..racers).map(one).collect();
        let answer = |racer: thread::ScopedJoinHandle<'_, T>| {
            racer.join().unwrap_or_else(|panic| resume_unwind(panic))
        };
        racers.into_iter().map(answer).collect()
    })
}
