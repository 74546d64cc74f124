//! What a circuit breaker logs without an observer of its own.

use seaworthy::{CircuitBreaker, Verdict};

use crate::support::{LevelFilter, Log, SECOND, advance, settle};

/// The level and the relevant fields of each line.
fn lines(log: &Log) -> Vec<(String, String)> {
    let short = |line: &str| {
        let (level, rest) = line.trim_start().split_once(" seaworthy::circuit_breaker: ").expect("a circuit's line");
        let words = rest.split(' ').filter(|word| word.starts_with("from=") || word.starts_with("to="));
        (level.to_string(), words.collect::<Vec<_>>().join(" "))
    };
    log.take().lines().map(short).collect()
}

/// SO-02: opening is logged as a warning, again after each failed probe; closing and probing as info. A rejected call
/// is not logged.
#[tokio::test(start_paused = true)]
async fn so_02_levels() {
    let log = Log::default();
    let _listening = log.listen(LevelFilter::INFO);
    let circuit_breaker = CircuitBreaker::builder("levels").consecutive_failures(1).open_for(SECOND).build().unwrap();
    settle(&circuit_breaker, &[Verdict::Success, Verdict::Failure]);
    assert!(circuit_breaker.admit().is_err());
    let line = |level: &str, change: &str| (level.to_string(), change.to_string());
    assert_eq!(lines(&log), [line("WARN", "from=closed to=open")]);
    advance(SECOND).await;
    settle(&circuit_breaker, &[Verdict::Failure]);
    assert_eq!(lines(&log), [line("INFO", "from=open to=half-open"), line("WARN", "from=half-open to=open")]);
    advance(SECOND).await;
    settle(&circuit_breaker, &[Verdict::Success]);
    assert_eq!(lines(&log), [line("INFO", "from=open to=half-open"), line("INFO", "from=half-open to=closed")]);
    circuit_breaker.force_open();
    circuit_breaker.reset();
    assert_eq!(lines(&log), [line("WARN", "from=closed to=open"), line("INFO", "from=open to=closed")]);
}

/// SO-02: one that only observes warns of what it would have done.
#[test]
fn so_02_observe_only() {
    let log = Log::default();
    let _listening = log.listen(LevelFilter::INFO);
    let circuit_breaker = CircuitBreaker::builder("observed").consecutive_failures(1).observe_only().build().unwrap();
    settle(&circuit_breaker, &[Verdict::Failure; 3]);
    assert_eq!(lines(&log), [("WARN".to_string(), String::new())]);
}

/// A line is heard by a listening subscriber, even if it was first reached with none. Not about this crate, but what
/// the tests of logs depend on.
#[test]
fn are_heard_whoever_speaks_first() {
    fn speak() {
        tracing::info!(target: "seaworthy::circuit_breaker", from = "here", "said");
    }
    let log = Log::default();
    let _listening = log.listen(LevelFilter::INFO);
    std::thread::spawn(speak).join().unwrap();
    assert_eq!(lines(&log), []);
    speak();
    assert_eq!(lines(&log), [("INFO".to_string(), "from=\"here\"".to_string())]);
}
