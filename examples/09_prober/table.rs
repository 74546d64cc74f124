use std::io::{IsTerminal, Write, stdout};

use seaworthy::CircuitBreaker;
use seaworthy::prober::Prober;

/// The state of all targets: redrawn in place on a terminal, appended line by line elsewhere.
pub(crate) struct Table {
    redraws: bool,
    height: usize,
}

impl Table {
    pub(crate) fn new() -> Table {
        Table { redraws: stdout().is_terminal(), height: 0 }
    }

    pub(crate) fn draw(&mut self, prober: &Prober, circuit_breaker: &CircuitBreaker, heading: &str) {
        let mut lines = vec![format!("-- {heading}")];
        for (name, status) in prober.statuses() {
            let error = status.last_error.as_deref().unwrap_or("");
            let (state, successes, failures) = (status.state, status.successes, status.failures);
            let first = error.lines().next().unwrap_or("");
            lines.push(format!("{name:<10} {state:<10} {successes:>3} ok {failures:>3} failed  {first}"));
        }
        lines.push(format!("circuit    {}", circuit_breaker.state()));
        let mut out = stdout().lock();
        if self.redraws && self.height > 0 {
            // Up to the start of the last table, and clear everything below.
            let _ = write!(out, "\x1b[{}A\x1b[J", self.height);
        }
        self.height = lines.len();
        // If the other end is closed, the output is not wanted.
        let _ = writeln!(out, "{}", lines.join("\n"));
    }
}
