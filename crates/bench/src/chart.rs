//! The chart of docs/performance.md and the README: rates of this run, on a logarithmic scale.

use crate::plan::{Act, Basket, Row, Store};
use crate::report::median;
use crate::rounds::{Results, Run};
use std::fmt::Write;

/// Orders a second of other shops, measured on two cores with two lines in each order, and the month
/// of that measurement.
const PEERS: [(&str, u64); 4] = [
    ("Django REST framework, row locks", 1_690),
    ("django-oscar", 390),
    ("Vendure", 99),
    ("Medusa", 11),
];
const PEERS_FROM: &str = "November 2026";

/// Tenths of a unit, so that a rate below ten has a decimal.
const TENTHS: u64 = 10;

const WIDTH: u64 = 760;
const LABELS: u64 = 290;
const LINE: u64 = 22;
/// Width of the scale, for the values from 1 to [`DECADES`] powers of ten.
const SCALE: u64 = 380;
const DECADES: u64 = 5;

/// The kind of a bar, which is its colour.
#[derive(Clone, Copy)]
enum Kind {
    Tradepost,
    Limit,
    Peer,
}

impl Kind {
    fn colour(self) -> &'static str {
        match self {
            Self::Tradepost => "#0b7a5b",
            Self::Limit => "#8a94a3",
            Self::Peer => "#c0803a",
        }
    }
}

/// The chart as SVG.
pub(crate) fn svg(results: &Results) -> String {
    let mut chart = Chart::default();
    chart.title("Orders a second");
    for (store, basket, name) in [
        (Store::Postgres, Basket::Spread, "Tradepost, PostgreSQL"),
        (
            Store::Postgres,
            Basket::One,
            "Tradepost, PostgreSQL, one product",
        ),
        (Store::Sqlite, Basket::Spread, "Tradepost, SQLite"),
    ] {
        chart.row(
            results,
            Row::Http(store, Act::Order(basket)),
            name,
            Kind::Tradepost,
        );
    }
    for (row, name) in [
        (
            Row::OneByOne(Basket::Spread),
            "PostgreSQL, one by one (pgbench)",
        ),
        (
            Row::OneByOne(Basket::One),
            "PostgreSQL, one by one, one product",
        ),
        (
            Row::Raw(Store::Postgres, Basket::Spread),
            "PostgreSQL, raw batches",
        ),
        (
            Row::Raw(Store::Sqlite, Basket::Spread),
            "SQLite, raw batches",
        ),
    ] {
        chart.row(results, row, name, Kind::Limit);
    }
    for (name, tenths) in PEERS {
        chart.bar(name, tenths, Kind::Peer);
    }
    chart.title("Reads a second, SQLite");
    for (act, name) in [
        (Act::Health, "health check"),
        (Act::ShowProduct, "product detail, signed in"),
        (Act::ListProducts, "list of ten products"),
        (Act::ReadCart, "cart, signed in"),
    ] {
        chart.row(
            results,
            Row::Http(Store::Sqlite, act),
            name,
            Kind::Tradepost,
        );
        let limit = Row::Static(Store::Sqlite, act);
        chart.row(results, limit, "static response of that size", Kind::Limit);
    }
    chart.finish()
}

#[derive(Default)]
struct Chart {
    body: String,
    /// The height so far.
    y: u64,
}

impl Chart {
    fn title(&mut self, text: &str) {
        self.y += LINE + 6;
        let y = self.y;
        self.element(format_args!(
            r#"<text x="8" y="{y}" font-weight="bold">{text}</text>"#
        ));
        self.y += 6;
    }

    /// A bar with the median rate of a row, if that was measured.
    fn row(&mut self, results: &Results, row: Row, name: &str, kind: Kind) {
        if let Some(runs) = results.rows.get(&row) {
            let rates: Vec<u64> = runs.iter().map(Run::rate).collect();
            self.bar(name, median(&rates).saturating_mul(TENTHS), kind);
        }
    }

