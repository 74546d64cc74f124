use std::time::Duration;

use crate::conformance::case::LONG;
use crate::store::{Holder, Settlement};

use super::chance::Chance;

/// One step of a history.
#[derive(Clone, Debug)]
pub(super) enum Action {
    /// By a new owner, or by one who asked before; with a lease that ends at once, or does not end.
    Claim {
        owner: u128,
        fingerprint: Option<&'static str>,
        rank: Option<i64>,
        brief: bool,
    },
    Renew {
        holder: Holder,
        brief: bool,
    },
    Settle {
        holder: Holder,
        end: Settlement,
    },
    /// Settled so that it is kept for no time, and swept.
    Forget {
        holder: Holder,
        end: Settlement,
    },
    KeepStep {
        holder: Holder,
        name: &'static str,
        result: &'static str,
    },
    Step {
        name: &'static str,
    },
    Look,
}

const STEPS: [&str; 3] = ["one", "two", "three"];

impl Action {
    /// `holders` is everybody whom the key was granted to, with fences and owners that go together and such that do
    /// not.
    pub(super) fn random(chance: &mut Chance, holders: &[Holder], stranger: &Holder) -> Action {
        // Mostly the last one, so that something happens.
        let last = holders.last().unwrap_or(stranger);
        let mut holder = if chance.one_in(3) { chance.choose(holders).unwrap_or(stranger) } else { last }.clone();
        if chance.one_in(12) {
            holder.owner = chance.choose(holders).unwrap_or(stranger).owner;
        }
        match chance.below(20) {
            0..7 => Action::Claim {
                owner: if chance.one_in(4) { asking(chance, holder.owner) } else { owner(chance) },
                fingerprint: chance.choose(&[None, None, Some("a"), Some("a"), Some("b")]).copied().flatten(),
                rank: chance.choose(&[None, None, None, Some(-1), Some(0), Some(1)]).copied().flatten(),
                brief: chance.one_in(4),
            },
            7..10 => Action::Renew { holder, brief: chance.one_in(2) },
            10..14 => {
                let keep = keep(chance);
                Action::Settle { holder, end: end(chance, keep) }
            }
            14 => Action::Forget { holder, end: end(chance, Some(Duration::from_millis(1))) },
            15..17 => {
                let result = chance.choose(&["1", "2", ""]).copied().unwrap_or_default();
                Action::KeepStep { holder, name: step(chance), result }
            }
            17 => Action::Step { name: step(chance) },
            _ => Action::Look,
        }
    }
}

fn owner(chance: &mut Chance) -> u128 {
    u128::from(chance.next()) << 64 | u128::from(chance.next())
}

/// Earlier, the same, later, or somebody who is nearly the same.
fn asking(chance: &mut Chance, owner: u128) -> u128 {
    let by = chance.choose(&[0, 1, 1, 1, 2, 1 << 32, 1 << 64]).copied().unwrap_or_default();
    if chance.one_in(4) { owner.wrapping_sub(by) } else { owner.wrapping_add(by) }
}

fn step(chance: &mut Chance) -> &'static str {
    chance.choose(&STEPS).copied().unwrap_or_default()
}

fn keep(chance: &mut Chance) -> Option<Duration> {
    (!chance.one_in(4)).then_some(LONG)
}

/// Mostly failures: what is done stays done.
fn end(chance: &mut Chance, keep: Option<Duration>) -> Settlement {
    match chance.below(10) {
        0 => Settlement::Done { result: "result".into(), content_type: "text/plain".into(), keep },
        1 => Settlement::DoneNotKept { keep },
        2 => Settlement::FailedForGood { reason: "never".into(), keep },
        3..7 => Settlement::Failed { reason: "no".into(), keep },
        _ => Settlement::Released { keep },
    }
}
