//! What the judges accept, and what each of them refuses.

use seaworthy_faults::journal::{Entry, Journal, Line};
use serde_json::json;

use crate::support::why;

/// `worker-pid at entry`
fn line(pid: u32, nanos: u64, entry: Entry) -> Line {
    let mut value = serde_json::to_value(entry).expect("it is plain data");
    let fields = value.as_object_mut().expect("an entry is an object");
    fields.insert("at".into(), json!(nanos));
    fields.insert("worker".into(), json!(format!("worker-{pid}")));
    fields.insert("pid".into(), json!(pid));
    fields.insert("number".into(), json!(nanos));
    serde_json::from_value(value).expect("it is a line")
}

fn journal(lines: impl IntoIterator<Item = (u32, u64, Entry)>) -> Journal {
    Journal::from_lines(lines.into_iter().map(|(pid, nanos, entry)| line(pid, nanos, entry)))
}

fn ended(process: u32) -> Entry {
    serde_json::from_value(json!({"what": "ended", "of": "a", "process": process, "how": "signal: 9"})).expect("it is")
}

fn dying() -> Entry {
    serde_json::from_value(json!({"what": "dying", "point": "after-claim"})).expect("it is an entry")
}

/// FK-08: one after the other, touching, is no overlap; and each interval is counted.
#[test]
fn one_after_the_other_is_no_overlap() {
    let turns = journal([
        (1, 10, Entry::begin("cron")),
        (2, 12, Entry::begin("other")),
        (1, 20, Entry::end("cron")),
        (2, 20, Entry::begin("cron")),
        (2, 30, Entry::end("cron")),
        (1, 40, Entry::begin("cron")),
    ]);
    assert_eq!(turns.no_overlap("cron"), 3);
    assert_eq!(turns.no_overlap("other"), 1);
}

/// FK-08: two at once are refused, whoever they are, and however long before the first began.
#[test]
fn two_at_once_are_an_overlap() {
    let two = journal([
        (1, 10, Entry::begin("cron")),
        (2, 19, Entry::begin("cron")),
        (1, 20, Entry::end("cron")),
        (2, 30, Entry::end("cron")),
    ]);
    let reason = why(|| two.no_overlap("cron"));
    assert!(reason.contains("worker-1 (1)") && reason.contains("worker-2 (2)"), "{reason}");

    // Within a long one, with a short one in between that has ended.
    let within = journal([
        (1, 10, Entry::begin("cron")),
        (2, 11, Entry::begin("cron")),
        (2, 12, Entry::end("cron")),
        (3, 50, Entry::begin("cron")),
        (1, 90, Entry::end("cron")),
    ]);
    assert_eq!(why(|| within.no_overlap("cron")).matches("worker-1 (1)").count(), 2);

    // One process, twice.
    let itself = journal([(1, 10, Entry::begin("cron")), (1, 11, Entry::begin("cron"))]);
    assert!(why(|| itself.no_overlap("cron")).starts_with("no_overlap(cron)"));
}

/// FK-08: what a process had begun ends when it dies, and not before; who says nothing goes on.
#[test]
fn what_had_begun_ends_with_its_process() {
    let after = journal([(1, 10, Entry::begin("cron")), (9, 20, ended(1)), (2, 21, Entry::begin("cron"))]);
    assert_eq!(after.no_overlap("cron"), 2);
    let before = journal([(1, 10, Entry::begin("cron")), (9, 20, ended(1)), (2, 19, Entry::begin("cron"))]);
    assert!(why(|| before.no_overlap("cron")).starts_with("no_overlap(cron)"));
    // It was killed at 20 and still did something at 25, before it was dead.
    let late = journal([
        (1, 10, Entry::begin("cron")),
        (9, 20, ended(1)),
        (1, 25, Entry::note("tick")),
        (2, 24, Entry::begin("cron")),
    ]);
    assert!(why(|| late.no_overlap("cron")).starts_with("no_overlap(cron)"));
    // It said that it was about to abort, and was found dead later.
    let aborted =
        journal([(1, 10, Entry::begin("cron")), (1, 20, dying()), (2, 21, Entry::begin("cron")), (9, 30, ended(1))]);
    assert_eq!(aborted.no_overlap("cron"), 2);
    // Stopped, not dead.
    let silent = journal([(1, 10, Entry::begin("cron")), (2, 1_000_000, Entry::begin("cron"))]);
    assert!(why(|| silent.no_overlap("cron")).starts_with("no_overlap(cron)"));
    assert!(why(|| journal([(1, 10, Entry::end("cron"))]).no_overlap("cron")).contains("had not begun"));
}

