//! Non-blocking log writer: writes lines on a thread of its own, so that no caller waits for a slow
//! reader or disk.

use super::output::Output;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};
use std::{io, thread};

/// The capacity of the queue in bytes, about twenty thousand lines. Further lines are dropped until
/// the queue has room again.
const ROOM: usize = 4 * 1024 * 1024;

/// Further capacity for warnings and errors.
const RESERVE: usize = 1024 * 1024;

/// The cost of a piece beside its text.
const OVERHEAD: usize = 64;

/// The interval of attempts to report lost lines, as the next line may be a long time off.
const RETRY: Duration = Duration::from_secs(1);

/// A bounded queue of lines with a writer thread. Lines are written in order.
#[derive(Debug, Clone)]
pub(crate) struct NonBlockingWriter {
    pieces: Sender<Piece>,
    state: Arc<State>,
}

#[derive(Debug)]
struct Piece {
    /// The number of lines dropped before this piece.
    lost: u64,
    /// Whole lines. Empty to let the target act on a request to reopen.
    text: Arc<[u8]>,
}

impl Piece {
    fn size(&self) -> usize {
        self.text.len().saturating_add(OVERHEAD)
    }
}

#[derive(Debug, Default)]
struct State {
    /// The bytes in the queue.
    waiting: AtomicUsize,
    /// Dropped lines that are not reported yet.
    lost: AtomicU64,
    /// All lines that were not written.
    all_lost: AtomicU64,
}

impl NonBlockingWriter {
    /// Starts the writer thread. `notice` formats the line that reports the number of lost lines,
    /// once lines can be written again; `failing` reports the first error of a series.
    ///
    /// # Errors
    /// If the operating system cannot create a thread.
    pub(crate) fn start(
        name: &str,
        to: impl Write + Send + 'static,
        notice: impl Fn(u64) -> String + Send + 'static,
        failing: impl Fn(&io::Error) + Send + 'static,
    ) -> io::Result<Self> {
        let (pieces, coming) = mpsc::channel();
        let state = Arc::new(State::default());
        let of_thread = Arc::clone(&state);
        let output = Output::new(to, notice, failing);
        thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || write(output, &coming, &of_thread))?;
        Ok(Self { pieces, state })
    }

    /// Queues whole lines, or drops them if the queue is full. Does not block. Warnings and errors
    /// may use the reserve.
    pub(crate) fn push(&self, text: Arc<[u8]>, is_alarm: bool) {
        let mut piece = Piece { lost: 0, text };
        let size = piece.size();
        let room = if is_alarm { ROOM + RESERVE } else { ROOM };
        let before = self.state.waiting.fetch_add(size, Ordering::AcqRel);
        if before.saturating_add(size) > room {
            self.state.waiting.fetch_sub(size, Ordering::AcqRel);
            let lines = lines_of(&piece.text);
            self.state.lost.fetch_add(lines, Ordering::AcqRel);
            self.state.all_lost.fetch_add(lines, Ordering::AcqRel);
            return;
        }
        piece.lost = self.state.lost.swap(0, Ordering::AcqRel);
        // Cannot fail: the writer thread ends only when the last [`NonBlockingWriter`] is dropped.
        let _ = self.pieces.send(piece);
    }

    /// Lets the target act on a request to reopen, also if no line follows.
    pub(crate) fn wake(&self) {
        self.push(Arc::from([]), true);
    }

    /// Blocks until the queue is written, or until the deadline.
    pub(crate) fn flush(&self, until: Instant) {
        while self.state.waiting.load(Ordering::Acquire) > 0 && Instant::now() < until {
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// The number of lines that were not written.
    pub(crate) fn lost(&self) -> u64 {
        self.state.all_lost.load(Ordering::Acquire)
    }
}

/// The number of lines in a text.
pub(super) fn lines_of(text: &[u8]) -> u64 {
    let ends = text.iter().filter(|byte| **byte == b'\n').count();
    u64::try_from(ends).unwrap_or(u64::MAX)
}

/// A piece that cannot be written is counted as written, so that no flush waits for it.
fn write<W, N, F>(mut output: Output<W, N, F>, pieces: &Receiver<Piece>, state: &State)
where
    W: Write,
    N: Fn(u64) -> String,
    F: Fn(&io::Error),
{
    loop {
        let piece = if output.is_behind() {
            pieces.recv_timeout(RETRY)
        } else {
            pieces.recv().map_err(|_| RecvTimeoutError::Disconnected)
        };
        let piece = match piece {
            Ok(piece) => piece,
            Err(error) => {
                output.catch_up();
                if error == RecvTimeoutError::Disconnected {
                    return;
                }
                continue;
            }
        };
        output.report(piece.lost);
        let lost = output.write(&piece.text);
        state.all_lost.fetch_add(lost, Ordering::AcqRel);
        if state.waiting.load(Ordering::Acquire) == piece.size() {
            // Reported now: the next piece may be a long time off.
            output.report(state.lost.swap(0, Ordering::AcqRel));
            output.catch_up();
        }
        state.waiting.fetch_sub(piece.size(), Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader};

    fn notice(lost: u64) -> String {
        format!("{lost} lost\n")
    }

    fn start(to: impl Write + Send + 'static) -> NonBlockingWriter {
        NonBlockingWriter::start("log", to, notice, |_| ()).unwrap()
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(20)
    }

    #[test]
    fn lines_are_written_in_their_order() {
        let (reader, writer) = io::pipe().unwrap();
        let log = start(writer);
        for number in 0..1_000 {
            log.push(format!("{number}\n").into_bytes().into(), false);
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
        let log = start(writer);
        let line: Arc<[u8]> = format!("{}\n", "x".repeat(999)).into_bytes().into();
        let (pushed, alarms) = (10_000, 500);
        for _ in 0..pushed {
            log.push(Arc::clone(&line), false);
        }
        let dropped = log.lost();
        assert!(dropped > 1_000, "{dropped}");
        // Warnings and errors have a reserve.
        for _ in 0..alarms {
            log.push(Arc::from(*b"alarm\n"), true);
        }
        assert_eq!(log.lost(), dropped);
        let began = Instant::now();
        log.flush(began + Duration::from_millis(50));
        assert!(began.elapsed() < Duration::from_secs(10));

        let counted = thread::spawn(move || {
            let (mut written, mut lost, mut loud) = (0, 0, 0);
            for line in BufReader::new(reader).lines().map(Result::unwrap) {
                match line.strip_suffix(" lost") {
                    Some(number) => lost += number.parse::<u64>().unwrap(),
                    None if line == "alarm" => loud += 1,
                    None => written += 1,
                }
            }
            (written, lost, loud)
        });
        log.flush(soon());
        // The queue has room again.
        log.push(line, false);
        log.flush(soon());
        let all_lost = log.lost();
        drop(log);
        let (written, lost, loud) = counted.join().unwrap();
        assert!(lost > 1_000 && written > 1_000, "{written} and {lost}");
        assert_eq!((written + lost, loud), (pushed + 1, alarms));
        assert_eq!(all_lost, lost);
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
        let log = start(Full(0));
        for _ in 0..3 {
            log.push(Arc::from(*b"a line\n"), false);
        }
        log.flush(soon());
        assert_eq!(log.state.waiting.load(Ordering::Acquire), 0);
        assert_eq!(log.lost(), 3);
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
        let log = start(Slow(Arc::clone(&written)));
        for _ in 0..10 {
            log.push(Arc::from(*b"a line\n"), false);
        }
        log.flush(soon());
        assert_eq!(written.load(Ordering::Acquire), 10);
    }
}
