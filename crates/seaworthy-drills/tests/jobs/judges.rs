//! The judges of the drills of the durable queue find what they are there for, in journals that say so, and fail when
//! there is nothing to look at.

use std::panic::{UnwindSafe, catch_unwind};
use std::time::Duration;

use seaworthy_drills::jobs::judges;
use seaworthy_drills::jobs::row::Row;
use seaworthy_drills::verdict::Verdict;
use seaworthy_faults::journal::Journal;
use serde_json::{Value, json};

/// Whether the judge says something against it.
fn is_against<T>(judge: impl FnOnce() -> T + UnwindSafe) -> bool {
    catch_unwind(judge).is_err()
}

const fn seconds(of: u64) -> Duration {
    Duration::from_secs(of)
}

/// Each line is a second, a worker, and what it did.
fn journal(lines: &[(u64, &str, Value)]) -> Journal {
    let line = |(number, (second, worker, entry)): (usize, &(u64, &str, Value))| {
        let mut line = entry.clone();
        let pid = worker.bytes().map(u32::from).sum::<u32>();
        let own = json!({ "at": second * 1_000_000_000, "worker": worker, "pid": pid, "number": number });
        let fields = line.as_object_mut().expect("an entry");
        fields.extend(own.as_object().expect("an object").clone());
        serde_json::from_value(line).expect("a line")
    };
    Journal::from_lines(lines.iter().enumerate().map(line))
}

fn accepted(job: &str) -> Value {
    json!({ "what": "accepted", "job": job })
}

fn start(job: &str) -> Value {
    json!({ "what": "start", "job": job })
}

fn effect(job: &str) -> Value {
    json!({ "what": "effect", "key": job })
}

fn note(name: &str, fields: Value) -> Value {
    json!({ "what": "note", "name": name, "fields": fields })
}

fn of(name: &str, job: &str) -> Value {
    note(name, json!({ "job": job }))
}

/// The worker `a` is killed.
fn killed() -> Value {
    json!({ "what": "ended", "of": "a", "process": 97, "how": "signal: 9 (SIGKILL)" })
}

/// Jobs, and how often each was done or tried.
fn rows<N: Copy>(jobs: &[(&str, N)]) -> Vec<(String, N)> {
    jobs.iter().map(|(id, times)| ((*id).to_owned(), *times)).collect()
}