/// FK-08: an older epoch after a newer one is refused, for each resource apart.
#[test]
fn epochs_of_a_resource() {
    let write = |at, resource: &str, epoch| (1, at, Entry::fenced_write(resource, epoch));
    let good = [write(1, "a", 1), write(2, "a", 1), write(3, "b", 9), write(4, "a", 2), write(5, "b", 9)];
    assert_eq!(journal(good.clone()).epochs_never_decrease(), 5);
    let reason = why(|| journal(good.into_iter().chain([write(6, "a", 1)])).epochs_never_decrease());
    assert!(reason.contains("a: epoch 1 after 2, by worker-1"), "{reason}");
}

/// FK-08: an effect that is missing, repeated, or not expected is refused by its name.
#[test]
fn effects_happen_exactly_once() {
    let effects = |keys: &[&str]| {
        let at = 1..;
        journal(keys.iter().zip(at).map(|(key, at)| (1, at, Entry::effect(*key))))
    };
    assert_eq!(effects(&["a", "b"]).each_exactly_once(["b", "a"]), 2);
    assert!(why(|| effects(&["a"]).each_exactly_once(["a", "b"])).contains("never happened: b"));
    assert!(why(|| effects(&["a", "b", "a"]).each_exactly_once(["a", "b"])).contains("repeatedly: a (2 times)"));
    assert!(why(|| effects(&["a", "c"]).each_exactly_once(["a"])).contains("not expected: c"));
}

/// FK-08: a job that was started too often is refused.
#[test]
fn starts_of_a_job() {
    let starts = journal([(1, 1, Entry::start("a")), (2, 2, Entry::start("a")), (1, 3, Entry::start("b"))]);
    assert_eq!(starts.starts_per_job(2), 2);
    assert!(why(|| starts.starts_per_job(1)).contains("a (2 times)"));
}

/// FK-08: what was accepted is settled, dead or live; one that is none of these is lost.
#[test]
fn no_job_is_lost() {
    let all = [
        (1, 1, Entry::accepted("a")),
        (1, 2, Entry::accepted("b")),
        (1, 3, Entry::accepted("c")),
        (2, 4, Entry::settled("a")),
        (2, 5, Entry::dead("b")),
    ];
    assert_eq!(journal(all.clone()).none_lost(["c"]), 3);
    assert!(why(|| journal(all.clone()).none_lost(Vec::<String>::new())).contains("lost: c"));
    // The other way round nothing is asked: a producer that was killed may not have written what was accepted.
    assert_eq!(journal([all[0].clone(), all[3].clone(), all[4].clone()]).none_lost(["z"]), 1);
    // Many that are lost are counted, and some are named.
    let many = journal((0..50).map(|n| (1, n, Entry::accepted(format!("job-{n:02}")))));
    let reason = why(|| many.none_lost(Vec::<String>::new()));
    assert!(reason.contains("job-00") && reason.contains("and 30 more") && !reason.contains("job-49"), "{reason}");
}

/// FK-08: a judge that looked at nothing refuses.
#[test]
fn nothing_proves_nothing() {
    let other = journal([(1, 1, Entry::note("started")), (1, 2, Entry::begin("other"))]);
    for reason in [
        why(|| other.no_overlap("cron")),
        why(|| other.epochs_never_decrease()),
        why(|| other.each_exactly_once(Vec::<String>::new())),
        why(|| other.starts_per_job(1)),
        why(|| other.none_lost(["a"])),
    ] {
        assert!(reason.contains("looked at nothing"), "{reason}");
    }
}
