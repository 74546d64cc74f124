//! What must be true of the journals of candidates, and of what their place has accepted. Each judge fails when it
//! looked at nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use seaworthy_faults::journal::{Entry, Journal, Line};

pub use super::resource::Accepted;
use super::resource::{CRON, FENCED, GUARDED};
use super::work::LEADS;

/// From what is so to a line in a journal that says so, on a machine that has other things to do.
pub const SLACK: Duration = Duration::from_millis(250);

/// Fails if a row accepted a write of an older epoch after one of a newer, or one of the rows accepted none of a second
/// epoch, so that there was nothing to compare. Returns the number of writes.
///
/// # Panics
/// If it fails.
pub fn epochs_never_decrease(accepted: &[Accepted]) -> usize {
    let mut epochs: BTreeMap<&str, BTreeSet<i64>> = BTreeMap::new();
    for write in accepted {
        let epochs = epochs.entry(&write.row).or_default();
        let newest = epochs.last().copied().unwrap_or(write.epoch);
        assert!(write.epoch >= newest, "{}: epoch {} after {newest}", write.row, write.epoch);
        epochs.insert(write.epoch);
    }
    for row in [GUARDED, FENCED, CRON] {
        let found = epochs.get(row).map_or(0, BTreeSet::len);
        assert!(found > 1, "{row} was written to in {found} epochs");
    }
    accepted.len()
}

/// Fails if a tick of the cron was made twice, or none was made. Returns their number.
///
/// # Panics
/// If it fails.
pub fn no_tick_twice(journal: &Journal) -> usize {
    let mut ticks = BTreeSet::new();
    for line in journal.lines() {
        if let Entry::Effect { key } = &line.entry {
            assert!(ticks.insert(key), "{key} twice, the second time by {}", line.worker);
        }
    }
    assert!(!ticks.is_empty(), "there was no tick");
    ticks.len()
}

/// Fails unless exactly one term has begun after one instant and before another, and not by this worker. Returns it.
///
/// # Panics
/// If it fails.
pub fn one_takeover<'a>(journal: &'a Journal, from: Duration, to: Duration, old: &str) -> &'a Line {
    let begun = journal.notes("leads").filter(|line| line.at() > from && line.at() <= to);
    let begun: Vec<&Line> = begun.collect();
    let [one] = begun[..] else { panic!("{} terms have begun, and not one: {begun:?}", begun.len()) };
    assert_ne!(one.worker, old, "the old leader leads again");
    one
}

/// For how long, between two instants, the store gave none of its answers in time to one of the workers, but to this
/// one; of the worker for which that was longest.
#[must_use]
pub fn store_was_away(journal: &Journal, from: Duration, to: Duration, but: &str) -> Duration {
    let mut away: BTreeMap<&str, (Option<Duration>, Duration)> = BTreeMap::new();
    for line in journal.lines().iter().filter(|line| line.at() <= to && line.worker != but) {
        let (since, sum) = away.entry(&line.worker).or_default();
        if line.entry.is_note("store_down") {
            since.get_or_insert(line.at());
        } else if line.entry.is_note("store_up")
            && let Some(since) = since.take()
        {
            *sum += line.at().saturating_sub(since.max(from));
        }
    }
    let sums = away.values().map(|(since, sum)| *sum + since.map_or(Duration::ZERO, |since| to - since.max(from)));
    sums.max().unwrap_or_default()
}

/// Fails if a takeover took longer than its bound, or there was none.
///
/// # Panics
/// If it fails.
pub fn within(takeovers: &[Duration], bound: Duration) {
    assert!(!takeovers.is_empty(), "there was no takeover");
    let late: Vec<&Duration> = takeovers.iter().filter(|took| **took > bound).collect();
    assert!(late.is_empty(), "later than {bound:?}: {late:?}");
}

/// Fails if somebody led for a moment between these instants, or nobody had led before.
///
/// # Panics
/// If it fails.
pub fn nobody_leads(journal: &Journal, from: Duration, to: Duration) {
    let mut leading: BTreeSet<u32> = BTreeSet::new();
    let mut has_led = false;
    for line in journal.lines().iter().filter(|line| line.at() < to) {
        match &line.entry {
            Entry::Begin { name } if name == LEADS => {
                assert!(line.at() <= from, "{} began to lead at {:?}, after {from:?}", line.worker, line.at());
                has_led = true;
                leading.insert(line.pid);
            }
            Entry::End { name } if name == LEADS => {
                assert!(line.at() <= from, "{} led until {:?}, after {from:?}", line.worker, line.at());
                leading.remove(&line.pid);
            }
            Entry::Ended { process, .. } => drop(leading.remove(process)),
            _ => {}
        }
    }
    assert!(has_led, "nobody has ever led");
    assert!(leading.is_empty(), "processes {leading:?} still led at {to:?}");
}

/// Fails unless this worker, which was asked to end at an instant, has finished its work, then given the name back, and
/// only then another has led.
///
/// # Panics
/// If it fails.
pub fn ended_in_order(journal: &Journal, worker: &str, asked: Duration) {
    let own = |what: &str, is_it: &dyn Fn(&Entry) -> bool| {
        let line = journal.of(worker).find(|line| line.at() > asked && is_it(&line.entry));
        line.unwrap_or_else(|| panic!("{worker}: {what} is missing")).at()
    };
    let finished = own("the end of its work", &|entry| entry.is_note("finished"));
    let gone = own("the end of its future", &|entry| matches!(entry, Entry::End { name } if name == LEADS));
    let released = own("the release", &|entry| entry.is_note("released"));
    own("its own end", &|entry| entry.is_note("closed"));
    assert!(finished <= gone && gone <= released, "{worker}: {finished:?}, {gone:?}, {released:?} is no order");
    let next = journal.notes("leads").find(|line| line.at() > asked).expect("another leads").at();
    assert!(gone < next, "the next led at {next:?}, and {worker} until {gone:?}");
}

/// Fails unless the worker was told, and its work was gone, within these times after it was cut off.
///
/// # Panics
/// If it fails.
pub fn told_and_over(journal: &Journal, worker: &str, cut: Duration, told: Duration, over: Duration) {
    let first = |what: &str, is_it: &dyn Fn(&Entry) -> bool| {
        let line = journal.of(worker).find(|line| line.at() > cut && is_it(&line.entry));
        line.unwrap_or_else(|| panic!("{worker} was not {what}")).at() - cut
    };
    let was_told = first("told", &|entry| entry.is_note("told"));
    let was_over = first("gone", &|entry| matches!(entry, Entry::End { name } if name == LEADS));
    assert!(was_told <= told + SLACK, "{worker} was told after {was_told:?}, not {told:?}");
    assert!(was_over <= over + SLACK, "the work of {worker} was gone after {was_over:?}, not {over:?}");
}
