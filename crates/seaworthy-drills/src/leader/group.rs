//! Candidates of one name, in a place of their own.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use seaworthy_faults::clock;
use seaworthy_faults::journal::{Entry, Journal, Line};
use seaworthy_faults::proxy::Proxy;
use seaworthy_faults::worker::{Journals, Worker};

use super::judges;
use super::settings::Settings;
use super::store::{Place, Store};
use super::work::LEADS;

/// As many as compete for one name.
const CANDIDATES: usize = 3;
/// The journals are read as often; what they say has its own times.
const LOOK: Duration = Duration::from_millis(30);
/// A process is up within a fraction of it.
const START: Duration = Duration::from_secs(30);

/// What a drill needs to start processes.
#[derive(Clone, Debug)]
pub struct Setup {
    /// A program that calls [`worker::run`](super::worker::run).
    pub program: PathBuf,
    /// Where leases are.
    pub store: Store,
}

/// A process that wants to lead.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) worker: Worker,
    /// Between it and the store, if something can be.
    pub(super) proxy: Option<Proxy>,
}

/// Three candidates, and whoever takes the place of one that has ended.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) candidates: Vec<Candidate>,
    pub(super) settings: Settings,
    pub(super) journals: Journals,
    pub(super) place: Place,
    program: PathBuf,
    every: Duration,
    spawned: usize,
}

/// Whether somebody leads from then on.
pub(super) fn is_lead(line: &Line) -> bool {
    line.entry.is_note("leads")
}

/// The epoch in a note.
pub(super) fn epoch(line: &Line) -> u64 {
    let epoch = line.entry.field("epoch");
    let epoch = epoch.and_then(|epoch| epoch.as_u64().or_else(|| epoch.as_str()?.parse().ok()));
    epoch.unwrap_or_else(|| panic!("no epoch in {:?}", line.entry))
}

impl Group {
    /// Starts its processes, and waits until one leads. Each writes once `every` so long.
    pub(super) fn start(setup: &Setup, settings: Settings, every: Duration) -> Group {
        let journals = Journals::new();
        let place = setup.store.place(&journals);
        Group::start_in(&setup.program, journals, place, settings, every)
    }

    pub(super) fn start_in(
        program: &Path,
        journals: Journals,
        place: Place,
        settings: Settings,
        every: Duration,
    ) -> Group {
        place.prepare();
        let program = program.to_owned();
        let mut group = Group { candidates: Vec::new(), settings, journals, place, program, every, spawned: 0 };
        for _ in 0..CANDIDATES {
            let candidate = group.spawn();
            group.candidates.push(candidate);
        }
        group.until("all are up", START, |journal| (journal.notes("ready").count() == CANDIDATES).then_some(()));
        let bound = group.journal().notes("ready").next().and_then(|line| line.entry.field("bound")?.as_u64());
        let bound = bound.map(Duration::from_millis);
        assert_eq!(bound, Some(settings.failover_bound()), "the drill and the elector reckon in the same way");
        group.after("one leads", Duration::ZERO, START, is_lead);
        group.is_written_to();
        group
    }

    /// Waits until who leads now has written, in each way.
    fn is_written_to(&self) {
        self.until("who leads now has written", START, |journal| {
            let lines = journal.lines();
            let last = lines.iter().rposition(is_lead)?;
            lines[last..].iter().any(|line| matches!(line.entry, Entry::Effect { .. })).then_some(())
        });
        thread::sleep(self.every * 5);
    }

    fn spawn(&mut self) -> Candidate {
        let proxy = self.place.server().map(Proxy::to);
        let mut url = self.place.url();
        if let (Some(proxy), Some(server)) = (&proxy, self.place.server()) {
            url = url.replace(&server.to_string(), &proxy.addr().to_string());
        }
        let mut args = vec!["lead".to_owned(), format!("--store={url}"), format!("--every={}", self.every.as_millis())];
        args.extend(self.settings.args());
        let name = format!("candidate-{}", self.spawned);
        self.spawned += 1;
        let worker = Worker::spawn(&self.program, &name, args, &self.journals);
        Candidate { worker, proxy }
    }

    /// Starts another in the place of this one, which is returned when the other is up.
    pub(super) fn replace(&mut self, at: usize) -> Candidate {
        let next = self.spawn();
        self.until("the next is up", START, |journal| {
            journal.of(next.worker.name()).any(|line| line.entry.is_note("ready")).then_some(())
        });
        std::mem::replace(&mut self.candidates[at], next)
    }

    /// A process that keeps all others from writing, from when it is returned until it is killed.
    pub(super) fn lock(&self) -> Worker {
        let asked = clock::now();
        let args = ["lock".to_owned(), format!("--store={}", self.place.url())];
        let worker = Worker::spawn(&self.program, "lock", args, &self.journals);
        self.after("the file is locked", asked, START, |line| line.entry.is_note("locked"));
        worker
    }

    pub(super) fn journal(&self) -> Journal {
        self.journals.read()
    }

    /// Looks at the journals until there is something to be seen.
    pub(super) fn until<T>(&self, what: &str, limit: Duration, look: impl Fn(&Journal) -> Option<T>) -> T {
        let until = Instant::now() + limit;
        loop {
            let journal = self.journal();
            if let Some(seen) = look(&journal) {
                return seen;
            }
            if Instant::now() >= until {
                self.fail(&journal, &format!("not within {limit:?}: {what}"));
            }
            thread::sleep(LOOK);
        }
    }

    /// The first line after this instant of which it is true.
    pub(super) fn after(&self, what: &str, instant: Duration, limit: Duration, is_it: impl Fn(&Line) -> bool) -> Line {
        self.until(what, limit, |journal| {
            journal.lines().iter().find(|line| line.at() > instant && is_it(line)).cloned()
        })
    }

    pub(super) fn fail(&self, journal: &Journal, why: &str) -> ! {
        let all = journal.lines();
        let last: Vec<String> = all
            .iter()
            .skip(all.len().saturating_sub(200))
            .map(|line| format!("{:?} {} {:?}", line.at(), line.worker, line.entry))
            .collect();
        let output: Vec<String> = self.candidates.iter().map(|candidate| candidate.worker.output()).collect();
        panic!(
            "{why}; now it is {:?}, and the last lines are\n{}\n{}",
            clock::now(),
            last.join("\n"),
            output.join("\n")
        );
    }

    /// Who leads: the last who has begun to.
    pub(super) fn leader(&self) -> usize {
        let journal = self.journal();
        let last = journal.lines().iter().rev().find(|line| is_lead(line)).expect("one has led");
        let at = self.candidates.iter().position(|candidate| candidate.worker.name() == last.worker);
        at.unwrap_or_else(|| panic!("{} does not run any more", last.worker))
    }

    /// Ends all of them in order, and judges what they did. Returns how many writes were refused.
    pub(super) fn judge(self, may_overlap: bool) -> usize {
        self.is_written_to();
        for candidate in &self.candidates {
            candidate.worker.term();
        }
        for candidate in &self.candidates {
            candidate.worker.wait_ok(START);
        }
        let (journal, accepted) = (self.journal(), self.place.accepted());
        judges::epochs_never_decrease(&accepted);
        judges::no_tick_twice(&journal);
        if !may_overlap {
            journal.no_overlap(LEADS);
        }
        journal.count(|entry| matches!(entry, Entry::Note { name, .. } if name == "refused"))
    }
}