    fn bar(&mut self, name: &str, tenths: u64, kind: Kind) {
        self.y += LINE;
        let (y, colour, end, length) = (self.y, kind.colour(), LABELS - 8, length(tenths));
        self.element(format_args!(
            r#"<text x="{end}" y="{y}" text-anchor="end">{name}</text>"#
        ));
        let top = y - 12;
        self.element(format_args!(
            r#"<rect x="{LABELS}" y="{top}" width="{length}" height="15" fill="{colour}"/>"#
        ));
        let (x, value) = (LABELS + length + 6, value(tenths));
        self.element(format_args!(r#"<text x="{x}" y="{y}">{value}</text>"#));
    }

    fn element(&mut self, element: std::fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _ = writeln!(self.body, "{element}");
    }

    fn finish(mut self) -> String {
        self.y += LINE + 8;
        let mut x = 8;
        for (kind, name, width) in [
            (Kind::Tradepost, "Tradepost".to_owned(), 110),
            (Kind::Limit, "limit in the same run".to_owned(), 180),
            (Kind::Peer, format!("other shops, {PEERS_FROM}"), 0),
        ] {
            let (colour, top, at, y) = (kind.colour(), self.y - 12, x + 22, self.y);
            self.element(format_args!(
                r#"<rect x="{x}" y="{top}" width="15" height="15" fill="{colour}"/>"#
            ));
            self.element(format_args!(r#"<text x="{at}" y="{y}">{name}</text>"#));
            x += width;
        }
        self.y += LINE;
        let (y, note) = (
            self.y,
            "Logarithmic scale; two cores for server, database and clients.",
        );
        self.element(format_args!(r#"<text x="8" y="{y}">{note}</text>"#));
        let height = self.y + 12;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
             width=\"{WIDTH}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"13\" \
             fill=\"#30363d\">\n<rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>\n\
             {}</svg>\n",
            self.body
        )
    }
}

/// The length of a bar: logarithms without floats, linear between the powers of ten to the tenth.
fn length(tenths: u64) -> u64 {
    /// The powers of ten to a tenth, in thousandths: 10^0, 10^0.1 and so on.
    const STEPS: [u64; 11] = [
        1_000, 1_259, 1_585, 1_995, 2_512, 3_162, 3_981, 5_012, 6_310, 7_943, 10_000,
    ];
    let mut thousandths = tenths.saturating_mul(100).max(1_000);
    let mut decades = 0;
    while thousandths >= 10_000 {
        thousandths /= 10;
        decades += 1;
    }
    let at = STEPS.iter().filter(|step| **step <= thousandths).count();
    let below = STEPS.get(at.saturating_sub(1)).copied().unwrap_or(1_000);
    let above = STEPS.get(at).copied().unwrap_or(10_000);
    let between = (thousandths - below) * 100 / (above - below).max(1);
    let at = u64::try_from(at).unwrap_or(1).saturating_sub(1);
    (decades * 1_000 + at * 100 + between) * SCALE / (DECADES * 1_000)
}

fn value(tenths: u64) -> String {
    let whole = tenths / TENTHS;
    match tenths {
        0..=999 if !tenths.is_multiple_of(TENTHS) => format!("{whole}.{}", tenths % TENTHS),
        0..10_000 => whole.to_string(),
        _ => format!("{},{:03}", whole / 1_000, whole % 1_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::time::Duration;

    #[test]
    fn bars_are_logarithmic() {
        let decade = SCALE / DECADES;
        for (tenths, expected) in [
            (0, 0),
            (10, 0),
            (100, decade),
            (1_000, 2 * decade),
            (1_000_000, 5 * decade),
            (31_620, 266),
        ] {
            assert_eq!(length(tenths), expected, "{tenths}");
        }
        assert_eq!(
            [11, 99, 390, 1_690, 31_220, 600_000].map(value),
            ["1.1", "9.9", "39", "169", "3,122", "60,000"]
        );
    }

    #[test]
    fn a_chart_has_a_bar_for_each_measured_row_and_each_other_shop() {
        let run = Run::of(2_000, Duration::from_secs(1), None);
        let results = Results {
            machine: String::new(),
            rows: BTreeMap::from([(Row::Http(Store::Sqlite, Act::Health), vec![run])]),
            memory: BTreeMap::new(),
        };
        let chart = svg(&results);
        assert!(chart.contains("health check") && chart.contains(">2,000<"));
        assert!(chart.contains("Medusa") && !chart.contains("raw batches"));
        // Background and legend, one row, the other shops.
        assert_eq!(chart.matches("<rect").count(), 4 + 1 + PEERS.len());
    }
}