/// Without its line number `without`.
fn but(lines: &[(u64, &'static str, Value)], without: usize) -> Journal {
    let mut lines = lines.to_vec();
    lines.remove(without);
    journal(&lines)
}

/// IN-01: a job that is neither done nor dead is found, and one that is without having been accepted, and so is a
/// journal in which nothing was accepted.
#[test]
fn of_losses() {
    let both = journal(&[(1, "test", accepted("1")), (1, "test", accepted("2"))]);
    assert_eq!(judges::none_lost(&both, &rows(&[("1", 1)]), &rows(&[("2", 5)])), 2);
    assert_eq!(judges::none_lost(&both, &rows(&[("1", 1), ("2", 3)]), &[]), 2);
    for (done, dead) in [
        (rows(&[("1", 1)]), rows(&[])),
        (rows(&[]), rows(&[("2", 5)])),
        (rows(&[("1", 1), ("2", 1), ("3", 1)]), rows(&[])),
        (rows(&[("1", 1), ("2", 1)]), rows(&[("3", 1)])),
    ] {
        assert!(is_against(|| judges::none_lost(&both, &done, &dead)), "{done:?} {dead:?}");
    }
    assert!(is_against(|| judges::none_lost(&journal(&[]), &[], &[])));
}

/// IN-17, DR-14, RG-12: an effect that is there twice is found, and so is that there is none; effects are counted as
/// they are written down.
#[test]
fn of_effects() {
    let twice = journal(&[(1, "a", effect("1")), (2, "b", effect("2")), (3, "b", effect("1"))]);
    assert_eq!(judges::effects(&twice), rows(&[("1", 2), ("2", 1)]));
    assert!(is_against(|| judges::each_once(&judges::effects(&twice))));
    assert_eq!(judges::each_once(&rows(&[("1", 1), ("2", 1)])), 2);
    assert!(is_against(|| judges::each_once(&[])));
}

/// DR-13, IN-06: a call that was dropped or has panicked, or a job that was started twice, is found.
#[test]
fn of_starts() {
    let once = [(1, "a", start("1")), (1, "a", start("2"))];
    assert_eq!(judges::one_start_each(&journal(&once)), 2);
    assert_eq!(judges::starts(&journal(&once)), 2);
    for wrong in [start("1"), of("dropped", "1"), of("panicked", "2")] {
        let mut lines = once.to_vec();
        lines.push((2, "b", wrong));
        assert!(is_against(|| judges::one_start_each(&journal(&lines))), "{lines:?}");
    }
    assert!(is_against(|| judges::one_start_each(&journal(&[]))));
}

/// DR-11: how long it took from the kill on is what was written, and how many deliveries that were; a job that was
/// never tried again is found, one that was taken while its visibility went on, a process that had nothing to do, and
/// that none was killed.
#[test]
fn of_what_was_killed() {
    let good = [
        (1, "a", attempt("done", 1, 0)),
        (2, "a", of("did", "done")),
        (10, "a", attempt("1", 1, 0)),
        (11, "test", killed()),
        (14, "b", attempt("1", 2, 1)),
    ];
    let again = |journal: &Journal| judges::tried_again(journal, seconds(4));
    assert_eq!(again(&journal(&good)), [(seconds(3), 1)]);
    assert!(is_against(|| judges::tried_again(&journal(&good), seconds(5))), "before its visibility was over");
    for (without, why) in [(1, "`done` is not tried again"), (2, "it had nothing"), (3, "no kill"), (4, "not again")] {
        assert!(is_against(|| again(&but(&good, without))), "{why}");
    }
    let mut itself = good.to_vec();
    itself[4].1 = "a";
    assert!(is_against(|| again(&journal(&itself))), "the dead do nothing");
    let mut hidden = good.to_vec();
    hidden[4] = (18, "b", attempt("1", 3, 2));
    assert_eq!(again(&journal(&hidden)), [(seconds(7), 2)]);
}

/// DR-11: a job that took longer than the bound for each of its deliveries is found, one that was delivered again under
/// the same number, and that there is none that took one delivery.
#[test]
fn of_deliveries() {
    let three = seconds(3);
    assert_eq!(judges::each_within(&[(seconds(2), 1), (seconds(3), 1), (seconds(6), 2)], three), three);
    for wrong in [&[(seconds(3), 1), (seconds(4), 1)][..], &[(seconds(3), 1), (seconds(7), 2)], &[(seconds(6), 2)], &[]]
    {
        assert!(is_against(|| judges::each_within(wrong, three)), "{wrong:?}");
    }
    assert!(is_against(|| judges::each_within(&[(three, 1), (seconds(1), 0)], three)));
}

/// DR-11, DR-12: a time that is longer than the bound is found, and that there is none.
#[test]
fn of_bounds() {
    assert_eq!(judges::within(&[seconds(1), seconds(3), seconds(2)], seconds(3)), seconds(3));
    assert!(is_against(|| judges::within(&[seconds(1), seconds(4)], seconds(3))));
    assert!(is_against(|| judges::within(&[], seconds(3))));
}

/// DR-12: the time is counted from its going on; a call that was not dropped, was not told, or has had its effect all
/// the same, is found, and so is a worker that had nothing to do.
#[test]
fn of_who_was_stopped() {
    let good = [
        (1, "a", start("0")),
        (2, "a", of("did", "0")),
        (3, "a", start("1")),
        (4, "test", note("stopped", json!({}))),
        (6, "b", start("1")),
        (7, "test", note("continued", json!({}))),
        (8, "a", of("dropped", "1")),
        (9, "a", note("lost", json!({ "id": "1" }))),
    ];
    let judged = |journal: &Journal| judges::dropped_after_it_was_stopped(journal, "a");
    assert_eq!(judged(&journal(&good)), (1, seconds(1)));
    for without in [1, 2, 3, 5, 6, 7] {
        assert!(is_against(|| judged(&but(&good, without))), "without {:?}", good[without]);
    }
    let mut both = good.to_vec();
    both.push((10, "a", of("did", "1")));
    assert!(is_against(|| judged(&journal(&both))));
}

fn attempt(job: &str, attempt: u64, abandoned: u64) -> Value {
    note("try", json!({ "job": job, "attempt": attempt, "abandoned": abandoned }))
}

/// DR-16, IN-04: poison that was started once more or once less, that is not dead, an innocent that is, and that there
/// was no poison, are found; how often innocents were abandoned is what is written.
#[test]
fn of_poison() {
    let good = [
        (1, "test", accepted("poison-0")),
        (1, "test", accepted("good-0")),
        (2, "a", start("poison-0")),
        (2, "a", attempt("poison-0", 1, 0)),
        (2, "a", start("good-0")),
        (2, "a", attempt("good-0", 1, 0)),
        (4, "b", start("poison-0")),
        (4, "b", attempt("poison-0", 2, 5)),
        (4, "b", start("good-0")),
        (4, "b", attempt("good-0", 2, 1)),
    ];
    let all = journal(&good);
    let judged = |journal: &Journal, dead: &[(String, u32)], most| judges::poison_alone_is_dead(journal, dead, most);
    assert_eq!(judged(&all, &rows(&[("poison-0", 2)]), 2), 1);
    assert!(is_against(|| judged(&all, &rows(&[("poison-0", 2)]), 3)));
    assert!(is_against(|| judged(&all, &rows(&[("poison-0", 3)]), 3)), "it says so, and was started twice");
    assert!(is_against(|| judged(&but(&good, 2), &rows(&[("poison-0", 2)]), 2)));
    assert!(is_against(|| judged(&all, &rows(&[]), 2)));
    assert!(is_against(|| judged(&all, &rows(&[("poison-0", 2), ("good-0", 2)]), 2)));
    assert!(is_against(|| judged(&but(&good, 0), &rows(&[]), 2)));
}

/// DR-17: an attempt that was spent is found, and that nothing was tried; a wait is from the acceptance to the first
/// start, and a job that was never started is found.
#[test]
fn of_a_deployment() {
    let tries = [(1, "a", attempt("1", 1, 0)), (1, "a", attempt("2", 1, 0))];
    assert_eq!(judges::no_attempt_spent(&journal(&tries)), 2);
    let mut spent = tries.to_vec();
    spent.push((2, "b", attempt("2", 2, 0)));
    assert!(is_against(|| judges::no_attempt_spent(&journal(&spent))));
    assert!(is_against(|| judges::no_attempt_spent(&journal(&[]))));

    let waits = [
        (1, "test", accepted("1")),
        (1, "test", accepted("2")),
        (2, "a", start("2")),
        (6, "a", start("1")),
        (9, "b", start("1")),
    ];
    assert_eq!(judges::waits(&journal(&waits)), [seconds(1), seconds(5)]);
    assert!(is_against(|| judges::waits(&but(&waits, 2))));
    assert!(is_against(|| judges::waits(&journal(&[]))));
    let hundred: Vec<Duration> = (1..=100).map(seconds).collect();
    assert_eq!(judges::p99(&hundred), seconds(99));
    assert_eq!(judges::p99(&hundred[..1]), seconds(1));
    assert!(is_against(|| judges::p99(&[])));
}

/// DR-14: an error of somebody whom nobody has disturbed since it asked before is found, a second one after one
/// disturbance, and that nobody was disturbed.
#[test]
fn of_errors() {
    let (asking, unknown) = (|| note("asking", json!({})), || note("unknown", json!({})));
    let ends = [(5, "test", note("terminating", json!({}))), (6, "test", note("terminated", json!({})))];
    let with = |answers: &[(u64, Value)]| {
        let mut lines = ends.to_vec();
        lines.extend(answers.iter().map(|(at, answer)| (*at, "test", answer.clone())));
        journal(&lines)
    };
    assert_eq!(judges::only_in_the_middle(&journal(&ends)), 0);
    for (asked, told) in [(4, 5), (4, 9), (5, 6), (6, 8)] {
        let answers = with(&[(asked, asking()), (asked, accepted("1")), (told, asking()), (told, unknown())]);
        assert_eq!(judges::only_in_the_middle(&answers), 1, "{asked} to {told}");
    }
    let answered_late = with(&[(5, asking()), (8, accepted("1")), (8, asking()), (9, unknown()), (10, accepted("2"))]);
    assert_eq!(judges::only_in_the_middle(&answered_late), 1);
    for wrong in [
        &[(2, asking()), (3, accepted("1")), (3, asking()), (4, unknown())][..],
        &[(3, asking()), (3, accepted("1")), (7, asking()), (7, accepted("2")), (8, asking()), (9, unknown())],
        &[(3, asking()), (3, accepted("1")), (4, asking()), (7, unknown()), (8, asking()), (9, unknown())],
    ] {
        assert!(is_against(|| judges::only_in_the_middle(&with(wrong))), "{wrong:?}");
    }
    assert!(is_against(|| judges::only_in_the_middle(&journal(&[(8, "test", unknown())]))));
}

/// DR-15: deliveries are counted while the backend is away, and those that failed of all; that there was none is found.
#[test]
fn of_a_backend() {
    let lines = [
        (1, "test", note("away", json!({}))),
        (2, "a", of("delivered", "1")),
        (3, "a", of("delivered", "2")),
        (5, "test", note("back", json!({}))),
        (6, "a", of("delivered", "1")),
        (6, "a", effect("1")),
    ];
    assert_eq!(judges::deliveries_while_away(&journal(&lines)), (2, 2));
    for without in [0, 3] {
        assert!(is_against(|| judges::deliveries_while_away(&but(&lines, without))));
    }
    assert!(is_against(|| judges::deliveries_while_away(&journal(&[lines[0].clone(), lines[3].clone()]))));
}

/// DR-11: a row that failed, or that could not be run, does not pass for one that held.
#[test]
fn of_rows() {
    let row = |verdict| {
        let [what, measured, bound] = ["nothing", "0", "1"].map(str::to_owned);
        Row { drill: "DR-0", what, measured, bound, verdict }
    };
    row(Verdict::Held).assert_held();
    for verdict in [Verdict::Failed("why".to_owned()), Verdict::NotHere("there is none")] {
        let shown = row(verdict.clone()).to_string();
        assert!(shown.contains("FAILED: why") || shown.contains("not run: there is none"), "{shown}");
        assert!(is_against(|| row(verdict).assert_held()));
    }
}
