//! The table, in Markdown.

use std::fmt;

use crate::timing::median;

/// The data of a row of times: nanoseconds per call, round by round.
pub(crate) struct Times {
    pub(crate) rounds: Vec<Option<Vec<f64>>>,
    /// Whether each peer has the row's rule itself.
    pub(crate) exact: Vec<bool>,
    pub(crate) floors: Vec<(&'static str, Option<Vec<f64>>)>,
}

pub(crate) struct Table {
    lines: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let heads = ["".into(), "floor".into()].into_iter().chain(names.map(Into::into));
        Self { lines: vec![heads.collect()] }
    }

    pub(crate) fn times(&mut self, title: &str, times: &Times) {
        // The ratio is the median of the rounds' ratios: neighbours in time saw the same noise.
        let base = times.rounds.first().and_then(Option::as_ref);
        let cell = |rounds: &[f64]| {
            let nanos = grouped(median(rounds.iter().copied()));
            match base.filter(|base| !std::ptr::eq(base.as_slice(), rounds)) {
                Some(base) => {
                    let ratio = median(rounds.iter().zip(base).map(|(peer, base)| peer / base));
                    format!("{nanos} ({})", times_over(ratio))
                }
                None => nanos,
            }
        };
        let floors = times.floors.iter().filter_map(|(name, rounds)| {
            let rounds = rounds.as_ref()?;
            Some(format!("{name} {}", cell(rounds)))
        });
        let mut line = vec![title.to_owned(), floors.collect::<Vec<_>>().join("; ")];
        line.extend(times.rounds.iter().zip(&times.exact).map(|(rounds, exact)| match rounds {
            Some(rounds) if *exact => cell(rounds),
            Some(rounds) => format!("≈ {}", cell(rounds)),
            None => "–".into(),
        }));
        self.lines.push(line);
    }

    pub(crate) fn counts(&mut self, title: &str, counts: impl Iterator<Item = Option<f64>>) {
        let mut line = vec![title.to_owned(), String::new()];
        line.extend(counts.map(|count| count.map_or("–".into(), grouped)));
        self.lines.push(line);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, line) in self.lines.iter().enumerate() {
            writeln!(f, "| {} |", line.join(" | "))?;
            if number == 0 {
                writeln!(f, "|---|---|{}", "---:|".repeat(line.len() - 2))?;
            }
        }
        Ok(())
    }
}

fn times_over(ratio: f64) -> String {
    match ratio {
        ..10.0 => format!("{ratio:.2}×"),
        _ => format!("{}×", grouped(ratio)),
    }
}

/// One decimal where it matters, and thousands separated.
pub(crate) fn grouped(number: f64) -> String {
    if number < 10.0 && number.fract() != 0.0 {
        return format!("{number:.1}");
    }
    let digits = format!("{number:.0}");
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
