//! What must be true of the journals of a drill, and of the rows that its jobs have left.
//!
//! Each judge panics with what it found, also when there was nothing to look at.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use seaworthy_faults::journal::{Entry, Journal, Line};

fn ids(journal: &Journal, of: impl Fn(&Entry) -> Option<&String>) -> Vec<&str> {
    journal.lines().iter().filter_map(|line| of(&line.entry).map(String::as_str)).collect()
}

fn started(entry: &Entry) -> Option<&String> {
    if let Entry::Start { job } = entry { Some(job) } else { None }
}

fn job(line: &Line) -> &str {
    line.entry.field("job").and_then(|job| job.as_str()).unwrap_or_else(|| panic!("no job in {:?}", line.entry))
}

fn number(line: &Line, name: &str) -> u64 {
    let number = line.entry.field(name).and_then(|number| number.as_u64());
    number.unwrap_or_else(|| panic!("no {name} in {:?}", line.entry))
}

fn counted<'a>(ids: impl IntoIterator<Item = &'a str>) -> BTreeMap<&'a str, u64> {
    let mut counted = BTreeMap::new();
    for id in ids {
        *counted.entry(id).or_default() += 1;
    }
    counted
}

/// How often each job had its effect.
pub fn effects(journal: &Journal) -> Vec<(String, u64)> {
    let effects = ids(journal, |entry| if let Entry::Effect { key } = entry { Some(key) } else { None });
    counted(effects).into_iter().map(|(id, times)| (id.to_owned(), times)).collect()
}

/// How many starts there were of jobs.
pub fn starts(journal: &Journal) -> usize {
    ids(journal, started).len()
}

/// How many jobs were accepted. Each of them is done or dead, and none is that was not accepted.
///
/// # Panics
/// If one is lost, or comes from nowhere; if none was accepted.
pub fn none_lost(journal: &Journal, done: &[(String, u64)], dead: &[(String, u32)]) -> usize {
    let accepted = ids(journal, |entry| if let Entry::Accepted { job } = entry { Some(job) } else { None });
    let accepted: BTreeSet<&str> = accepted.into_iter().collect();
    assert!(!accepted.is_empty(), "no job was accepted");
    let ended = done.iter().map(|(id, _)| &**id).chain(dead.iter().map(|(id, _)| &**id));
    let ended: BTreeSet<&str> = ended.collect();
    let lost: Vec<_> = accepted.difference(&ended).collect();
    assert!(lost.is_empty(), "{} lost: {lost:?}", lost.len());
    let unknown: Vec<_> = ended.difference(&accepted).collect();
    assert!(unknown.is_empty(), "ended, and never accepted: {unknown:?}");
    accepted.len()
}

/// How many jobs have had their effect: each of them once.
///
/// # Panics
/// If one has had it more often, or none has.
pub fn each_once(done: &[(String, u64)]) -> usize {
    let repeated: Vec<_> = done.iter().filter(|(_, times)| *times != 1).collect();
    assert!(repeated.is_empty(), "more than once: {repeated:?}");
    assert!(!done.is_empty(), "nothing was done");
    done.len()
}

/// How many jobs had their one start: no call was dropped, panicked or was repeated.
///
/// # Panics
/// If one was, or no job was started.
pub fn one_start_each(journal: &Journal) -> usize {
    for name in ["dropped", "panicked"] {
        let calls: Vec<_> = journal.notes(name).map(job).collect();
        assert!(calls.is_empty(), "{name}: {calls:?}");
    }
    let starts = counted(ids(journal, started));
    let again: Vec<_> = starts.iter().filter(|(_, times)| **times != 1).collect();
    assert!(again.is_empty(), "started again: {again:?}");
    assert!(!starts.is_empty(), "no job was started");
    starts.len()
}

