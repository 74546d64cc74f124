//! The judges of the drills of leadership find what they are there for, in journals that say so, and fail when there is
//! nothing to look at.

use std::panic::catch_unwind;
use std::time::Duration;

use seaworthy_drills::leader::judges::{self, Accepted};
use seaworthy_drills::leader::row::Row;
use seaworthy_drills::verdict::Verdict;
use seaworthy_faults::journal::Journal;
use serde_json::{Value, json};

/// What the judge says against it; none if it holds.
fn against<T>(judge: impl FnOnce() -> T + std::panic::UnwindSafe) -> Option<String> {
    let panic = catch_unwind(judge).err()?;
    Some(
        panic
            .downcast::<String>()
            .map_or_else(|other| (*other.downcast::<&str>().expect("a text")).to_owned(), |text| *text),
    )
}

fn seconds(of: u64) -> Duration {
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

fn note(name: &str) -> Value {
    json!({ "what": "note", "name": name })
}

fn begin() -> Value {
    json!({ "what": "begin", "name": "leads" })
}

fn end() -> Value {
    json!({ "what": "end", "name": "leads" })
}

fn tick(of: u64) -> Value {
    json!({ "what": "effect", "key": format!("tick {of}") })
}

/// RG-8: a write of an older epoch after one of a newer is found in each row, and so is a row in which there was nothing
/// to compare.
#[test]
fn of_epochs() {
    let accepted = |row: &str, epochs: &[i64]| -> Vec<Accepted> {
        let write = |(data, epoch): (i64, &i64)| Accepted { row: row.to_owned(), data, epoch: *epoch };
        (1..).zip(epochs).map(write).collect()
    };
    let rows = ["guarded", "fenced", "cron"];
    let of = |wrong: &str, epochs: &[i64]| -> Vec<Accepted> {
        rows.iter().flat_map(|row| accepted(row, if *row == wrong { epochs } else { &[1, 1, 2, 5] })).collect()
    };
    assert_eq!(judges::epochs_never_decrease(&of("", &[])), 12);
    for row in rows {
        let found = against(|| judges::epochs_never_decrease(&of(row, &[1, 2, 1, 2])));
        assert_eq!(found, Some(format!("{row}: epoch 1 after 2")));
        let found = against(|| judges::epochs_never_decrease(&of(row, &[3, 3])));
        assert_eq!(found, Some(format!("{row} was written to in 1 epochs")));
        let found = against(|| judges::epochs_never_decrease(&of(row, &[])));
        assert_eq!(found, Some(format!("{row} was written to in 0 epochs")));
    }
}

/// RG-8: a tick that two have made is found, and so is a cron that never ticked.
#[test]
fn of_ticks() {
    assert_eq!(judges::no_tick_twice(&journal(&[(1, "a", tick(1)), (2, "b", tick(2))])), 2);
    let twice = journal(&[(1, "a", tick(1)), (2, "b", tick(2)), (3, "b", tick(1))]);
    assert_eq!(against(|| judges::no_tick_twice(&twice)), Some("tick 1 twice, the second time by b".to_owned()));
    assert!(against(|| judges::no_tick_twice(&journal(&[(1, "a", note("leads"))]))).is_some());
}

/// DR-7, DR-8: no takeover, a second one, and one by the old leader are found.
#[test]
fn of_takeovers() {
    let all = journal(&[(1, "a", note("leads")), (3, "b", note("leads")), (6, "c", note("leads"))]);
    assert_eq!(judges::one_takeover(&all, seconds(1), seconds(5), "a").worker, "b");
    for (from, to, old) in [(seconds(1), seconds(9), "a"), (seconds(3), seconds(5), "a"), (seconds(1), seconds(5), "b")]
    {
        assert!(
            against(|| judges::one_takeover(&all, from, to, old).worker.clone()).is_some(),
            "{from:?} {to:?} {old}"
        );
    }
    judges::within(&[seconds(1), seconds(5)], seconds(5));
    assert!(against(|| judges::within(&[seconds(1), seconds(6)], seconds(5))).is_some());
    assert!(against(|| judges::within(&[], seconds(5))).is_some());
}

/// IN-16: two that lead at once are found, and so is one that was killed only after another had begun.
#[test]
fn of_overlaps() {
    let killed = |at| (at, "test", json!({ "what": "ended", "of": "a", "process": 97, "how": "signal: 9 (SIGKILL)" }));
    let one_by_one = journal(&[(1, "a", begin()), (2, "a", end()), (3, "b", begin()), (4, "b", end())]);
    assert_eq!(one_by_one.no_overlap("leads"), 2);
    assert_eq!(journal(&[(1, "a", begin()), killed(2), (3, "b", begin()), (4, "b", end())]).no_overlap("leads"), 2);
    for wrong in [
        journal(&[(1, "a", begin()), (3, "b", begin()), (4, "a", end()), (5, "b", end())]),
        journal(&[(1, "a", begin()), (3, "b", begin()), killed(4), (5, "b", end())]),
        journal(&[(1, "a", note("leads"))]),
    ] {
        assert!(against(|| wrong.no_overlap("leads")).is_some());
    }
}

/// DR-9: somebody who leads on, or begins to, while the store is away is found, whether it ends before the store is back
/// or not, and so is a journal in which nobody ever led.
#[test]
fn of_a_store_that_is_away() {
    let nobody = |journal: &Journal| judges::nobody_leads(journal, seconds(4), seconds(9));
    nobody(&journal(&[(1, "a", begin()), (3, "a", end()), (10, "b", begin())]));
    for wrong in [
        journal(&[(1, "a", begin()), (5, "a", end())]),
        journal(&[(1, "a", begin())]),
        journal(&[(1, "a", begin()), (3, "a", end()), (5, "b", begin()), (6, "b", end())]),
        journal(&[(10, "b", begin())]),
    ] {
        assert!(against(|| nobody(&wrong)).is_some(), "{wrong:?}");
    }
}

/// DR-10: work that was dropped before it had finished, a name that was given back before, a process that ended
/// otherwise, and another that led too early, are found.
#[test]
fn of_an_end_in_order() {
    let good = [
        (1, "a", begin()),
        (3, "a", note("finished")),
        (4, "a", end()),
        (5, "a", note("released")),
        (6, "a", note("closed")),
        (7, "b", note("leads")),
    ];
    judges::ended_in_order(&journal(&good), "a", seconds(2));
    for missing in 1..good.len() {
        let mut lines = good.to_vec();
        lines.remove(missing);
        assert!(against(|| judges::ended_in_order(&journal(&lines), "a", seconds(2))).is_some(), "{missing}");
    }
    for (line, at) in [(1, 8), (2, 8), (3, 3), (5, 3)] {
        let mut lines = good.to_vec();
        lines[line].0 = at;
        assert!(against(|| judges::ended_in_order(&journal(&lines), "a", seconds(2))).is_some(), "{line} at {at}");
    }
}

/// DR-8: a leader that was told too late, or whose work was there for too long, or which was never told, is found.
#[test]
fn of_who_was_cut_off() {
    let told_at = |told: u64, over: u64| journal(&[(1, "a", begin()), (told, "a", note("told")), (over, "a", end())]);
    let judged = |journal: &Journal| judges::told_and_over(journal, "a", seconds(2), seconds(11), seconds(14));
    judged(&told_at(13, 16));
    assert!(against(|| judged(&told_at(14, 16))).is_some());
    assert!(against(|| judged(&told_at(13, 17))).is_some());
    assert!(against(|| judged(&journal(&[(1, "a", begin()), (16, "a", end())]))).is_some());
    assert!(against(|| judged(&journal(&[(1, "a", begin()), (13, "a", note("told"))]))).is_some());
}

/// DR-6: a row that failed, or that could not be run, does not pass for one that held, and the middle takeover is one
/// that there was.
#[test]
fn of_rows() {
    let row = |verdict| Row {
        drill: "DR-0",
        what: "nothing".to_owned(),
        times: 3,
        takeovers: vec![seconds(3), seconds(1), seconds(2)],
        bound: seconds(5),
        refused: 0,
        verdict,
    };
    row(Verdict::Held).assert_held();
    assert_eq!(row(Verdict::Held).min_p50_max(), Some((seconds(1), seconds(2), seconds(3))));
    for verdict in [Verdict::Failed("why".to_owned()), Verdict::NotHere("there is none")] {
        let shown = format!("{}", row(verdict.clone()));
        assert!(shown.contains("FAILED: why") || shown.contains("not run: there is none"), "{shown}");
        assert!(against(|| row(verdict).assert_held()).is_some());
    }
}

/// DR-6: a store that gives no answer is not held against a takeover, for as long as it gave none, and no longer.
#[test]
fn of_the_store() {
    let journal = journal(&[
        (1, "a", note("store_down")),
        (3, "b", note("store_down")),
        (5, "a", note("store_up")),
        (6, "b", note("store_up")),
        (7, "b", note("store_down")),
        (8, "c", note("elected")),
    ]);
    let away = |from, to, but| judges::store_was_away(&journal, seconds(from), seconds(to), but);
    assert_eq!(away(2, 9, "c"), seconds(5), "of b, the second time to the end");
    assert_eq!(away(2, 9, "b"), seconds(3), "of a, from the beginning on");
    assert_eq!(away(2, 4, "b"), seconds(2));
    assert_eq!(away(6, 7, "a"), Duration::ZERO);
    assert_eq!(judges::store_was_away(&Journal::from_lines([]), seconds(0), seconds(9), "a"), Duration::ZERO);
}
