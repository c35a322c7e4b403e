//! Non-blocking log writer: writes lines on a thread of its own, so that no caller waits for a slow
//! reader.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};
use std::{io, thread};

/// The capacity of the queue in bytes, about twenty thousand lines. Further lines are dropped until
/// the queue has room again.
const ROOM: usize = 4 * 1024 * 1024;

/// The cost of a line beside its text.
const OVERHEAD: usize = 64;

/// A bounded queue of lines with a writer thread. Lines are written in order.
#[derive(Clone)]
pub(crate) struct NonBlockingWriter {
    lines: Sender<Line>,
    state: Arc<State>,
}

struct Line {
    /// The number of lines dropped before this one.
    lost: u64,
    text: Arc<[u8]>,
}

impl Line {
    fn size(&self) -> usize {
        self.text.len().saturating_add(OVERHEAD)
    }
}

#[derive(Default)]
struct State {
    /// The bytes in the queue.
    waiting: AtomicUsize,
    /// Dropped lines that are not reported yet.
    lost: AtomicU64,
}

impl NonBlockingWriter {
    /// Starts the writer thread. `notice` formats the line that reports the number of dropped
    /// lines.
    ///
    /// # Errors
    /// If the operating system cannot create a thread.
    pub(crate) fn start(
        name: &str,
        mut to: impl Write + Send + 'static,
        notice: fn(u64) -> String,
    ) -> io::Result<Self> {
        let (lines, coming) = mpsc::channel();
        let state = Arc::new(State::default());
        let of_thread = Arc::clone(&state);
        thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || write(&mut to, &coming, &of_thread, notice))?;
        Ok(Self { lines, state })
    }

    /// Queues a line, or drops it if the queue is full. Does not block.
    pub(crate) fn push(&self, text: Arc<[u8]>) {
        let mut line = Line { lost: 0, text };
        let size = line.size();
        let before = self.state.waiting.fetch_add(size, Ordering::AcqRel);
        if before.saturating_add(size) > ROOM {
            self.state.waiting.fetch_sub(size, Ordering::AcqRel);
            self.state.lost.fetch_add(1, Ordering::AcqRel);
            return;
        }
        line.lost = self.state.lost.swap(0, Ordering::AcqRel);
        // Cannot fail: the writer thread ends only when the last [`NonBlockingWriter`] is dropped.
        let _ = self.lines.send(line);
    }

    /// Blocks until the queue is written, or until the deadline.
    pub(crate) fn flush(&self, until: Instant) {
        while self.state.waiting.load(Ordering::Acquire) > 0 && Instant::now() < until {
            thread::sleep(Duration::from_millis(1));
        }
    }
}

/// A line that cannot be written is counted as written, so that no flush waits for it.
fn write(to: &mut impl Write, lines: &Receiver<Line>, state: &State, notice: fn(u64) -> String) {
    let report = |to: &mut dyn Write, lost: u64| {
        if lost > 0 {
            let _ = to.write_all(notice(lost).as_bytes());
        }
    };
    for line in lines {
        report(to, line.lost);
        let _ = to.write_all(&line.text);
        if state.waiting.load(Ordering::Acquire) == line.size() {
            // Reported now: the next line may be a long time off.
            report(to, state.lost.swap(0, Ordering::AcqRel));
        }
        state.waiting.fetch_sub(line.size(), Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader};

    fn notice(lost: u64) -> String {
        format!("{lost} lost\n")
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(20)
    }

    #[test]
    fn lines_are_written_in_their_order() {
        let (reader, writer) = io::pipe().unwrap();
        let log = NonBlockingWriter::start("log", writer, notice).unwrap();
        for number in 0..1_000 {
            log.push(format!("{number}\n").into_bytes().into());
        }
        log.flush(soon());
        drop(log);
        let lines: Vec<_> = BufReader::new(reader).lines().map(Result::unwrap).collect();
        let expected: Vec<_> = (0..1_000).map(|number| number.to_string()).collect();
        assert_eq!(lines, expected);
    }

    #[test]
    fn an_unread_pipe_blocks_no_writer_and_dropped_lines_are_counted() {
        let (reader, writer) = io::pipe().unwrap();
        let log = NonBlockingWriter::start("log", writer, notice).unwrap();
        let line: Arc<[u8]> = format!("{}\n", "x".repeat(999)).into_bytes().into();
        let pushed = 10_000;
        for _ in 0..pushed {
            log.push(Arc::clone(&line));
        }
        let began = Instant::now();
        log.flush(began + Duration::from_millis(50));
        assert!(began.elapsed() < Duration::from_secs(10));

        let counted = thread::spawn(move || {
            let (mut written, mut lost) = (0, 0);
            for line in BufReader::new(reader).lines().map(Result::unwrap) {
                match line.strip_suffix(" lost") {
                    Some(number) => lost += number.parse::<u64>().unwrap(),
                    None => written += 1,
                }
            }
            (written, lost)
        });
        log.flush(soon());
        // The queue has room again.
        log.push(line);
        log.flush(soon());
        drop(log);
        let (written, lost) = counted.join().unwrap();
        assert!(lost > 1_000 && written > 1_000, "{written} and {lost}");
        assert_eq!(written + lost, pushed + 1);
    }

    #[test]
    fn a_write_error_blocks_no_writer_and_no_flush() {
        struct Full(u32);
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                self.0 += 1;
                Err(io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let log = NonBlockingWriter::start("log", Full(0), notice).unwrap();
        for _ in 0..3 {
            log.push(Arc::from(*b"a line\n"));
        }
        log.flush(soon());
        assert_eq!(log.state.waiting.load(Ordering::Acquire), 0);
    }

    #[test]
    fn a_flush_waits_for_a_slow_writer() {
        struct Slow(Arc<AtomicU64>);
        impl Write for Slow {
            fn write(&mut self, line: &[u8]) -> io::Result<usize> {
                thread::sleep(Duration::from_millis(20));
                self.0.fetch_add(1, Ordering::AcqRel);
                Ok(line.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let written = Arc::new(AtomicU64::new(0));
        let log = NonBlockingWriter::start("log", Slow(Arc::clone(&written)), notice).unwrap();
        for _ in 0..10 {
            log.push(Arc::from(*b"a line\n"));
        }
        log.flush(soon());
        assert_eq!(written.load(Ordering::Acquire), 10);
    }
}
