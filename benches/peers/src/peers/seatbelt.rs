//! `seatbelt`, driven as the `layered` service it is: as a tower service it boxes every future.

use std::any::Any;
use std::sync::OnceLock;
use std::task::Waker;
use std::time::Duration;

use layered::{Layer, Service};
use seatbelt::breaker::{self, HalfOpenMode};
use seatbelt::{RecoveryInfo, ResilienceContext};
use tick::Clock;
use tick::runtime::InactiveClock;

use crate::{Answer, Ask, Failure, Outcome, Peer, Rule, drive};

/// What the caller sees: seatbelt asks its owner for the value of a rejection.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Error {
    Inner,
    Rejected,
}

impl From<Failure> for Error {
    fn from(_: Failure) -> Self {
        Self::Inner
    }
}

#[derive(Clone)]
pub(super) struct Operation;

impl Service<Ask> for Operation {
    type Out = Result<(), Error>;

    fn execute(&self, ask: Ask) -> impl Future<Output = Self::Out> + Send {
        Answer::new(ask)
    }
}

type Breaker = breaker::Breaker<Ask, Result<(), Error>, Operation>;

/// With the system's clock, or with the coarse one that the clock's crate offers.
#[derive(Clone)]
pub(super) struct Seatbelt<const COARSE: bool>(Breaker);

/// One clock for all breakers. Nothing sleeps by it, so it need not be driven.
fn clock() -> &'static Clock {
    static CLOCK: OnceLock<Clock> = OnceLock::new();
    CLOCK.get_or_init(|| {
        let (clock, driver) = InactiveClock::default().activate(Waker::noop().clone());
        std::mem::forget(driver);
        clock
    })
}

fn layer(coarse: bool, open_for: Duration) -> impl Layer<Operation, Service = Breaker> {
    let clock = clock().clone().with_fast_instant(coarse);
    breaker::Breaker::layer("bench", &ResilienceContext::new(clock))
        .recovery_with(|result: &Result<(), Error>, _| match result {
            Ok(()) => RecoveryInfo::never(),
            Err(_) => RecoveryInfo::retry(),
        })
        .rejected_input_error(|_, _| Error::Rejected)
        .failure_threshold(Rule::RATE as f32)
        .sampling_duration(Rule::SPAN)
        .min_throughput(Rule::MINIMUM)
        .break_duration(open_for)
        .half_open_mode(HalfOpenMode::quick())
}

impl<const COARSE: bool> Peer for Seatbelt<COARSE> {
    const NAME: &'static str = if COARSE { "seatbelt, coarse clock" } else { "seatbelt" };
    const NOTE: &'static str = if COARSE {
        "the same with `Clock::with_fast_instant`, which is good to a few milliseconds."
    } else {
        "a service of its own kind, which borrows the breaker; as a tower service it boxes every \
         future. It has a time window and nothing else, which stands in for consecutive failures. \
         No count window."
    };

    /// It lets another probe through after each open time, so this must outlast the measurement.
    const HALF_OPEN_AFTER: Option<Duration> = Some(Duration::from_secs(4));

    fn build(rule: Rule, open_for: Duration) -> Option<Self> {
        (rule != Rule::CountWindow).then(|| Self(layer(COARSE, open_for).layer(Operation)))
    }

    fn exact(rule: Rule) -> bool {
        rule == Rule::TimeWindow
    }

    fn share(&self) -> Self {
        self.clone()
    }

    #[inline]
    fn call(&mut self, ask: Ask) -> Outcome {
        match drive::finish(self.0.execute(ask)) {
            Ok(()) => Outcome::Done,
            Err(Error::Inner) => Outcome::Failed,
            Err(Error::Rejected) => Outcome::Rejected,
        }
    }

    fn take_probes(&mut self) -> Box<dyn Any> {
        let Self(breaker) = self.clone();
        drive::begin(async move { breaker.execute(Ask::Hang).await })
    }

    /// Services of one layer share its settings and have a circuit breaker each.
    fn many(count: usize) -> Vec<Self> {
        let layer = layer(COARSE, Duration::from_secs(30));
        let mut breakers = Vec::with_capacity(count);
        breakers.extend((0..count).map(|_| Self(layer.layer(Operation))));
        breakers
    }
}
