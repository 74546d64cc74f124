use std::time::Duration;

use super::MetricsObserver;
use super::registry::NamedSeries;
use super::series::{RejectionReason, Series};
use crate::machine::circuit_breaker::notice::{State, TransitionCause};
use crate::machine::verdict::Verdict;
use crate::observe::event::CircuitBreakerEvent;

#[inline]
pub(super) fn count(observer: &MetricsObserver, event: &CircuitBreakerEvent<'_>) {
    match *event {
        CircuitBreakerEvent::Built { name, source } => observer.with(name, source, built),
        CircuitBreakerEvent::Dropped { name, source, state } => {
            observer.with(name, source, |named| named.add(Series::CircuitState(state), -1));
            observer.gone(source);
        }
        CircuitBreakerEvent::Settled { name, source, verdict, head, elapsed } => {
            observer.with(name, source, |named| settled(named, verdict, head, elapsed));
        }
        CircuitBreakerEvent::ReadyFailed { name, source } => {
            observer.with(name, source, |named| named.count(Series::CircuitReadyFailures, 1));
        }
        CircuitBreakerEvent::Transition { name, source, from, to, cause, .. } => {
            observer.with(name, source, |named| changed(named, from, to, cause));
        }
        CircuitBreakerEvent::Rejected { name, source, .. } => {
            observer.with(name, source, |named| named.count(Series::Rejections(RejectionReason::CircuitOpen), 1));
        }
        CircuitBreakerEvent::BodyBroke { name, source, .. } => {
            observer.with(name, source, |named| named.count(Series::CircuitLateBreaks, 1));
        }
        CircuitBreakerEvent::WouldHaveOpened { name, source, cause, .. } => {
            observer.with(name, source, |named| named.count(Series::CircuitWouldHaveOpened(cause), 1));
        }
    }
}

/// Shows the counters at 0, because one that first appears at 1 shows no increase.
fn built(named: &NamedSeries) {
    for state in [State::Closed, State::Open, State::HalfOpen] {
        named.add(Series::CircuitState(state), i64::from(state == State::Closed));
    }
    for verdict in [Verdict::Success, Verdict::Failure, Verdict::Throttled, Verdict::Ignored] {
        named.count(Series::CircuitCalls(verdict), 0);
    }
    named.count(Series::CircuitReadyFailures, 0);
    named.count(Series::Rejections(RejectionReason::CircuitOpen), 0);
}

fn settled(named: &NamedSeries, verdict: Verdict, head: Duration, elapsed: Duration) {
    named.count(Series::CircuitCalls(verdict), 1);
    named.record(Series::CircuitCallDuration(verdict), elapsed);
    if head < elapsed {
        named.record(Series::CircuitBodyDuration(verdict), elapsed - head);
    }
}

fn changed(named: &NamedSeries, from: State, to: State, cause: TransitionCause) {
    named.add(Series::CircuitState(from), -1);
    named.add(Series::CircuitState(to), 1);
    named.count(Series::CircuitTransitions(from, to), 1);
    if to == State::Open {
        named.count(Series::CircuitOpened(cause), 1);
    }
}
