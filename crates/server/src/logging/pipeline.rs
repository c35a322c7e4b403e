//! The log thread: takes batches from the queue, formats them, and hands large pieces to the
//! writers of their targets.

use super::format::{LogFormat, Timestamp};
use super::non_blocking::NonBlockingWriter;
use super::queue::{Batch, Class, Item, Queue};
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{io, mem, thread};

/// The size from which lines are passed on as a piece, in bytes.
const PIECE: usize = 64 * 1024;

/// The interval of reports about dropped records, so that they do not fill the log file.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// The writers of the targets.
#[derive(Debug, Clone)]
pub(super) struct Targets {
    /// Standard error: all lines.
    pub(super) err: NonBlockingWriter,
    /// The log file: all lines but access records.
    pub(super) file: NonBlockingWriter,
    /// The access log file: access records.
    pub(super) access: Option<NonBlockingWriter>,
}

impl Targets {
    fn push(&self, class: Class, text: &str) {
        let text: Arc<[u8]> = text.as_bytes().into();
        let is_alarm = class == Class::Alarm;
        let file = match class {
            Class::Access => self.access.as_ref(),
            Class::Line | Class::Alarm => Some(&self.file),
        };
        if let Some(file) = file {
            file.push(Arc::clone(&text), is_alarm);
        }
        self.err.push(text, is_alarm);
    }
}

/// Starts the log thread.
///
/// # Errors
/// If the operating system cannot create a thread.
pub(super) fn start(queue: Arc<Queue>, targets: Targets, format: LogFormat) -> io::Result<()> {
    let mut pipeline = Pipeline {
        targets,
        format,
        stamp: Timestamp::default(),
        class: Class::Line,
        text: String::new(),
        losses: Losses::default(),
    };
    let run = move || {
        let mut batch = Batch::default();
        loop {
            let is_draining = queue.next(&mut batch, pipeline.losses.due());
            pipeline.write(&mut batch);
            pipeline.report(&queue, is_draining);
        }
    };
    thread::Builder::new().name("log".to_owned()).spawn(run)?;
    Ok(())
}

struct Pipeline {
    targets: Targets,
    format: LogFormat,
    stamp: Timestamp,
    /// Lines of one class that are not passed on yet.
    class: Class,
    text: String,
    losses: Losses,
}

impl Pipeline {
    fn write(&mut self, batch: &mut Batch) {
        batch.drain(|item| {
            let class = match item {
                Item::Access(_) => Class::Access,
                Item::Line(class, _) => class,
            };
            if class != self.class || self.text.len() >= PIECE {
                self.pass_on();
                self.class = class;
            }
            match item {
                Item::Access(access) => {
                    self.format.access(&mut self.text, &mut self.stamp, &access);
                }
                Item::Line(_, line) => self.text.push_str(line),
            }
        });
        self.pass_on();
    }

    fn pass_on(&mut self) {
        if !self.text.is_empty() {
            self.targets.push(self.class, &self.text);
            self.text.clear();
        }
    }

    /// Reports records that the queue had no room for.
    fn report(&mut self, queue: &Queue, is_last: bool) {
        let losses = self.losses.next(queue.dropped(), queue.lost(), is_last);
        let Some((dropped, lost)) = losses else {
            return;
        };
        if dropped > 0 {
            let line = format_args!("{dropped} access records were dropped: the log is too slow");
            self.targets.push(Class::Alarm, &self.format.warning(line));
        }
        if lost > 0 {
            let line = format_args!("{lost} lines of log were lost");
            self.targets.push(Class::Alarm, &self.format.warning(line));
        }
    }
}

/// Losses of a full queue, and the time of their last report.
#[derive(Debug, Default)]
struct Losses {
    at: Option<Instant>,
    reported: (u64, u64),
    seen: (u64, u64),
}

