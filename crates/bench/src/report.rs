//! The report, in the form of docs/performance.md.

use crate::plan::{Act, CONNECTIONS, GOALS, Goal, MOST_MEMORY, MOST_TAIL, Row, Scale};
use crate::rounds::{Answered, Results, Run};
use std::fmt::Write;

/// The whole report.
pub(crate) fn text(scale: &Scale, results: &Results) -> String {
    let mut text = format!(
        "{}\n- {} rounds, {} orders in each; {CONNECTIONS} connections over HTTP\n\n",
        results.machine, scale.rounds, scale.orders
    );
    text += "| what | a second | least to most | p50 ms | p99 ms | errors | us of CPU each: server | database | driver |\n";
    text += "|---|---:|---:|---:|---:|---:|---:|---:|---:|\n";
    for (row, runs) in &results.rows {
        text += &line(*row, runs);
    }
    text += "\n| server on | most memory, MB | memory at the end, MB |\n|---|---:|---:|\n";
    for (store, memory) in &results.memory {
        let most = memory
            .iter()
            .map(|memory| memory.most)
            .max()
            .unwrap_or_default();
        let now = memory
            .iter()
            .map(|memory| memory.now)
            .max()
            .unwrap_or_default();
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "| {} | {} | {} |",
            store.name(),
            most / 1000,
            now / 1000
        );
    }
    text += "\n| ratio | wanted | is | |\n|---|---:|---:|---|\n";
    for goal in &GOALS {
        text += &ratio(goal, results);
    }
    text + &tails(results) + &memory(results)
}

fn line(row: Row, runs: &[Run]) -> String {
    let rates: Vec<u64> = runs.iter().map(Run::rate).collect();
    let (least, most) = (rates.iter().min(), rates.iter().max());
    let (least, most) = (least.unwrap_or(&0), most.unwrap_or(&0));
    let head = format!(
        "| {} | {} | {least} to {most} |",
        row.name(),
        median(&rates)
    );
    let answers: Vec<&Answered> = runs.iter().filter_map(|run| run.answers.as_ref()).collect();
    if answers.is_empty() {
        return head + " | | | | | |\n";
    }
    let of = |what: fn(&Answered) -> u64| -> Vec<u64> {
        answers.iter().map(|answered| what(answered)).collect()
    };
    let each = |used: fn(&Answered) -> u64| {
        let uses = runs.iter().zip(of(used));
        let uses: Vec<u64> = uses
            .map(|(run, used)| used / u64::from(run.count.max(1)))
            .collect();
        median(&uses)
    };
    let errors: u64 = of(|answered| answered.errors.into()).iter().sum();
    format!(
        "{head} {} | {} | {errors} | {} | {} | {} |\n",
        milliseconds(median(&of(|answered| answered.half.into()))),
        milliseconds(median(&of(|answered| answered.p99.into()))),
        each(|answered| answered.times.server),
        each(|answered| answered.times.database),
        each(|answered| answered.times.driver),
    )
}

/// The line of a ratio; empty if one of its rows was not measured.
fn ratio(goal: &Goal, results: &Results) -> String {
    let is_measured = |row: &Row| results.rows.contains_key(row);
    if !is_measured(&goal.of) || !is_measured(&goal.to) {
        return String::new();
    }
    let rate = |row: Row| {
        let runs = results.rows.get(&row);
        median(
            &runs
                .into_iter()
                .flatten()
                .map(Run::rate)
                .collect::<Vec<_>>(),
        )
    };
    let is = rate(goal.of) * 100 / rate(goal.to).max(1);
    format!(
        "| {} : {} | >= {} | {} | {} |\n",
        goal.of.name(),
        goal.to.name(),
        hundredths(goal.least),
        hundredths(is),
        held(is >= goal.least)
    )
}

/// p99 : p50 of each kind of order, and of additions to carts.
fn tails(results: &Results) -> String {
    let mut text = String::new();
    for (row, runs) in &results.rows {
        if !matches!(row, Row::Http(_, Act::Order(_) | Act::AddToCart)) {
            continue;
        }
        let answers = runs.iter().filter_map(|run| run.answers);
        let tails = answers.map(|all| u64::from(all.p99) * 100 / u64::from(all.half.max(1)));
        let is = median(&tails.collect::<Vec<_>>());
        let (wanted, is, held) = (hundredths(MOST_TAIL), hundredths(is), held(is <= MOST_TAIL));
        let _ = writeln!(
            text,
            "| p99 : p50, {} | <= {wanted} | {is} | {held} |",
            row.name()
        );
    }
    text
}

fn memory(results: &Results) -> String {
    let most = results
        .memory
        .values()
        .flatten()
        .map(|memory| memory.most)
        .max();
    let most = most.unwrap_or_default();
    let (wanted, is, held) = (MOST_MEMORY / 1000, most / 1000, held(most <= MOST_MEMORY));
    format!("| resident memory, MB | <= {wanted} | {is} | {held} |\n")
}

fn held(held: bool) -> &'static str {
    if held { "held" } else { "**missed**" }
}

pub(crate) fn median(values: &[u64]) -> u64 {
    let mut values = values.to_vec();
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn hundredths(number: u64) -> String {
    format!("{}.{:02}", number / 100, number % 100)
}

/// Microseconds as milliseconds.
fn milliseconds(micros: u64) -> String {
    hundredths(micros / 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_two_decimals_and_a_median_is_a_measured_value() {
        assert_eq!(
            [hundredths(250), hundredths(5), hundredths(1_000)],
            ["2.50", "0.05", "10.00"]
        );
        assert_eq!([milliseconds(16_449), milliseconds(90)], ["16.44", "0.09"]);
        assert_eq!(
            [median(&[3, 1, 2]), median(&[]), median(&[1, 2])],
            [2, 0, 2]
        );
    }
}
