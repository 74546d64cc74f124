//! One fault of a leader, to the end of what comes of it.

use std::thread;
use std::time::Duration;

use seaworthy_faults::clock;
use seaworthy_faults::journal::{Entry, Line};

use super::fault::Fault;
use super::group::{Group, epoch, is_lead};
use super::judges;
use super::work::LEADS;

/// To what a process does within milliseconds.
const SOON: Duration = Duration::from_secs(10);
/// A write, with the look at the disk, takes less.
const WRITE: Duration = Duration::from_millis(30);

fn is_end(line: &Line) -> bool {
    matches!(&line.entry, Entry::End { name } if name == LEADS)
}

impl Group {
    /// Lets it happen to the leader, sees to it that all comes of it that must, and returns how long it took until
    /// another led.
    pub(super) fn suffer(&mut self, fault: Fault) -> Duration {
        match fault {
            Fault::Kill => self.killed(),
            Fault::Stop => self.stopped(),
            Fault::Term => self.asked_to_end(),
            Fault::Stall => self.cut_off(),
        }
    }

    /// The bound of a takeover after it.
    pub(super) fn bound(&self, fault: Fault) -> Duration {
        match fault {
            Fault::Term => self.settings.clean_bound(),
            Fault::Kill | Fault::Stop | Fault::Stall => self.settings.failover_bound(),
        }
    }

    /// Waits until another leads, for longer than it may take, so that how long it took is known all the same. The
    /// bound is one of a store that answers: for as long as it gave the others no answer in time, as on a machine that
    /// is busy with something else, it is waited for, and not counted.
    fn taken_over(&self, fault: Fault, from: Duration, old: &str) -> Duration {
        let limit = self.settings.failover_bound() * 4;
        let led = self.after("another leads", from, limit, |line| is_lead(line) && line.worker != old).at();
        let (took, bound, journal) = (led - from, self.bound(fault), self.journal());
        if took <= bound {
            return took;
        }
        let away = judges::store_was_away(&journal, from, led, old);
        if took > bound + away {
            self.fail(&journal, &format!("another led after {took:?}, later than {bound:?} and {away:?}"));
        }
        println!("the store gave no answer for {away:?}, and another led after {took:?}");
        took.saturating_sub(away)
    }

    fn killed(&mut self) -> Duration {
        let leader = self.leader();
        let name = self.candidates[leader].worker.name().to_owned();
        let from = clock::now();
        self.candidates[leader].worker.kill9();
        let took = self.taken_over(Fault::Kill, from, &name);
        judges::one_takeover(&self.journal(), from, clock::now(), &name);
        self.replace(leader);
        took
    }

    /// DR-7: stopped for 2 × ttl and continued: one takeover, the old one's next fenced write refused, its closure
    /// ended, it becomes a follower.
    fn stopped(&mut self) -> Duration {
        let leader = self.leader();
        let (name, ttl) = (self.candidates[leader].worker.name().to_owned(), self.settings.ttl);
        let old = self.term_of(&name);
        let from = self.stop(leader);
        let took = self.taken_over(Fault::Stop, from, &name);
        thread::sleep((from + ttl * 2).saturating_sub(clock::now()));
        let cont = clock::now();
        self.candidates[leader].worker.cont();
        self.is_a_follower_again(&name, old, cont);
        judges::one_takeover(&self.journal(), from, clock::now(), &name);
        took
    }

    /// Stops it, and returns when. A process that is stopped while it has a file's lock keeps all others from writing,
    /// and so from leading, until it goes on: nothing that a file has could take the lock away. So it is stopped again
    /// until it has none.
    pub(super) fn stop(&self, candidate: usize) -> Duration {
        let worker = &self.candidates[candidate].worker;
        loop {
            let from = clock::now();
            worker.stop();
            if !self.place.is_locked() {
                return from;
            }
            println!("{} was stopped while it had the lock, and goes on", worker.name());
            worker.cont();
            thread::sleep(WRITE);
        }
    }

    /// DR-10: the work ends in order, the row is released, the next leads.
    fn asked_to_end(&mut self) -> Duration {
        let leader = self.leader();
        let name = self.candidates[leader].worker.name().to_owned();
        let from = clock::now();
        self.candidates[leader].worker.term();
        let took = self.taken_over(Fault::Term, from, &name);
        self.candidates[leader].worker.wait_ok(SOON);
        let journal = self.journal();
        judges::one_takeover(&journal, from, clock::now(), &name);
        judges::ended_in_order(&journal, &name, from);
        self.replace(leader);
        took
    }

    /// DR-8: cut off by a stalled proxy: it stops by itself, a follower with a clean path leads; after healing there is
    /// still one.
    fn cut_off(&mut self) -> Duration {
        let leader = self.leader();
        let name = self.candidates[leader].worker.name().to_owned();
        let old = self.term_of(&name);
        let from = clock::now();
        self.proxy(leader).stall();
        let took = self.taken_over(Fault::Stall, from, &name);
        self.after("its work is gone", from, SOON + self.settings.ttl, |line| line.worker == name && is_end(line));
        let (told, over) = (self.settings.told_after(), self.settings.over_after());
        judges::told_and_over(&self.journal(), &name, from, told, over);
        let healed = clock::now();
        self.proxy(leader).heal();
        self.is_a_follower_again(&name, old, healed);
        // As long as it takes to ask, twice.
        thread::sleep(self.settings.clean_bound());
        judges::one_takeover(&self.journal(), from, clock::now(), &name);
        took
    }

    pub(super) fn proxy(&self, of: usize) -> &seaworthy_faults::proxy::Proxy {
        self.candidates[of].proxy.as_ref().expect("this store is behind a proxy")
    }

    pub(super) fn term_of(&self, name: &str) -> u64 {
        let journal = self.journal();
        let last = journal.of(name).filter(|line| is_lead(line)).last().map(epoch);
        last.unwrap_or_else(|| panic!("{name} has never led"))
    }

    /// What it writes with its old epoch is refused from then on, its work is gone, and it waits like the others.
    fn is_a_follower_again(&self, name: &str, old: u64, from: Duration) {
        let limit = SOON + self.settings.ttl;
        for how in ["late-fenced", "late-guarded"] {
            self.after(how, from, limit, |line| {
                let is_refused = line.worker == name && line.entry.is_note("refused") && epoch(line) == old;
                is_refused && line.entry.field("how").is_some_and(|own| own == how)
            });
        }
        self.until("its work is gone", limit, |journal| {
            let begun = journal.of(name).filter(|line| matches!(&line.entry, Entry::Begin { name } if name == LEADS));
            let ended = journal.of(name).filter(|line| is_end(line));
            (begun.count() == ended.count()).then_some(())
        });
        // It may have campaigned before: its work had ended by itself.
        self.until("it campaigns", limit, |journal| {
            let last = journal.of(name).filter(|line| line.entry.is_note("campaigning") || is_end(line));
            last.last().filter(|line| line.entry.is_note("campaigning")).map(drop)
        });
    }
}
