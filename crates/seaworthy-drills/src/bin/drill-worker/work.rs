//! Does the work of keys: claim, side effect, completion. These are the points at which it can die or stop:
//!
//! ```text
//!     before-claim ── claim ── after-claim ── begin ── after-begin ── effect ── after-effect
//!         ── complete or complete_in ── after-complete ── commit ── after-commit
//! ```
//!
//! Without `--in-transaction` the side effect is one outside of the database, a line in the journal, and there is
//! neither `begin` nor `commit`.

use std::time::Duration;

use rustix::process::{Signal, getpid, kill_process};
use seaworthy::Shutdown;
use seaworthy_drills::database::{Database, SHORT_LEASE};
use seaworthy_drills::options::Options;
use seaworthy_faults::clock;
use seaworthy_faults::journal::{Entry, Writer};
use seaworthy_faults::points::Points;
use seaworthy_ledger::{Claim, Claimed, Held, Key, Ledger};

const BETWEEN_TRIES: Duration = Duration::from_millis(10);
/// Whoever goes on after its lease is told at its first look.
const TOLD: Duration = Duration::from_secs(10);

struct Work<'o, D: Database> {
    database: D,
    ledger: Ledger<D::Store>,
    connection: D::Connection,
    journal: Writer,
    points: Points,
    stop_at: Option<&'o str>,
    in_transaction: bool,
    /// Of the claim that it has.
    lost: Option<Shutdown>,
}

pub(crate) async fn run<D: Database>(options: &Options) {
    let database = D::open(options.store()).await;
    database.prepare().await;
    let mut work = Work {
        ledger: database.ledger(SHORT_LEASE),
        connection: database.connect().await,
        journal: Writer::from_args(),
        points: Points::from_args(),
        stop_at: options.find("stop-at"),
        in_transaction: options.has("in-transaction"),
        lost: None,
        database,
    };
    let mut open: Vec<usize> = (0..options.number("keys")).collect();
    work.journal.write(Entry::note("ready"));
    while !open.is_empty() {
        let mut left = Vec::new();
        for number in open {
            if !work.is_done(number).await {
                left.push(number);
            }
        }
        open = left;
        // What somebody else has is tried again, and never in a spin.
        tokio::time::sleep(BETWEEN_TRIES).await;
    }
    work.ledger.close().await;
    work.journal.write(Entry::note("all-done"));
}

impl<D: Database> Work<'_, D> {
    /// One try at one key. Whether it is done by now, by whomever.
    async fn is_done(&mut self, number: usize) -> bool {
        let name = number.to_string();
        let key = Key::new("drill", &name).expect("a key");
        self.pass("before-claim").await;
        let asked = clock::now();
        let claim = match self.ledger.claim(&key).await {
            Ok(Claimed::Mine(claim)) => claim,
            Ok(Claimed::Done(record)) => {
                self.journal.write(Entry::note("done").with("key", number).with("fence", record.fence));
                return true;
            }
            Ok(Claimed::Busy { retry_in }) => {
                let millis = u64::try_from(retry_in.as_millis()).unwrap_or(u64::MAX);
                self.journal.write(Entry::note("busy").with("key", number).with("retry_in", millis));
                return false;
            }
            Ok(other) => panic!("{other:?}"),
            Err(error) if error.is_unavailable() => return false,
            Err(error) => panic!("{error:?}"),
        };
        let asked = u64::try_from(asked.as_nanos()).unwrap_or(u64::MAX);
        let note = Entry::note("claimed").with("key", number).with("fence", claim.fence());
        self.journal.write(note.with("asked", asked));
        self.do_it(claim, &name).await;
        // Done, or lost to somebody who does it.
        false
    }

    async fn do_it(&mut self, mut claim: Claim<D::Store>, key: &str) {
        claim.begin();
        self.lost = Some(claim.hold());
        self.pass("after-claim").await;
        let fence = claim.fence();
        let held = if self.in_transaction { self.in_one(claim, key).await } else { self.beside(claim, key).await };
        let note = Entry::note("settled").with("key", key).with("fence", fence);
        self.journal.write(note.with("held", held.is_yes()));
    }

    /// The effect is outside of the database.
    async fn beside(&mut self, claim: Claim<D::Store>, key: &str) -> Held {
        self.journal.write(Entry::effect(key));
        self.pass("after-effect").await;
        let held = claim.complete("done").await.unwrap_or_else(|error| panic!("{error:?}"));
        self.pass("after-complete").await;
        held
    }

    /// The effect and the completion are in one transaction.
    async fn in_one(&mut self, claim: Claim<D::Store>, key: &str) -> Held {
        self.database.begin(&mut self.connection).await;
        self.pass("after-begin").await;
        self.database.effect(&mut self.connection, key, claim.fence()).await;
        self.pass("after-effect").await;
        let held = self.database.complete_in(&mut self.connection, &claim).await;
        let held = held.unwrap_or_else(|error| panic!("{error:?}"));
        self.pass("after-complete").await;
        self.database.end(&mut self.connection, held.is_yes()).await;
        self.pass("after-commit").await;
        if held.is_yes() {
            claim.settled();
        }
        held
    }

    async fn pass(&self, point: &str) {
        self.points.die_at(point);
        if self.stop_at == Some(point) {
            self.journal.write(Entry::note("stopping").with("point", point));
            kill_process(getpid(), Signal::STOP).expect("a process may stop itself");
            self.journal.write(Entry::note("goes-on"));
            if let Some(lost) = &self.lost {
                let told = tokio::time::timeout(TOLD, lost.requested()).await;
                self.journal.write(Entry::note("told").with("lost", told.is_ok()));
            }
        }
    }
}