/// For each process that was killed, how long it took until each job that it was in the middle of was tried again by
/// another, and how many deliveries that took: more than one if a process had been handed the job and was killed before
/// it could begin.
///
/// # Panics
/// If one was not tried again, or before its visibility was over, less a tenth for what was read and written meanwhile;
/// if a process that was killed had nothing to do, or none was killed.
pub fn tried_again(journal: &Journal, visibility: Duration) -> Vec<(Duration, u32)> {
    let (mut kills, mut took) = (0, Vec::new());
    for kill in journal.lines() {
        let Entry::Ended { process, how, .. } = &kill.entry else { continue };
        if !how.contains("SIGKILL") {
            continue;
        }
        kills += 1;
        let in_the_middle = in_the_middle(journal, *process);
        assert!(!in_the_middle.is_empty(), "a process was killed that had nothing to do: {kill:?}");
        for (id, tried) in in_the_middle {
            let is_it = |line: &&Line| line.pid != *process && line.at() > tried.at() && job(line) == id;
            let again = journal.notes("try").find(is_it).unwrap_or_else(|| panic!("{id} was not tried again"));
            let lease = again.at() - tried.at();
            assert!(lease >= visibility * 9 / 10, "{id} was taken from who had it after {lease:?}");
            let deliveries = number(again, "attempt").saturating_sub(number(tried, "attempt"));
            let deliveries = u32::try_from(deliveries).expect("a drill's attempts are few");
            took.push((again.at().saturating_sub(kill.at()), deliveries));
        }
    }
    assert!(kills > 0, "nobody was killed");
    took
}

/// What a process had begun and never ended.
fn in_the_middle(journal: &Journal, process: u32) -> BTreeMap<&str, &Line> {
    let mut open = BTreeMap::new();
    for line in journal.lines().iter().filter(|line| line.pid == process) {
        if line.entry.is_note("try") {
            open.insert(job(line), line);
        } else if ["did", "failed", "dropped", "panicked"].iter().any(|name| line.entry.is_note(name)) {
            open.remove(job(line));
        }
    }
    open
}

/// The longest of those that took one delivery. Each is within the bound for each delivery that it took.
///
/// # Panics
/// If one is not, or took no delivery, or none took a single one.
pub fn each_within(took: &[(Duration, u32)], bound: Duration) -> Duration {
    for (took, deliveries) in took {
        assert!(*took <= bound * *deliveries, "{took:?} for {deliveries} deliveries is longer than {bound:?} for each");
    }
    let single: Vec<Duration> = took.iter().filter(|(_, deliveries)| *deliveries == 1).map(|(took, _)| *took).collect();
    within(&single, bound)
}

/// The longest of these, which are all within the bound.
///
/// # Panics
/// If one is not, or there is none.
pub fn within(took: &[Duration], bound: Duration) -> Duration {
    let longest = *took.iter().max().expect("there is something to look at");
    assert!(longest <= bound, "{longest:?} is longer than {bound:?}: {took:?}");
    longest
}

/// How many calls a worker that was stopped had begun before, and the longest time that one of them was there after it
/// had been `continued`: each was dropped, told as lost, and had no effect.
///
/// # Panics
/// If one was not dropped, or had its effect nevertheless; if its loss was not told; if it had begun none.
pub fn dropped_after_it_was_stopped(journal: &Journal, worker: &str) -> (usize, Duration) {
    let at = |name: &str| {
        let note = journal.notes(name).next().unwrap_or_else(|| panic!("nobody was {name}"));
        note.at()
    };
    let (stopped, continued) = (at("stopped"), at("continued"));
    let mut had = BTreeSet::new();
    for line in journal.of(worker).filter(|line| line.at() < stopped) {
        if let Some(id) = started(&line.entry) {
            had.insert(id.as_str());
        } else if line.entry.is_note("did") {
            had.remove(job(line));
        }
    }
    assert!(!had.is_empty(), "{worker} had nothing to do when it was stopped");
    let mut longest = Duration::ZERO;
    for id in &had {
        let find = |name: &str, field: &str| {
            let of = |line: &&Line| line.entry.is_note(name) && line.entry.field(field).is_some_and(|of| of == id);
            journal.of(worker).filter(|line| line.at() >= stopped).find(of).map(Line::at)
        };
        let dropped = find("dropped", "job").unwrap_or_else(|| panic!("{worker} has not dropped {id}"));
        assert!(find("lost", "id").is_some(), "{worker} was not told that it has lost {id}");
        assert!(find("did", "job").is_none(), "{worker} has done {id}, too");
        longest = longest.max(dropped.saturating_sub(continued));
    }
    (had.len(), longest)
}

