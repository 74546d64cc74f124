//! What must be true of a journal, but for what may not happen at once.

use std::collections::{BTreeMap, BTreeSet};

use super::{Entry, Journal};

/// As many as a failure names; the rest is counted.
const NAMED: usize = 20;

impl Journal {
    /// Fails if a fenced resource accepted a write of an older epoch after one of a newer. Returns the number of
    /// writes.
    ///
    /// # Panics
    ///
    /// If it did, or no resource accepted any write.
    pub fn epochs_never_decrease(&self) -> usize {
        let mut newest: BTreeMap<&str, u64> = BTreeMap::new();
        let (mut writes, mut epochs, mut wrong) = (0, BTreeSet::new(), Vec::new());
        for line in self.lines() {
            let Entry::Write { resource, epoch } = &line.entry else { continue };
            writes += 1;
            epochs.insert((resource, epoch));
            let newest = newest.entry(resource).or_insert(*epoch);
            if epoch < newest {
                wrong.push(format!("{resource}: epoch {epoch} after {newest}, by {}", line.worker));
            }
            *newest = (*newest).max(*epoch);
        }
        let resources = newest.len();
        println!(
            "epochs_never_decrease: {writes} writes to {resources} resources in {} epochs, {} of an older epoch",
            epochs.len(),
            wrong.len()
        );
        assert!(writes > 0, "epochs_never_decrease looked at nothing: no resource accepted a write");
        fail_on("epochs_never_decrease: older after newer", &wrong);
        writes
    }

    /// Fails unless each of these effects has happened exactly once, and no other. Returns their number.
    ///
    /// # Panics
    ///
    /// If one has not happened, or more than once, or was not expected; if none is expected.
    pub fn each_exactly_once(&self, effects: impl IntoIterator<Item = impl Into<String>>) -> usize {
        let mut times: BTreeMap<String, usize> = effects.into_iter().map(|key| (key.into(), 0)).collect();
        let expected = times.len();
        let mut unexpected = Vec::new();
        let mut happened = 0;
        for line in self.lines() {
            let Entry::Effect { key } = &line.entry else { continue };
            happened += 1;
            match times.get_mut(key) {
                Some(times) => *times += 1,
                None => unexpected.push(key.clone()),
            }
        }
        let of = |wanted: &dyn Fn(usize) -> bool| -> Vec<String> {
            let found = times.iter().filter(|(_, times)| wanted(**times));
            found.map(|(key, times)| format!("{key} ({times} times)")).collect()
        };
        let (missing, repeated) = (of(&|times| times == 0), of(&|times| times > 1));
        println!(
            "each_exactly_once: {expected} expected, {happened} happened, {} never, {} repeatedly, {} unexpected",
            missing.len(),
            repeated.len(),
            unexpected.len()
        );
        assert!(expected > 0, "each_exactly_once looked at nothing: no effect is expected");
        fail_on("each_exactly_once: never happened", &missing);
        fail_on("each_exactly_once: happened repeatedly", &repeated);
        fail_on("each_exactly_once: happened and was not expected", &unexpected);
        expected
    }

    /// Fails if a job was started more than `most` times. Returns the number of jobs that were started.
    ///
    /// # Panics
    ///
    /// If one was, or none was started at all.
    pub fn starts_per_job(&self, most: usize) -> usize {
        let mut starts: BTreeMap<&str, usize> = BTreeMap::new();
        for line in self.lines() {
            if let Entry::Start { job } = &line.entry {
                *starts.entry(job).or_default() += 1;
            }
        }
        let of_each = |(job, times): (&&str, &usize)| format!("{job} ({times} times)");
        let wrong: Vec<String> = starts.iter().filter(|(_, times)| **times > most).map(of_each).collect();
        println!(
            "starts_per_job: {} jobs, {} starts, at most {} of one job, {} jobs above {most}",
            starts.len(),
            starts.values().sum::<usize>(),
            starts.values().max().copied().unwrap_or(0),
            wrong.len()
        );
        assert!(!starts.is_empty(), "starts_per_job looked at nothing: no job was started");
        fail_on(&format!("starts_per_job: started more than {most} times"), &wrong);
        starts.len()
    }

    /// Fails unless each job that was accepted was settled, is dead, or is among `live`, those that the store still
    /// has. Returns the number of jobs that were accepted.
    ///
    /// # Panics
    ///
    /// If one is lost, or none was accepted.
    pub fn none_lost(&self, live: impl IntoIterator<Item = impl Into<String>>) -> usize {
        let live: BTreeSet<String> = live.into_iter().map(Into::into).collect();
        let (mut accepted, mut settled, mut dead) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for line in self.lines() {
            match &line.entry {
                Entry::Accepted { job } => accepted.insert(job),
                Entry::Settled { job } => settled.insert(job),
                Entry::Dead { job } => dead.insert(job),
                _ => false,
            };
        }
        let is_somewhere = |job: &String| settled.contains(job) || dead.contains(job) || live.contains(job);
        let lost: Vec<String> = accepted.iter().filter(|job| !is_somewhere(job)).map(|job| (*job).clone()).collect();
        println!(
            "none_lost: {} accepted, {} settled, {} dead, {} live, {} lost",
            accepted.len(),
            settled.len(),
            dead.len(),
            live.len(),
            lost.len()
        );
        assert!(!accepted.is_empty(), "none_lost looked at nothing: no job was accepted");
        fail_on("none_lost: lost", &lost);
        accepted.len()
    }
}

fn fail_on(what: &str, these: &[String]) {
    if these.is_empty() {
        return;
    }
    let more = these.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let named: Vec<&str> = these.iter().take(NAMED).map(String::as_str).collect();
    panic!("{what}: {}{more}", named.join(", "));
}
