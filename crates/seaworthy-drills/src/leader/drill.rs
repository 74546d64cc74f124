//! The drills, each of them a row.

use std::thread;
use std::time::Duration;

use seaworthy_faults::seed::Seed;

use super::fault::Fault;
use super::group::{Group, Setup};
use super::judges;
use super::mixed::mixed;
use super::once::once;
use super::outage::{Plan, Way, outage};
use super::row::Row;
use super::settings::Settings;
use super::terminations::terminations;
use crate::at_once::at_once;
use crate::verdict::{Verdict, caught};

/// Groups that are at it at once.
const GROUPS: usize = 10;
/// Takeovers of each kind in each group.
const ROUNDS: usize = 2;
/// So that thirty processes are not held up by the disk.
const EVERY: Duration = Duration::from_millis(200);
const NO_NETWORK: &str = "there is no network between a file and its processes";

/// What a drill has found.
struct Found {
    times: usize,
    takeovers: Vec<Duration>,
    refused: usize,
}

/// Runs it, and makes a row of what it has found or of its panic.
fn row(drill: &'static str, what: impl Into<String>, bound: Duration, run: impl FnOnce() -> Found) -> Row {
    let mut row =
        Row { drill, what: what.into(), times: 0, takeovers: Vec::new(), bound, refused: 0, verdict: Verdict::Held };
    match caught(run) {
        Ok(found) => {
            let Found { times, takeovers, refused } = found;
            row = Row { times, takeovers, refused, ..row };
        }
        Err(why) => row.verdict = Verdict::Failed(why),
    }
    row
}

fn not_here(drill: &'static str, what: &str, why: &'static str) -> Row {
    let verdict = Verdict::NotHere(why);
    let what = what.to_owned();
    Row { drill, what, times: 0, takeovers: Vec::new(), bound: Duration::ZERO, refused: 0, verdict }
}

/// Ten groups, in each of which it happens to two leaders, at a random moment between two renewals.
fn of_ten_groups(setup: &Setup, fault: Fault) -> Found {
    let seed = Seed::from_env();
    let of_each = at_once(GROUPS, |number| {
        let mut moments = seed.rng(&format!("moments {number}"));
        let mut group = Group::start(setup, Settings::SHORT, EVERY);
        let mut takeovers = Vec::new();
        for _ in 0..ROUNDS {
            thread::sleep(moments.duration(Duration::ZERO..group.settings.renew_every));
            takeovers.push(group.suffer(fault));
        }
        judges::within(&takeovers, group.bound(fault));
        // Only a process that is stopped is not told in time.
        (takeovers, group.judge(fault == Fault::Stop))
    });
    let refused = of_each.iter().map(|(_, refused)| refused).sum();
    let takeovers: Vec<Duration> = of_each.into_iter().flat_map(|(takeovers, _)| takeovers).collect();
    assert_eq!(takeovers.len(), GROUPS * ROUNDS);
    assert!(refused > 0 || !fault.leaves_an_old_one(), "no old leader was refused anything");
    Found { times: takeovers.len(), takeovers, refused }
}

/// DR-6, RG-8, IN-12: killed with -9 at random moments, twenty times.
pub fn killed(setup: &Setup) -> Row {
    let bound = Settings::SHORT.failover_bound();
    row("DR-6, RG-8, IN-12", "kill -9 of the leader", bound, || of_ten_groups(setup, Fault::Kill))
}

/// DR-7, RG-8, IN-12: stopped for 2 × ttl and continued, twenty times.
pub fn stopped(setup: &Setup) -> Row {
    let bound = Settings::SHORT.failover_bound();
    row("DR-7, RG-8, IN-12", "SIGSTOP of the leader for 2 × ttl", bound, || of_ten_groups(setup, Fault::Stop))
}

/// DR-8, RG-8, IN-12: cut off by a stalled proxy, twenty times.
pub fn cut_off(setup: &Setup) -> Row {
    let (drill, what) = ("DR-8, RG-8, IN-12", "the leader cut off by a stalled proxy");
    if !setup.store.is_remote() {
        return not_here(drill, what, NO_NETWORK);
    }
    row(drill, what, Settings::SHORT.failover_bound(), || of_ten_groups(setup, Fault::Stall))
}

