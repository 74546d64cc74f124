//! The table that a run of drills is.

use std::fmt;
use std::time::Duration;

use crate::verdict::Verdict;

/// One drill.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its numbers.
    pub drill: &'static str,
    /// What happened.
    pub what: String,
    /// How often.
    pub times: usize,
    /// From when it happened to when another led.
    pub takeovers: Vec<Duration>,
    /// The longest that one may take.
    pub bound: Duration,
    /// How many writes the fence has refused.
    pub refused: usize,
    /// What is to be thought of it.
    pub verdict: Verdict,
}

impl Row {
    /// The shortest, the middle one and the longest takeover.
    pub fn min_p50_max(&self) -> Option<(Duration, Duration, Duration)> {
        let mut sorted = self.takeovers.clone();
        sorted.sort_unstable();
        let (shortest, longest) = (sorted.first()?, sorted.last()?);
        Some((*shortest, sorted[(sorted.len() - 1) / 2], *longest))
    }

    /// # Panics
    /// If it did not hold, with its row.
    pub fn assert_held(&self) {
        println!("{self}");
        assert_eq!(self.verdict, Verdict::Held, "{self}");
    }
}

/// What the columns are.
pub fn head() -> String {
    let columns = ["drill", "what happened", "times", "min", "p50", "max", "bound", "refused"];
    let [drill, what, times, min, p50, max, bound, refused] = columns;
    format!("{drill:<22} {what:<46} {times:>5} {min:>7} {p50:>7} {max:>7} {bound:>7} {refused:>7}  verdict")
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = |span: Duration| format!("{:.3}", span.as_secs_f64());
        let none = || ["-".to_owned(), "-".to_owned(), "-".to_owned()];
        let [min, p50, max] = self.min_p50_max().map_or_else(none, |(a, b, c)| [a, b, c].map(seconds));
        let Row { drill, what, times, bound, refused, verdict, .. } = self;
        let bound = seconds(*bound);
        write!(f, "{drill:<22} {what:<46} {times:>5} {min:>7} {p50:>7} {max:>7} {bound:>7} {refused:>7}  {verdict}")
    }
}
