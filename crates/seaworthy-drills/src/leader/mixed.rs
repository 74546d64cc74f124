//! All that can happen to a leader, at random, for a while.

use std::thread;
use std::time::{Duration, Instant};

use seaworthy_faults::clock;
use seaworthy_faults::seed::Rng;

use super::group::{Group, Setup, is_lead};
use super::settings::Settings;

const EVERY: Duration = Duration::from_millis(20);
const GAP: std::ops::Range<Duration> = Duration::ZERO..Duration::from_millis(300);
const END: Duration = Duration::from_secs(30);

/// What came of it.
pub(super) struct Mixed {
    pub(super) takeovers: Vec<Duration>,
    pub(super) faults: usize,
    pub(super) refused: usize,
}

/// Stops, kills, asks to end, and, where there is a server, ends connections of and cuts off the leader, for this long
/// at least, and until another has led as often.
pub(super) fn mixed(setup: &Setup, time: Duration, least: usize, rng: &mut Rng) -> Mixed {
    let mut group = Group::start(setup, Settings::SHORT, EVERY);
    let kinds = if setup.store.is_remote() { 5 } else { 3 };
    let (mut takeovers, mut faults) = (Vec::new(), 0);
    let until = Instant::now() + time;
    while Instant::now() < until || takeovers.len() < least {
        thread::sleep(rng.duration(GAP));
        let leader = group.leader();
        let name = group.candidates[leader].worker.name().to_owned();
        let from = clock::now();
        let next = |group: &Group| {
            let limit = group.settings.failover_bound() * 2;
            group.after("another leads", from, limit, |line| is_lead(line) && line.worker != name).at() - from
        };
        // Each kind comes, and in an order of its own.
        match if faults < kinds { faults } else { usize::try_from(rng.below(kinds as u64)).unwrap_or(0) } {
            0 => {
                group.stop(leader);
                takeovers.push(next(&group));
                group.candidates[leader].worker.cont();
            }
            1 => {
                group.candidates[leader].worker.kill9();
                group.replace(leader);
                takeovers.push(next(&group));
            }
            2 => {
                group.candidates[leader].worker.term();
                let old = group.replace(leader);
                takeovers.push(next(&group));
                old.worker.wait_ok(END);
            }
            3 => group.place.terminate(),
            _ => {
                group.proxy(leader).stall();
                takeovers.push(next(&group));
                group.proxy(leader).heal();
            }
        }
        faults += 1;
    }
    // What was stopped or stalled last writes on.
    thread::sleep(Duration::from_secs(1));
    Mixed { takeovers, faults, refused: group.judge(true) }
}
