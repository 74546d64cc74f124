//! Random terminations of candidates, leading or not.

use std::thread;
use std::time::Duration;

use seaworthy_faults::seed::Rng;

use super::group::{Group, Setup};
use super::settings::Settings;

const EVERY: Duration = Duration::from_millis(100);
/// From one to the next.
const GAP: std::ops::Range<Duration> = Duration::ZERO..Duration::from_millis(800);
const END: Duration = Duration::from_secs(30);

/// Terminates `times` processes at random moments, one in four by kill -9, and starts another for each. Returns how
/// many terms there were and how many writes were refused.
pub(super) fn terminations(setup: &Setup, times: usize, rng: &mut Rng) -> (usize, usize) {
    let mut group = Group::start(setup, Settings::SHORT, EVERY);
    let mut leaving = Vec::new();
    for _ in 0..times {
        thread::sleep(rng.duration(GAP));
        let victim = *rng.pick(&[0, 1, 2]);
        let is_killed = rng.one_in(4);
        if is_killed {
            group.candidates[victim].worker.kill9();
        } else {
            group.candidates[victim].worker.term();
        }
        let old = group.replace(victim);
        if !is_killed {
            leaving.push(old);
        }
    }
    for old in leaving {
        old.worker.wait_ok(END);
    }
    let terms = group.journal().notes("leads").count();
    (terms, group.judge(false))
}
