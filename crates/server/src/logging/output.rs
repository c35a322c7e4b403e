//! Output of whole lines to a target that may fail and recover, such as a file on a full disk.

use super::non_blocking::lines_of;
use std::io::{self, ErrorKind, Write};
use std::mem;
use std::thread;
use std::time::Duration;

/// The pause before another attempt on a target that takes nothing at the moment, such as a
/// terminal in non-blocking mode.
const PAUSE: Duration = Duration::from_millis(10);

/// Writes whole lines. Lines that a target does not take are counted, and reported once it works
/// again. A line that was written in part is completed first.
pub(super) struct Output<W, N, F> {
    to: W,
    /// Formats the report of lost lines.
    notice: N,
    /// Called for the first error of a series.
    failing: F,
    is_failing: bool,
    /// The rest of a line whose beginning was written.
    rest: Vec<u8>,
    /// Lost lines that are not reported yet.
    lost: u64,
}

impl<W: Write, N: Fn(u64) -> String, F: Fn(&io::Error)> Output<W, N, F> {
    pub(super) fn new(to: W, notice: N, failing: F) -> Self {
        Self {
            to,
            notice,
            failing,
            is_failing: false,
            rest: Vec::new(),
            lost: 0,
        }
    }

    /// Writes whole lines, after the report of earlier losses. Returns the number of lines lost.
    pub(super) fn write(&mut self, text: &[u8]) -> u64 {
        if text.is_empty() {
            // An error appears at the next line.
            let _ = self.to.write(text);
            return 0;
        }
        if !self.catch_up() {
            return self.lose(text);
        }
        let done = self.send(text);
        let (written, left) = text.split_at_checked(done).unwrap_or((text, &[]));
        if written.is_empty() || written.ends_with(b"\n") {
            return self.lose(left);
        }
        let mut lines = left.split_inclusive(|byte| *byte == b'\n');
        self.rest = lines.next().unwrap_or_default().to_owned();
        let begun = self.rest.len();
        self.lose(left.get(begun..).unwrap_or_default())
    }

    /// Adds lost lines to the next report.
    pub(super) fn report(&mut self, lost: u64) {
        self.lost = self.lost.saturating_add(lost);
    }

    /// Whether something is left to write before the next line.
    pub(super) fn is_behind(&self) -> bool {
        !self.rest.is_empty() || self.lost > 0
    }

    /// Completes a line that was written in part, and reports losses. Returns whether all of that
    /// was written.
    pub(super) fn catch_up(&mut self) -> bool {
        let mut rest = mem::take(&mut self.rest);
        if rest.is_empty() && self.lost > 0 {
            rest = (self.notice)(self.lost).into_bytes();
            let done = self.send(&rest);
            if done > 0 {
                self.lost = 0;
                self.rest = rest.split_off(done.min(rest.len()));
            }
            return !self.is_behind();
        }
        let done = self.send(&rest);
        self.rest = rest.split_off(done.min(rest.len()));
        self.rest.is_empty() && (self.lost == 0 || self.catch_up())
    }

    fn lose(&mut self, text: &[u8]) -> u64 {
        let lines = lines_of(text);
        self.report(lines);
        lines
    }

    /// Writes as much as the target takes, and returns the number of bytes.
    fn send(&mut self, text: &[u8]) -> usize {
        let mut left = text;
        while !left.is_empty() {
            let error = match self.to.write(left) {
                Ok(written) if written > 0 => {
                    left = left.get(written..).unwrap_or_default();
                    continue;
                }
                Ok(_) => ErrorKind::WriteZero.into(),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    thread::sleep(PAUSE);
                    continue;
                }
                Err(error) => error,
            };
            if !mem::replace(&mut self.is_failing, true) {
                (self.failing)(&error);
            }
            return text.len().saturating_sub(left.len());
        }
        if !text.is_empty() {
            self.is_failing = false;
        }
        text.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::{Cell, RefCell};
    use std::rc::Rc;

    /// A disk with a limited number of free bytes.
    #[derive(Clone, Default)]
    struct Disk {
        free: Rc<Cell<usize>>,
        written: Rc<RefCell<Vec<u8>>>,
    }

    impl Disk {
        fn text(&self) -> String {
            String::from_utf8(self.written.borrow().clone()).unwrap()
        }
    }

    impl Write for Disk {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            let taken = text.len().min(self.free.get());
            if taken == 0 {
                return Err(ErrorKind::StorageFull.into());
            }
            self.free.set(self.free.get() - taken);
            self.written.borrow_mut().extend(&text[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_full_disk_tears_no_line_and_its_losses_are_reported_once_it_has_room() {
        // However much fits in before the disk is full, and in each step of its recovery.
        for (free, step) in (0..20).flat_map(|free| (1..20).map(move |step| (free, step))) {
            let disk = Disk::default();
            let errors = Cell::new(0);
            let notice = |lost| format!("{lost} lost\n");
            let failing = |_: &_| errors.set(errors.get() + 1);
            let mut output = Output::new(disk.clone(), notice, failing);
            disk.free.set(free);
            let lost = output.write(b"one\ntwo\nthree\n") + output.write(b"four\nfive\n");
            assert_eq!(errors.get(), 1);
            let mut attempts = 0;
            while output.is_behind() {
                disk.free.set(disk.free.get() + step);
                output.catch_up();
                attempts += 1;
                assert!(attempts < 100);
            }
            disk.free.set(100);
            assert_eq!(output.write(b"six\n"), 0);
            let begun = ["one\n", "two\n", "three\n", "four\n", "five\n"];
            let kept = begun[..5 - usize::try_from(lost).unwrap()].concat();
            let expected = format!("{kept}{lost} lost\nsix\n");
            assert_eq!(disk.text(), expected, "{free} and {step}");
        }
    }
}
