//! TR-01: how calls go on in their bodies, from data.

use seaworthy::State;

use super::body::{in_use, through};
use super::data::{flaw, read};
use super::*;
use crate::circuit_breaker::body::{Act, error, poll, script};
use crate::support::{SECOND, advance};

const BASE: &str = "[a]\nbulkhead = { limit = 1 }\n[a.circuit_breaker]\nconsecutive_failures = 1\nopen_for = \"1s\"\n";

fn policy(keys: &str) -> Policy {
    read(&format!("{BASE}{keys}")).get("a").unwrap().clone()
}

fn state(policy: &Policy) -> State {
    policy.circuit_breaker().unwrap().state()
}

/// TR-01, BO-12: `until_body_end` is obeyed: the permit and the verdict wait for the body.
#[tokio::test(start_paused = true)]
async fn until_body_end() {
    for (keys, is_scoped) in [("until_body_end = true", true), ("until_body_end = false", false), ("", false)] {
        let policy = policy(keys);
        let mut body = through(&policy.http_layer(), script(["a".into(), error()])).await;
        assert_eq!(in_use(&policy), u32::from(is_scoped), "{keys}");
        _ = (poll(&mut body), poll(&mut body));
        assert_eq!((state(&policy) == State::Open, in_use(&policy)), (is_scoped, 0), "{keys}");
    }
}

/// TR-01, BO-07: `settle_early` is obeyed, each of its ways, as the state of a probe shows.
#[tokio::test(start_paused = true)]
async fn settle_early() {
    for (keys, at_frame) in [
        ("", 1),
        ("settle_early = \"first_frame\"", 1),
        ("settle_early = { bytes = 3 }", 3),
        ("settle_early = { after = \"200ms\" }", 2),
        ("settle_early = \"never\"", 5),
    ] {
        let policy = policy(&format!("until_body_end = true\nprobe_timeout = \"1h\"\n{keys}"));
        settle(policy.circuit_breaker().unwrap(), &[Verdict::Failure]);
        advance(SECOND).await;
        let mut body = through(&policy.http_layer(), script([(); 4].map(|()| Act::Data("x")))).await;
        for frame in 1..=5 {
            assert_eq!(state(&policy), State::HalfOpen, "{keys}");
            advance(MS * 100).await;
            poll(&mut body);
            if frame == at_frame {
                break;
            }
        }
        assert_eq!(state(&policy), State::Closed, "{keys}");
    }
}

/// TR-01, BO-02: `on_body_drop` is obeyed.
#[tokio::test(start_paused = true)]
async fn on_body_drop() {
    for (keys, held_for, fails) in [
        ("", SECOND, false),
        ("on_body_drop = \"ignore\"", SECOND, false),
        ("on_body_drop = \"failure\"", MS, true),
        ("on_body_drop = { failure_after = \"10ms\" }", MS * 10, false),
        ("on_body_drop = { failure_after = \"10ms\" }", MS * 11, true),
    ] {
        let policy = policy(&format!("{keys}\nuntil_body_end = true"));
        let body = through(&policy.http_layer(), script(["a".into()])).await;
        advance(held_for).await;
        drop(body);
        assert_eq!(state(&policy) == State::Open, fails, "{keys}");
    }
}

/// TR-01: zero, a wrong type, an unknown neighbour and each contradiction have one error each, with the path of the key
/// and the line.
#[test]
fn bad_input() {
    let early = "a table for a.circuit_breaker.settle_early, or one of \"first_frame\", \"never\"";
    let on_drop = "a table for a.circuit_breaker.on_body_drop, or one of \"ignore\", \"failure\"";
    for (keys, message, line) in [
        ("settle_early = { after = \"0s\" }", "@.settle_early.after: must be longer than zero".to_owned(), 2),
        ("settle_early = { bytes = 0 }", "@.settle_early.bytes: must be at least 1".to_owned(), 2),
        ("on_body_drop.failure_after = \"0s\"", "@.on_body_drop.failure_after: must be longer than zero".to_owned(), 2),
        ("until_body_end = 1", "invalid type: integer `1`, expected true or false for @.until_body_end".to_owned(), 2),
        ("settle_early = true", format!("invalid type: boolean `true`, expected {early}"), 2),
        ("settle_early = 5", format!("invalid type: integer `5`, expected {early}"), 2),
        ("on_body_drop = 5", format!("invalid type: integer `5`, expected {on_drop}"), 2),
        (
            "settle_early.bytes = \"1\"",
            "invalid type: string \"1\", expected a whole number for @.settle_early.bytes".to_owned(),
            2,
        ),
        (
            "settle_early.bytes = 5000000000",
            "@.settle_early.bytes: must not be greater than 4,294,967,295".to_owned(),
            2,
        ),
        ("settle_early = \"soon\"", "@.settle_early: \"soon\" is none of \"first_frame\", \"never\"".to_owned(), 2),
        (
            "settle_early = { frames = 1 }",
            "@.settle_early.frames: there is no such key; there are after, bytes".to_owned(),
            2,
        ),
        ("settle_early = {}", "@.settle_early.after: or `bytes` has to be set".to_owned(), 2),
        (
            "settle_early = { after = \"1s\", bytes = 1 }",
            "@.settle_early.bytes: must not be set together with `after`".to_owned(),
            2,
        ),
        ("settle_early = \"first_frame\"", "@.settle_early: needs `until_body_end`".to_owned(), 1),
        ("on_body_drop = \"failure\"", "@.on_body_drop: needs `until_body_end`".to_owned(), 1),
        ("until_body_end = false\non_body_drop = \"failure\"", "@.on_body_drop: needs `until_body_end`".to_owned(), 1),
    ] {
        let message = message.replace('@', "a.circuit_breaker");
        assert_eq!(flaw(&format!("[a.circuit_breaker]\n{keys}")), (message, line), "{keys}");
    }
}
