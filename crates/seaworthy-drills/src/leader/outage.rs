//! A store that is away for a while: a server that is killed or stopped, a file that somebody has locked.

use std::thread;
use std::time::Duration;

use seaworthy_faults::clock;
#[cfg(feature = "servers")]
use seaworthy_faults::postgres::Postgres;
use seaworthy_faults::worker::{Journals, Worker};

use super::group::{Group, Setup, epoch, is_lead};
use super::judges::{self, SLACK};
use super::settings::Settings;
use super::store::Store;
use crate::at_once::at_once;

const EVERY: Duration = Duration::from_millis(100);

/// How a server is away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Killed, and then started again.
    Killed,
    /// Stopped, and then continued.
    Stopped,
}

/// What the groups of one drill are in.
enum Outage {
    /// Those who have each group's file.
    Files(Vec<Worker>),
    #[cfg(feature = "servers")]
    Server(Box<Postgres>),
}

impl Outage {
    /// Away from when it returns.
    fn begin(&mut self, groups: &[Group], way: Way) {
        match (self, way) {
            (Outage::Files(lockers), _) => *lockers = at_once(groups.len(), |number| groups[number].lock()),
            #[cfg(feature = "servers")]
            (Outage::Server(server), Way::Killed) => server.kill9(),
            #[cfg(feature = "servers")]
            (Outage::Server(server), Way::Stopped) => server.stop(),
        }
    }

    /// There again when it returns.
    fn end(&mut self, way: Way) {
        match (self, way) {
            // Killed with their drop.
            (Outage::Files(lockers), _) => lockers.clear(),
            #[cfg(feature = "servers")]
            (Outage::Server(server), Way::Killed) => server.restart(),
            #[cfg(feature = "servers")]
            (Outage::Server(server), Way::Stopped) => server.cont(),
        }
    }
}

/// What is to happen: first an outage that a leader survives, then one that none does.
pub(super) struct Plan {
    pub(super) settings: Settings,
    pub(super) groups: usize,
    pub(super) short: Duration,
    /// How a server is away in the short one.
    pub(super) way: Way,
    pub(super) long: Duration,
}

/// Returns how long after the outage one led, for each group and round, and how many writes were refused. Fails if that
/// was later than the bound after the store had answered.
pub(super) fn outage(setup: &Setup, plan: &Plan, rounds: usize) -> (Vec<Duration>, usize) {
    let start = |place: &dyn Fn(&Journals) -> super::store::Place| -> Vec<Group> {
        let begin = |_| {
            let journals = Journals::new();
            let place = place(&journals);
            Group::start_in(&setup.program, journals, place, plan.settings, EVERY)
        };
        (0..plan.groups).map(begin).collect()
    };
    let (mut outage, groups) = match setup.store {
        Store::Sqlite => (Outage::Files(Vec::new()), start(&|journals| setup.store.place(journals))),
        #[cfg(feature = "servers")]
        Store::Postgres => {
            let server = Postgres::start();
            let groups = start(&|_| super::store::Place::in_server(&server));
            (Outage::Server(Box::new(server)), groups)
        }
    };
    let mut took = Vec::new();
    for _ in 0..rounds {
        survived(&mut outage, &groups, plan);
        took.extend(not_survived(&mut outage, &groups, plan));
    }
    // Their schemas go before the server does.
    let refused = groups.into_iter().map(|group| group.judge(false)).sum();
    (took, refused)
}

fn leaders(groups: &[Group]) -> Vec<(String, u64)> {
    let of = |group: &Group| {
        let name = group.candidates[group.leader()].worker.name().to_owned();
        let term = group.term_of(&name);
        (name, term)
    };
    groups.iter().map(of).collect()
}

/// The leaders keep their terms.
fn survived(outage: &mut Outage, groups: &[Group], plan: &Plan) {
    let before = leaders(groups);
    let from = clock::now();
    outage.begin(groups, plan.way);
    thread::sleep((from + plan.short).saturating_sub(clock::now()));
    outage.end(plan.way);
    // By then a term that was not renewed would be over.
    thread::sleep(plan.settings.ttl);
    assert_eq!(leaders(groups), before, "each leader has kept its term");
    for group in groups {
        let lost = group.journal().lines().iter().find(|line| line.at() > from && line.entry.is_note("told")).cloned();
        assert_eq!(lost, None, "nobody was told to end");
    }
}

/// Nobody leads from when the terms are over until the store is there again; then one does.
fn not_survived(outage: &mut Outage, groups: &[Group], plan: &Plan) -> Vec<Duration> {
    let before = leaders(groups);
    outage.begin(groups, Way::Stopped);
    let from = clock::now();
    thread::sleep((from + plan.long).saturating_sub(clock::now()));
    let still_away = clock::now();
    outage.end(Way::Stopped);
    groups.iter().for_each(|group| group.place.answers());
    let back = clock::now();
    let limit = plan.settings.failover_bound() * 2;
    let mut all = Vec::new();
    for (group, (_, term)) in groups.iter().zip(before) {
        let next = group.after("one leads", from, limit, is_lead);
        assert!(epoch(&next) > term, "epoch {} after {term}", epoch(&next));
        judges::nobody_leads(&group.journal(), from + plan.settings.over_after() + SLACK, still_away);
        judges::within(&[next.at().saturating_sub(back)], plan.settings.clean_bound());
        all.push(next.at() - still_away);
    }
    all
}
