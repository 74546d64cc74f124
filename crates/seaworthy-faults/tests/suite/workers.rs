//! Workers: their journals, their signals, their deaths.

use std::os::unix::process::ExitStatusExt;
use std::time::Duration;
use std::{fs, thread};

use seaworthy_faults::clock;
use seaworthy_faults::journal::{Entry, Journal, Writer};
use seaworthy_faults::points::Points;
use seaworthy_faults::worker::{Journals, Worker};

use crate::support::why;

const WORKER: &str = env!("CARGO_BIN_EXE_fault-worker");
const SOON: Duration = Duration::from_secs(20);

fn ticks(journals: &Journals) -> usize {
    journals.read().count(|entry| entry.is_note("tick"))
}

fn names(journal: &Journal, worker: &str) -> Vec<String> {
    let name = |entry: &Entry| match entry {
        Entry::Note { name, .. } => name.clone(),
        Entry::Dying { point } => format!("dying at {point}"),
        other => format!("{other:?}"),
    };
    journal.of(worker).map(|line| name(&line.entry)).collect()
}

/// FK-07: a worker does what its arguments say, and writes a line for each thing it does, with the machine's time.
#[test]
fn a_worker_works_and_ends() {
    let journals = Journals::new();
    let before = clock::now();
    let worker = Worker::spawn(WORKER, "a", ["three-points"], &journals);
    worker.wait_ok(SOON);
    let after = clock::now();
    assert!(!worker.is_running());
    assert_eq!(worker.output(), "all of them\n");
    let journal = journals.read();
    assert_eq!(names(&journal, "a"), ["first", "second", "third", "first", "second", "third"]);
    assert!(journal.of("a").all(|line| line.pid == worker.pid() && before < line.at() && line.at() < after));
    assert!(journal.of("a").is_sorted_by_key(|line| line.at()));
    assert_eq!(journal.of("a").filter_map(|line| line.entry.field("round")?.as_u64()).sum::<u64>(), 3);
    let ended = journal.lines().last().expect("there are lines");
    assert!(
        matches!(&ended.entry, Entry::Ended { of, process, how }
        if of == "a" && *process == worker.pid() && how == "exit status: 0"),
        "{ended:?}"
    );
}

/// FK-07: at the point that it was told of it aborts, at the first time or a later one, and nowhere else.
#[test]
fn a_worker_dies_at_its_point() {
    let journals = Journals::new();
    let cases: [(&str, &[&str]); 3] = [
        ("--die-at=first", &["first", "dying at first"]),
        ("--die-at=third", &["first", "second", "third", "dying at third"]),
        ("--die-at=second:2", &["first", "second", "third", "first", "second", "dying at second"]),
    ];
    for (number, (arg, story)) in cases.into_iter().enumerate() {
        let name = format!("w{number}");
        let worker = Worker::spawn(WORKER, &name, ["three-points", arg], &journals);
        worker.wait_aborted(SOON);
        assert_eq!(worker.output(), "");
        assert_eq!(names(&journals.read(), &name), story);
    }
    // A point that it does not pass kills nobody, and the test says so.
    let other = Worker::spawn(WORKER, "other", ["three-points", "--die-at=thrid"], &journals);
    other.wait_ok(SOON);
    assert!(why(|| other.wait_aborted(SOON)).contains("did not come to its point"));
    assert!(why(|| Points::from(["--die-at=a", "--die-at=b"])).contains("there are two"));
    assert!(why(|| Points::from(["--die-at=a:0"])).contains("from 1 on"));
}

/// FK-07: killed with -9 it is gone when the call returns; what it wrote until then is whole, and the end is noted.
#[test]
fn a_worker_is_killed() {
    let journals = Journals::new();
    let workers: Vec<Worker> = (0..4).map(|n| Worker::spawn(WORKER, &format!("w{n}"), ["tick"], &journals)).collect();
    for worker in &workers {
        journals.wait_for(SOON, |line| line.worker == worker.name() && line.entry.is_note("tick"));
    }
    for worker in &workers {
        assert!(worker.is_running());
        assert_eq!(worker.kill9().signal(), Some(9));
        assert_eq!(worker.kill9().signal(), Some(9), "once is enough");
        assert!(!std::path::Path::new(&format!("/proc/{}", worker.pid())).exists());
    }
    let at_death = ticks(&journals);
    thread::sleep(Duration::from_millis(20));
    assert_eq!(ticks(&journals), at_death);
    let journal = journals.read();
    assert_eq!(journal.count(|entry| matches!(entry, Entry::Ended { how, .. } if how.contains("SIGKILL"))), 4);
    // They ticked at the same time, which the judge sees, and one alone did not.
    assert!(why(|| journal.no_overlap("ticking")).contains("w0"));
    let others = ["w1", "w2", "w3"];
    let one = journal.lines().iter().filter(|line| !others.contains(&line.worker.as_str()));
    let alone = Journal::from_lines(one.cloned());
    assert_eq!(alone.no_overlap("ticking"), 1);
}

