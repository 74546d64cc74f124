//! What a crate must provide to be measured.

use std::any::Any;
use std::time::Duration;

use crate::bench::{self, Bench};
use crate::{Ask, Outcome, Row, Rule};

/// One handle on a breaker, as the owner of a client would hold it: a service with the layer on, or the breaker itself
/// if it wraps functions.
pub trait Peer: Sized + Send + 'static {
    const NAME: &'static str;

    /// Printed under the table: how it is called, and what it lacks.
    const NOTE: &'static str;

    /// How long to leave it open before its probes are taken; `None` if it does not limit them.
    const HALF_OPEN_AFTER: Option<Duration> = None;

    /// A closed breaker with this rule, or `None` if the crate has nothing of the kind.
    fn build(rule: Rule, open_for: Duration) -> Option<Self>;

    /// Whether `build` has the rule itself, and not just the nearest thing in the crate.
    fn exact(rule: Rule) -> bool {
        let _ = rule;
        true
    }

    /// Another handle on the same breaker.
    fn share(&self) -> Self;

    fn call(&mut self, ask: Ask) -> Outcome;

    /// Takes all probes of a breaker whose open time is over. They stay taken while the returned value lives.
    fn take_probes(&mut self) -> Box<dyn Any> {
        unreachable!("{} does not limit probes", Self::NAME)
    }

    /// This many independent breakers, in the least memory that the crate allows.
    fn many(count: usize) -> Vec<Self> {
        let mut breakers = Vec::with_capacity(count);
        breakers.extend((0..count).filter_map(|_| Self::build(Rule::Consecutive, Duration::from_secs(30))));
        breakers
    }
}

/// A [`Peer`] without its type.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    pub name: &'static str,
    pub note: &'static str,
    /// What to time for a row; `None` if the crate has nothing of the kind.
    pub bench: fn(Row) -> Option<Box<dyn Bench>>,
    pub exact: fn(Rule) -> bool,
    /// Heap bytes of this many breakers, without the handles themselves, given a reading of the bytes in use.
    pub heap: fn(usize, &dyn Fn() -> usize) -> usize,
}

impl Entry {
    pub fn of<P: Peer>() -> Self {
        Self { name: P::NAME, note: P::NOTE, bench: bench::bench::<P>, exact: P::exact, heap: heap::<P> }
    }
}

fn heap<P: Peer>(count: usize, in_use: &dyn Fn() -> usize) -> usize {
    let before = in_use();
    let breakers = P::many(count);
    let after = in_use();
    assert_eq!(breakers.len(), count);
    after - before - breakers.capacity() * size_of::<P>()
}
