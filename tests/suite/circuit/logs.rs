//! What a circuit writes without an observer of its own.

use std::io;
use std::sync::{Arc, Mutex};

use seaworthy::{Circuit, Verdict};

use crate::support::{SECOND, advance, listen, settle};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Lines {
    /// Writes what this thread logs from `info` on, for as long as the guard is held.
    fn listen(&self) -> tracing::subscriber::DefaultGuard {
        let lines = self.clone();
        let subscriber = tracing_subscriber::fmt().with_ansi(false).without_time();
        listen(subscriber.with_writer(move || lines.clone()).finish())
    }

    /// The level and the fields in question of each line.
    fn take(&self) -> Vec<(String, String)> {
        let text = String::from_utf8(std::mem::take(&mut self.0.lock().unwrap())).unwrap();
        let short = |line: &str| {
            let (level, rest) = line.trim_start().split_once(" seaworthy::circuit: ").expect("a circuit's line");
            let words = rest.split(' ').filter(|word| word.starts_with("from=") || word.starts_with("to="));
            (level.to_string(), words.collect::<Vec<_>>().join(" "))
        };
        text.lines().map(short).collect()
    }
}

/// SO-02: a circuit that opens is logged as a warning, again with each probe that failed; one that closes, or looks
/// whether it may, as info. A call that is rejected is neither.
#[tokio::test(start_paused = true)]
async fn so_02_levels() {
    let lines = Lines::default();
    let _listening = lines.listen();
    let circuit = Circuit::builder("levels").consecutive_failures(1).open_for(SECOND).build().unwrap();
    settle(&circuit, &[Verdict::Success, Verdict::Failure]);
    assert!(circuit.admit().is_err());
    let line = |level: &str, change: &str| (level.to_string(), change.to_string());
    assert_eq!(lines.take(), [line("WARN", "from=closed to=open")]);
    advance(SECOND).await;
    settle(&circuit, &[Verdict::Failure]);
    assert_eq!(lines.take(), [line("INFO", "from=open to=half-open"), line("WARN", "from=half-open to=open")]);
    advance(SECOND).await;
    settle(&circuit, &[Verdict::Success]);
    assert_eq!(lines.take(), [line("INFO", "from=open to=half-open"), line("INFO", "from=half-open to=closed")]);
    circuit.force_open();
    circuit.reset();
    assert_eq!(lines.take(), [line("WARN", "from=closed to=open"), line("INFO", "from=open to=closed")]);
}

/// SO-02: one that only observes warns of what it would have done.
#[test]
fn so_02_observe_only() {
    let lines = Lines::default();
    let _listening = lines.listen();
    let circuit = Circuit::builder("observed").consecutive_failures(1).observe_only().build().unwrap();
    settle(&circuit, &[Verdict::Failure; 3]);
    assert_eq!(lines.take(), [("WARN".to_string(), String::new())]);
}

/// A line is heard where somebody listens, also if it was first passed where nobody does. Not about us, but what the
/// tests of logs stand on.
#[test]
fn are_heard_whoever_speaks_first() {
    fn speak() {
        tracing::info!(target: "seaworthy::circuit", from = "here", "said");
    }
    let lines = Lines::default();
    let _listening = lines.listen();
    std::thread::spawn(speak).join().unwrap();
    assert_eq!(lines.take(), []);
    speak();
    assert_eq!(lines.take(), [("INFO".to_string(), "from=\"here\"".to_string())]);
}