/// FK-07: one that is killed and one that follows it do not overlap, however soon that is.
#[test]
fn a_successor_does_not_overlap() {
    let journals = Journals::new();
    for number in 0..5 {
        let worker = Worker::spawn(WORKER, &format!("w{number}"), ["tick"], &journals);
        journals.wait_for(SOON, |line| line.worker == worker.name());
        worker.kill9();
    }
    assert_eq!(journals.read().no_overlap("ticking"), 5);
}

/// FK-07: stopped, it does nothing; continued, it goes on; asked to end, it ends.
#[test]
fn a_worker_is_stopped_continued_and_ended() {
    let journals = Journals::new();
    let worker = Worker::spawn(WORKER, "a", ["tick"], &journals);
    journals.wait_for(SOON, |line| line.entry.is_note("tick"));
    worker.stop();
    let stopped = ticks(&journals);
    thread::sleep(Duration::from_millis(50));
    assert_eq!(ticks(&journals), stopped);
    assert!(worker.is_running());
    worker.cont();
    let stopped_until = clock::now();
    journals.wait_for(SOON, |line| line.at() > stopped_until && line.entry.is_note("tick"));
    worker.term();
    assert_eq!(worker.wait(SOON).signal(), Some(15));
    // Stopped ones can be killed, too.
    let other = Worker::spawn(WORKER, "b", ["tick"], &journals);
    other.stop();
    assert_eq!(other.kill9().signal(), Some(9));
}

/// FK-07: what does not end in time, ends badly, or is not there, fails with what it said.
#[test]
fn what_goes_wrong_is_said() {
    let journals = Journals::new();
    let worker = Worker::spawn(WORKER, "a", ["nonsense"], &journals);
    assert!(why(|| worker.wait_ok(SOON)).contains("what is `nonsense`?"));
    let slow = Worker::spawn(WORKER, "b", ["tick"], &journals);
    assert!(why(|| slow.wait(Duration::from_millis(10))).contains("b has not ended within 10ms"));
    let limit = Duration::from_millis(10);
    assert!(why(|| journals.wait_for(limit, |line| line.worker == "c")).contains("no such line"));
    assert!(why(|| Worker::spawn("/nowhere/worker", "c", ["tick"], &journals)).contains("/nowhere/worker"));
}

/// FK-08: all journals of a directory, merged by time; a last line that a death cut short is left out, and no other.
#[test]
fn journals_are_merged_by_time() {
    let journals = Journals::new();
    let a = Writer::open(&journals.directory().join("a.jsonl"), "a");
    let b = Writer::open(&journals.directory().join("b.jsonl"), "b");
    for number in 0..50 {
        a.write(Entry::note("from-a").with("number", number));
        b.write(Entry::note("from-b").with("number", number));
    }
    journals.write(Entry::note("from-the-test"));
    let journal = journals.read();
    let story: Vec<&str> = journal.lines().iter().map(|line| line.worker.as_str()).collect();
    assert_eq!(story.len(), 101);
    assert!(story.chunks(2).take(50).all(|two| two == ["a", "b"]), "{story:?}");
    assert_eq!(journal.notes("from-a").count(), 50);

    let path = journals.directory().join("a.jsonl");
    let whole = fs::read_to_string(&path).expect("it can be read");
    let torn = format!("{whole}{{\"at\":17,\"wor");
    fs::write(&path, &torn).expect("it can be written");
    assert_eq!(journals.read().lines().len(), 101);
    fs::write(&path, format!("{torn}\n{whole}")).expect("it can be written");
    let error = Journal::read(journals.directory()).expect_err("it is broken in the middle");
    assert!(error.to_string().contains("a.jsonl: line 51"), "{error}");
}