/// DR-10, RG-8, IN-12: SIGTERM in the middle of its work, twenty times.
pub fn asked_to_end(setup: &Setup) -> Row {
    let bound = Settings::SHORT.clean_bound();
    row("DR-10, RG-8, IN-12", "SIGTERM of the leader", bound, || of_ten_groups(setup, Fault::Term))
}

/// IN-12, DR-9: the store away for a moment and for long, ten times.
pub fn store_away(setup: &Setup) -> Row {
    let settings = Settings::SHORT;
    let millis = Duration::from_millis;
    // As many as one server can let in again within a request's limit.
    let plan = Plan { settings, groups: GROUPS / 2, short: millis(400), way: Way::Stopped, long: millis(6_000) };
    row("DR-9, IN-12", "the store away for 0.4s and for 6s", settings.clean_bound(), || away(setup, &plan, 2))
}

/// DR-9: at defaults, the store killed and back after 3 s, and stopped for 20 s. A file is locked for 1 s and for 20 s.
pub fn store_away_at_defaults(setup: &Setup) -> Row {
    let settings = setup.store.defaults();
    let short = Duration::from_secs(if setup.store.is_remote() { 3 } else { 1 });
    let plan = Plan { settings, groups: 1, short, way: Way::Killed, long: Duration::from_secs(20) };
    let what = format!("at defaults: the store away for {short:?} and for 20s");
    row("DR-9, IN-12", what, settings.clean_bound(), || away(setup, &plan, 1))
}

fn away(setup: &Setup, plan: &Plan, rounds: usize) -> Found {
    let (takeovers, refused) = outage(setup, plan, rounds);
    assert_eq!(takeovers.len(), plan.groups * rounds);
    Found { times: takeovers.len() * 2, takeovers, refused }
}

/// IN-16: 200 random terminations of processes whose work listens.
pub fn terminated(setup: &Setup) -> Row {
    const TIMES: usize = 200;
    let what = "terminations at random, of work that listens";
    row("IN-16", what, Settings::SHORT.failover_bound(), || {
        let seed = Seed::from_env();
        let all = at_once(GROUPS, |number| {
            terminations(setup, TIMES / GROUPS, &mut seed.rng(&format!("terminations {number}")))
        });
        let terms: usize = all.iter().map(|(terms, _)| terms).sum();
        println!("{TIMES} terminations, {terms} terms");
        assert!(terms >= GROUPS * 3, "{terms} terms: hardly anybody was terminated that led");
        Found { times: TIMES, takeovers: Vec::new(), refused: all.iter().map(|(_, refused)| refused).sum() }
    })
}

/// IN-11: all of it at random, in three groups at once, for this long.
pub fn at_random(setup: &Setup, time: Duration) -> Row {
    const LEADERS: usize = 3;
    let bound = Settings::SHORT.failover_bound();
    row("IN-11", format!("all faults at random, for {time:?}"), bound, || {
        let seed = Seed::from_env();
        let all = at_once(LEADERS, |number| mixed(setup, time, 7, &mut seed.rng(&format!("faults {number}"))));
        let takeovers: Vec<Duration> = all.iter().flat_map(|mixed| mixed.takeovers.clone()).collect();
        assert!(takeovers.len() >= 20, "{} takeovers are too few to show anything", takeovers.len());
        judges::within(&takeovers, bound);
        let refused = all.iter().map(|mixed| mixed.refused).sum();
        assert!(refused > 0, "no old leader was refused anything");
        Found { times: all.iter().map(|mixed| mixed.faults).sum(), takeovers, refused }
    })
}

/// DR-6, DR-7, DR-8, DR-10, RG-7, IN-12: each fault once, at defaults.
pub fn once_at_defaults(setup: &Setup) -> Row {
    let bound = setup.store.defaults().failover_bound();
    row("DR-6 to 8, 10, RG-7", "at defaults: each of them once", bound, || {
        let faults = Fault::ALL.into_iter().filter(|fault| *fault != Fault::Stall || setup.store.is_remote());
        let faults: Vec<Fault> = faults.collect();
        let all = at_once(faults.len(), |number| once(setup, faults[number]));
        let takeovers: Vec<Duration> = all.iter().map(|(took, _)| *took).collect();
        judges::within(&takeovers, Duration::from_secs(30));
        Found { times: all.len(), takeovers, refused: all.iter().map(|(_, refused)| refused).sum() }
    })
}
