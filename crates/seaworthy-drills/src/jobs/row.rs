//! The table that a run of drills is.

use std::fmt;
use std::time::Duration;

use crate::verdict::{Verdict, caught};

/// One drill.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its numbers.
    pub drill: &'static str,
    /// What happened.
    pub what: String,
    /// What was seen, in numbers.
    pub measured: String,
    /// What must hold of them.
    pub bound: String,
    /// What is to be thought of it.
    pub verdict: Verdict,
}

impl Row {
    /// Runs it, and makes a row of what it has measured or of its panic.
    pub(super) fn of(drill: &'static str, what: &str, bound: &str, run: impl FnOnce() -> String) -> Row {
        let (measured, verdict) = match caught(run) {
            Ok(measured) => (measured, Verdict::Held),
            Err(why) => ("-".to_owned(), Verdict::Failed(why)),
        };
        let (what, bound) = (what.to_owned(), bound.to_owned());
        Row { drill, what, measured, bound, verdict }
    }

    pub(super) fn not_here(drill: &'static str, what: &str, why: &'static str) -> Row {
        let (measured, bound) = ("-".to_owned(), "-".to_owned());
        Row { drill, what: what.to_owned(), measured, bound, verdict: Verdict::NotHere(why) }
    }

    /// # Panics
    /// If it did not hold, with its row.
    pub fn assert_held(&self) {
        println!("{self}");
        assert_eq!(self.verdict, Verdict::Held, "{self}");
    }
}

/// In seconds.
pub(super) fn seconds(span: Duration) -> String {
    format!("{:.2} s", span.as_secs_f64())
}

/// What the columns are.
pub fn head() -> String {
    line("drill", "what happened", "measured", "bound", &"verdict")
}

fn line(drill: &str, what: &str, measured: &str, bound: &str, verdict: &dyn fmt::Display) -> String {
    format!("{drill:<12} {what:<54} {measured:<80} {bound:<60} {verdict}")
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&line(self.drill, &self.what, &self.measured, &self.bound, &self.verdict))
    }
}
