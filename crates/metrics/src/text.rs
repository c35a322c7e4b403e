//! Writer for the Prometheus text format, version 0.0.4.

use crate::HistogramSnapshot;
use std::fmt::{Display, Write};

/// The names and values of a sample's labels.
pub type Labels<'a> = &'a [(&'a str, &'a str)];

/// The content type of the page.
pub const MEDIA: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The unit of a histogram's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Written as seconds.
    Microseconds,
    /// Written unchanged.
    Number,
}

impl Unit {
    fn write(self, value: u64) -> String {
        match self {
            Self::Number => value.to_string(),
            Self::Microseconds => format!("{}.{:06}", value / 1_000_000, value % 1_000_000),
        }
    }
}

/// A page of samples, in families.
#[derive(Debug, Default)]
pub struct Page {
    text: String,
    name: &'static str,
}

impl Page {
    /// Begins a metric family: the samples written next belong to it.
    pub fn family(&mut self, name: &'static str, kind: &str, help: &str) {
        self.name = name;
        self.line(format_args!("# HELP {name} {help}"));
        self.line(format_args!("# TYPE {name} {kind}"));
    }

    /// A family of one gauge.
    pub fn gauge(&mut self, name: &'static str, help: &str, value: impl Display) {
        self.family(name, "gauge", help);
        self.sample(&[], value);
    }

    /// A family of one counter.
    pub fn counter(&mut self, name: &'static str, help: &str, value: u64) {
        self.family(name, "counter", help);
        self.sample(&[], value);
    }

    /// A sample of the current family.
    pub fn sample(&mut self, labels: Labels<'_>, value: impl Display) {
        let (name, labels) = (self.name, within(labels, None));
        self.line(format_args!("{name}{labels} {value}"));
    }

    /// The buckets, the sum and the count of a histogram of the current family.
    pub fn histogram(&mut self, labels: Labels<'_>, reading: &HistogramSnapshot, unit: Unit) {
        let name = self.name;
        for (bound, count) in &reading.buckets {
            let bound = unit.write(*bound);
            let bound = match unit {
                Unit::Microseconds => bound.trim_end_matches('0').trim_end_matches('.'),
                Unit::Number => &bound,
            };
            let labels = within(labels, Some(bound));
            self.line(format_args!("{name}_bucket{labels} {count}"));
        }
        let (all, count) = (within(labels, Some("+Inf")), reading.count);
        let (labels, sum) = (within(labels, None), unit.write(reading.sum));
        self.line(format_args!("{name}_bucket{all} {count}"));
        self.line(format_args!("{name}_sum{labels} {sum}"));
        self.line(format_args!("{name}_count{labels} {count}"));
    }

    /// The text of the page.
    #[must_use]
    pub fn into_text(self) -> String {
        self.text
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "{line}");
    }
}

/// The labels in braces. Their values are compiled in, and need no escaping.
fn within(labels: Labels<'_>, bound: Option<&str>) -> String {
    let bound = bound.map(|bound| ("le", bound));
    let pairs = labels.iter().copied().chain(bound);
    let pairs: Vec<String> = pairs
        .map(|(name, value)| format!("{name}=\"{value}\""))
        .collect();
    if pairs.is_empty() {
        String::new()
    } else {
        format!("{{{}}}", pairs.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Histogram;

    #[test]
    fn the_output_follows_the_text_format() {
        let mut page = Page::default();
        page.gauge("flying", "Things in the air.", 3);
        page.family("seen", "counter", "Things seen.");
        page.sample(&[("where", "here"), ("what", "it")], 1);
        page.family("took_seconds", "histogram", "How long.");
        let histogram = Histogram::new([500, 10_000, 2_000_000]);
        for value in [500, 501, 3_000_001] {
            histogram.observe(value);
        }
        page.histogram(&[("what", "it")], &histogram.read(), Unit::Microseconds);
        page.family("sizes", "histogram", "How many.");
        page.histogram(&[], &Histogram::<2>::new([1, 20]).read(), Unit::Number);
        let expected = "\
# HELP flying Things in the air.
# TYPE flying gauge
flying 3
# HELP seen Things seen.
# TYPE seen counter
seen{where=\"here\",what=\"it\"} 1
# HELP took_seconds How long.
# TYPE took_seconds histogram
took_seconds_bucket{what=\"it\",le=\"0.0005\"} 1
took_seconds_bucket{what=\"it\",le=\"0.01\"} 2
took_seconds_bucket{what=\"it\",le=\"2\"} 2
took_seconds_bucket{what=\"it\",le=\"+Inf\"} 3
took_seconds_sum{what=\"it\"} 3.001002
took_seconds_count{what=\"it\"} 3
# HELP sizes How many.
# TYPE sizes histogram
sizes_bucket{le=\"1\"} 0
sizes_bucket{le=\"20\"} 0
sizes_bucket{le=\"+Inf\"} 0
sizes_sum 0
sizes_count 0
";
        assert_eq!(page.into_text(), expected);
    }
}
