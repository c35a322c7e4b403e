//! Progress of long commands on standard error: a bar on a terminal, and seldom a line otherwise.
//! Standard output stays that of the command.

use crate::system::background::Background;
use crate::system::console::print_error;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tradepost_domain::kernel::Progress;

/// Interval of the lines, and the time before the first one: most commands end earlier.
const LINE_INTERVAL: Duration = Duration::from_secs(30);

/// Interval at which a bar is drawn.
const DRAW_INTERVAL: Duration = Duration::from_millis(200);

/// Reports the stages of a command.
pub(crate) struct ProgressReport {
    is_terminal: bool,
    stage: Mutex<Option<Stage>>,
}

/// A stage that is under way. Its bar disappears when it is dropped.
struct Stage {
    display: Arc<Display>,
    /// Draws the bar, or prints the lines.
    _ticker: Option<Background>,
}

struct Display {
    name: &'static str,
    total: Option<u64>,
    done: AtomicU64,
    began: Instant,
    bar: Option<ProgressBar>,
}

impl Display {
    fn line(&self) -> String {
        let seconds = self.began.elapsed().as_secs();
        let name = self.name;
        match (self.done.load(Ordering::Relaxed), self.total) {
            (0, _) => format!("{name}: {seconds} seconds so far."),
            (done, Some(total)) => {
                format!("{name}: {done} of {total}, {seconds} seconds so far.")
            }
            (done, None) => format!("{name}: {done}, {seconds} seconds so far."),
        }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl ProgressReport {
    /// A report on standard error.
    pub(crate) fn new() -> Self {
        Self {
            is_terminal: io::stderr().is_terminal(),
            stage: Mutex::default(),
        }
    }

    /// Reports a stage whose progress is not known, or is what `measure` returns, until the result
    /// is dropped.
    pub(crate) fn of(
        name: &'static str,
        total: Option<u64>,
        measure: impl Fn() -> Option<u64> + Send + 'static,
    ) -> Self {
        let report = Self::new();
        report.start(name, total, measure);
        report
    }

    fn start(
        &self,
        name: &'static str,
        total: Option<u64>,
        measure: impl Fn() -> Option<u64> + Send + 'static,
    ) {
        let display = Arc::new(Display {
            name,
            total,
            done: AtomicU64::new(0),
            began: Instant::now(),
            bar: self.is_terminal.then(|| bar(name, total)),
        });
        let shown = Arc::downgrade(&display);
        let mut next_line = LINE_INTERVAL;
        let tick = move || {
            let Some(display) = shown.upgrade() else {
                return;
            };
            if let Some(done) = measure() {
                display.done.store(done, Ordering::Relaxed);
            }
            match &display.bar {
                Some(bar) => {
                    bar.set_position(display.done.load(Ordering::Relaxed));
                    bar.tick();
                }
                None if display.began.elapsed() >= next_line => {
                    print_error(display.line());
                    next_line = next_line.saturating_add(LINE_INTERVAL);
                }
                None => {}
            }
        };
        // Without a thread the command runs all the same.
        let ticker = Background::every(DRAW_INTERVAL, "progress", tick).ok();
        *self.stage() = Some(Stage {
            display,
            _ticker: ticker,
        });
    }

    fn stage(&self) -> std::sync::MutexGuard<'_, Option<Stage>> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the current stage, before the command prints something.
    pub(crate) fn end(&self) {
        *self.stage() = None;
    }
}

fn bar(name: &'static str, total: Option<u64>) -> ProgressBar {
    let target = ProgressDrawTarget::stderr();
    let template = match total {
        Some(_) => "{msg} {wide_bar} {percent:>3} % {eta:>4}",
        None => "{spinner} {msg} {human_pos} {elapsed}",
    };
    let bar = ProgressBar::with_draw_target(total, target);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_message(name);
    bar
}

impl Progress for ProgressReport {
    fn begin(&self, stage: &'static str, total: Option<u64>) {
        self.start(stage, total, || None);
    }

    fn advance(&self, done: u64) {
        if let Some(stage) = &*self.stage() {
            stage.display.done.store(done, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_a_stage_is() {
        let display = |done, total| Display {
            name: "Writing lines",
            total,
            done: AtomicU64::new(done),
            began: Instant::now(),
            bar: None,
        };
        for (done, total, line) in [
            (0, None, "Writing lines: 0 seconds so far."),
            (0, Some(9), "Writing lines: 0 seconds so far."),
            (5, None, "Writing lines: 5, 0 seconds so far."),
            (5, Some(9), "Writing lines: 5 of 9, 0 seconds so far."),
        ] {
            let shown = display(done, total).line();
            // The machine may be slow.
            let shown = shown
                .split(", ")
                .next()
                .map(|first| line.starts_with(first));
            assert_eq!(shown, Some(true).filter(|_| line.len() > 1));
        }
    }

    #[test]
    fn a_bar_has_a_template_that_is_valid() {
        for template in [Some(10), None] {
            let bar = bar("Reading", template);
            bar.set_draw_target(ProgressDrawTarget::hidden());
            assert_eq!(bar.message(), "Reading");
        }
    }
}
