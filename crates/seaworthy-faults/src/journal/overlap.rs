//! Whether something that only one may do at a time was done by two.

use std::collections::{HashMap, HashSet, VecDeque};

use super::{Entry, Journal, Line};

/// From `begin` to `end`, or to the end of its process, by one process.
struct Interval<'a> {
    worker: &'a str,
    pid: u32,
    from: u64,
    /// None: it was still going on when the journal was read.
    to: Option<u64>,
}

impl Journal {
    /// Fails if two processes, or one twice, were between `begin` and `end` of this name at the same time. Returns the
    /// number of intervals.
    ///
    /// What a process had begun ends with it: at its last line, or when it was killed if that is later. What was never
    /// ended goes on.
    ///
    /// # Panics
    ///
    /// If there is an overlap, which is told; if something was ended that had not begun; if nothing of this name was
    /// begun.
    pub fn no_overlap(&self, name: &str) -> usize {
        let intervals = self.intervals(name);
        let mut overlaps = Vec::new();
        // The one that ends last of those that have begun.
        let mut last: Option<&Interval<'_>> = None;
        for interval in &intervals {
            let Some(before) = last else {
                last = Some(interval);
                continue;
            };
            if before.to.is_none_or(|to| interval.from < to) {
                overlaps.push(overlap(before, interval));
            }
            if before.to.is_some_and(|to| interval.to.is_none_or(|end| end > to)) {
                last = Some(interval);
            }
        }
        let workers: HashSet<u32> = intervals.iter().map(|interval| interval.pid).collect();
        println!(
            "no_overlap({name}): {} intervals of {} processes, {} overlaps",
            intervals.len(),
            workers.len(),
            overlaps.len()
        );
        assert!(!intervals.is_empty(), "no_overlap({name}) looked at nothing: nobody has begun it");
        assert!(overlaps.is_empty(), "no_overlap({name}):\n  {}", overlaps.join("\n  "));
        intervals.len()
    }

    fn intervals(&self, name: &str) -> Vec<Interval<'_>> {
        let mut intervals: Vec<Interval<'_>> = Vec::new();
        let mut open: HashMap<u32, VecDeque<usize>> = HashMap::new();
        for line in self.lines() {
            match &line.entry {
                Entry::Begin { name: own } if own == name => {
                    open.entry(line.pid).or_default().push_back(intervals.len());
                    let (worker, pid) = (line.worker.as_str(), line.pid);
                    intervals.push(Interval { worker, pid, from: line.nanos, to: None });
                }
                Entry::End { name: own } if own == name => {
                    let begun = open.get_mut(&line.pid).and_then(VecDeque::pop_front);
                    let begun = begun.unwrap_or_else(|| panic!("{} ended {name}, which it had not begun", line.worker));
                    intervals[begun].to = Some(line.nanos);
                }
                _ => {}
            }
        }
        let ends = self.ends();
        for interval in intervals.iter_mut().filter(|interval| interval.to.is_none()) {
            interval.to = ends.get(&interval.pid).copied();
        }
        intervals
    }

    /// When each process that has ended did nothing any more.
    fn ends(&self) -> HashMap<u32, u64> {
        let mut last: HashMap<u32, &Line> = HashMap::new();
        for line in self.lines() {
            last.insert(line.pid, line);
        }
        let mut ends = HashMap::new();
        for line in self.lines() {
            let Entry::Ended { process, .. } = &line.entry else { continue };
            let end = match last.get(process) {
                // It said so itself, and nobody can know it better.
                Some(own) if matches!(own.entry, Entry::Dying { .. }) => own.nanos,
                Some(own) => own.nanos.max(line.nanos),
                None => line.nanos,
            };
            ends.insert(*process, end);
        }
        ends
    }
}

fn overlap(before: &Interval<'_>, after: &Interval<'_>) -> String {
    let millis = |nanos: u64| nanos / 1_000_000;
    let until = before.to.map_or("the end".to_owned(), |to| format!("{} ms", millis(to)));
    format!(
        "{} ({}) from {} ms until {until}, and {} ({}) from {} ms",
        before.worker,
        before.pid,
        millis(before.from),
        after.worker,
        after.pid,
        millis(after.from),
    )
}