impl Losses {
    /// The time until the next report, if there is something to report.
    fn due(&self) -> Option<Duration> {
        (self.seen != self.reported).then(|| {
            let since = self.at.map_or(REPORT_INTERVAL, |at| at.elapsed());
            REPORT_INTERVAL.saturating_sub(since)
        })
    }

    /// The losses since the last report, if it is time for another one, or no other one may come.
    fn next(&mut self, dropped: u64, lost: u64, is_last: bool) -> Option<(u64, u64)> {
        self.seen = (dropped, lost);
        if !self.due()?.is_zero() && !is_last {
            return None;
        }
        self.at = Some(Instant::now());
        let before = mem::replace(&mut self.reported, self.seen);
        Some((dropped - before.0, lost - before.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logging::queue::Access;
    use chrono::DateTime;
    use std::io::{BufRead, BufReader, PipeReader};

    fn target() -> (NonBlockingWriter, PipeReader) {
        let (reader, writer) = io::pipe().unwrap();
        let notice = |lost| format!("{lost} lines of log were lost\n");
        let target = NonBlockingWriter::start("log", writer, notice, |_| ()).unwrap();
        (target, reader)
    }

    fn access(path: &str) -> Access<'_> {
        Access {
            at: DateTime::UNIX_EPOCH,
            took: 1,
            status: 200,
            user: None,
            client: None,
            id: "id",
            method: "GET",
            path,
        }
    }

    fn numbers(reader: PipeReader) -> Vec<String> {
        let lines = BufReader::new(reader).lines().map(Result::unwrap);
        let lines = lines.map(|line| match line.split_once("GET /") {
            Some((_, rest)) => rest.split(' ').next().unwrap().to_owned(),
            None => line,
        });
        lines.collect()
    }

    #[test]
    fn each_target_gets_its_lines_in_their_order() {
        let ((err, of_err), (file, of_file), (log, of_access)) = (target(), target(), target());
        let queue = Arc::new(Queue::default());
        let targets = Targets {
            err,
            file,
            access: Some(log),
        };
        let mut pipeline = Pipeline {
            targets,
            format: LogFormat::Text,
            stamp: Timestamp::default(),
            class: Class::Line,
            text: String::new(),
            losses: Losses::default(),
        };
        let read = [of_err, of_file, of_access].map(|reader| thread::spawn(|| numbers(reader)));
        for number in 0..5_000 {
            match number % 100 {
                0 => queue.push_line(Class::Alarm, &format!("{number}\n")),
                1 => queue.push_line(Class::Line, &format!("{number}\n")),
                _ => queue.push_access(&access(&format!("/{number}"))),
            }
        }
        let mut batch = Batch::default();
        queue.next(&mut batch, Some(Duration::ZERO));
        pipeline.write(&mut batch);
        drop(pipeline);
        let [err, file, log] = read.map(|reader| reader.join().unwrap());
        let numbers = |is_in: fn(u32) -> bool| -> Vec<String> {
            let numbers = (0..5_000).filter(|number| is_in(number % 100));
            numbers.map(|number: u32| number.to_string()).collect()
        };
        assert_eq!(err, numbers(|_| true));
        assert_eq!(file, numbers(|rest| rest < 2));
        assert_eq!(log, numbers(|rest| rest >= 2));
    }

    #[test]
    fn losses_are_reported_at_once_and_then_at_intervals() {
        let mut losses = Losses::default();
        assert_eq!((losses.next(0, 0, true), losses.due()), (None, None));
        assert_eq!(losses.next(3, 1, false), Some((3, 1)));
        assert_eq!((losses.next(3, 1, true), losses.due()), (None, None));
        assert_eq!(losses.next(5, 1, false), None);
        assert!(losses.due().unwrap() > Duration::ZERO);
        losses.at = losses.at.and_then(|at| at.checked_sub(REPORT_INTERVAL));
        assert_eq!(losses.next(6, 3, false), Some((3, 2)));
        assert_eq!(losses.next(7, 3, true), Some((1, 0)));
    }
}