/// All poison is dead after exactly so many starts, nothing else is dead, and the most often that something else was
/// abandoned.
///
/// # Panics
/// If it is otherwise, or there is no poison.
pub fn poison_alone_is_dead(journal: &Journal, dead: &[(String, u32)], deliveries: u32) -> u64 {
    let is_poison = |id: &str| id.starts_with("poison");
    let accepted = ids(journal, |entry| if let Entry::Accepted { job } = entry { Some(job) } else { None });
    let expected: BTreeMap<&str, u32> =
        accepted.into_iter().filter(|id| is_poison(id)).map(|id| (id, deliveries)).collect();
    assert!(!expected.is_empty(), "there was no poison");
    let dead: BTreeMap<&str, u32> = dead.iter().map(|(id, attempts)| (&**id, *attempts)).collect();
    assert_eq!(dead, expected, "the dead, and how often each was tried");
    let starts = counted(ids(journal, started));
    for id in expected.keys() {
        assert_eq!(starts.get(id), Some(&u64::from(deliveries)), "starts of {id}");
    }
    let innocents = journal.notes("try").filter(|line| !is_poison(job(line)));
    innocents.map(|line| number(line, "abandoned")).max().expect("there were others")
}

/// How many tries there were, each of them the first of its job.
///
/// # Panics
/// If one was not, or there was none.
pub fn no_attempt_spent(journal: &Journal) -> usize {
    let spent: Vec<_> = journal.notes("try").filter(|line| number(line, "attempt") != 1).map(job).collect();
    assert!(spent.is_empty(), "attempts were spent on {spent:?}");
    let tries = journal.notes("try").count();
    assert!(tries > 0, "nothing was tried");
    tries
}

/// From when each job was accepted to its first start, the shortest first.
///
/// # Panics
/// If one was never started, or none was accepted.
pub fn waits(journal: &Journal) -> Vec<Duration> {
    let mut first = BTreeMap::new();
    for line in journal.lines() {
        if let Some(id) = started(&line.entry) {
            first.entry(id.as_str()).or_insert(line.at());
        }
    }
    let mut waits = Vec::new();
    for line in journal.lines() {
        if let Entry::Accepted { job } = &line.entry {
            let start = first.get(job.as_str()).unwrap_or_else(|| panic!("{job} was never started"));
            // It may have been started before its producer was told.
            waits.push(start.saturating_sub(line.at()));
        }
    }
    assert!(!waits.is_empty(), "no job was accepted");
    waits.sort_unstable();
    waits
}

/// The wait that one in a hundred is longer than.
///
/// # Panics
/// If there is none.
pub fn p99(waits: &[Duration]) -> Duration {
    assert!(!waits.is_empty(), "nobody has waited");
    waits[(waits.len() * 99).div_ceil(100) - 1]
}

/// How many enqueuings had no answer: connections were being ended, from `terminating` to `terminated`, since the one
/// before it was asked for, whose connection may have ended behind its answer. If that one had no answer either, it was
/// since then: one that is repeated is not disturbed twice by the same.
///
/// # Panics
/// If there was an error without that, or nothing was ended.
pub fn only_in_the_middle(journal: &Journal) -> usize {
    let times = |name| journal.notes(name).map(Line::at).collect::<Vec<_>>();
    let ended: Vec<_> = times("terminating").into_iter().zip(times("terminated")).collect();
    assert!(!ended.is_empty(), "no connection was ended");
    let (mut asked, mut since, mut errors) = (Duration::ZERO, Duration::ZERO, 0);
    for line in journal.lines() {
        if line.entry.is_note("asking") {
            asked = line.at();
        } else if matches!(line.entry, Entry::Accepted { .. }) {
            since = asked;
        } else if line.entry.is_note("unknown") {
            let is_in = ended.iter().any(|(from, to)| since <= *to && line.at() >= *from);
            assert!(is_in, "nobody was disturbed after {since:?}, and there was no answer: {line:?}; {ended:?}");
            (since, errors) = (line.at(), errors + 1);
        }
    }
    errors
}

/// How many deliveries there were while the backend was away, and how many failed of all.
///
/// # Panics
/// If it was never away, or there was none.
pub fn deliveries_while_away(journal: &Journal) -> (usize, usize) {
    let at = |name: &str| journal.notes(name).next().unwrap_or_else(|| panic!("the backend never was {name}")).at();
    let (away, back) = (at("away"), at("back"));
    let meanwhile = |line: &&Line| (away..back).contains(&line.at());
    let deliveries = journal.notes("delivered").filter(meanwhile).count();
    assert!(deliveries > 0, "nobody has noticed that the backend was away");
    let effects = effects(journal).iter().map(|(_, times)| usize::try_from(*times).unwrap_or(usize::MAX)).sum();
    (deliveries, journal.notes("delivered").count().saturating_sub(effects))
}
