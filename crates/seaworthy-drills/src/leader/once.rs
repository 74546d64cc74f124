//! Each fault once, at the defaults of the store's electors.

use std::time::Duration;

use super::fault::Fault;
use super::group::{Group, Setup};
use super::judges;

const EVERY: Duration = Duration::from_millis(100);

/// How long it took until another led, and how many writes were refused.
pub(super) fn once(setup: &Setup, fault: Fault) -> (Duration, usize) {
    let mut group = Group::start(setup, setup.store.defaults(), EVERY);
    let took = group.suffer(fault);
    judges::within(&[took], group.bound(fault));
    (took, group.judge(fault == Fault::Stop))
}
