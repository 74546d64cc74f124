use std::cell::Cell;
use std::future::pending;

use seaworthy::circuit_breaker::CircuitBreakerBuilder;
use seaworthy::{BoxError, CircuitBreaker, Deadline, DeadlineStage, OnDeadline, OnDrop, State, Timeout, Verdict};
use tokio::time::{Duration, advance};
use tokio_test::task::spawn;
use tokio_test::{assert_pending, assert_ready};
use tower::{ServiceBuilder, ServiceExt, service_fn};

use super::{MS, Told, stage};

fn builder() -> CircuitBreakerBuilder {
    CircuitBreaker::builder("c").consecutive_failures(1).open_for(10 * MS)
}

async fn answers(circuit_breaker: &CircuitBreaker, polled: &Cell<u32>) -> Result<(), BoxError> {
    circuit_breaker
        .run(async {
            polled.set(polled.get() + 1);
            Ok(())
        })
        .await
}

/// Ends at its deadline, after it was called.
async fn hangs(circuit_breaker: &CircuitBreaker) -> Option<DeadlineStage> {
    let timeout = Timeout::new(Duration::MAX);
    stage(circuit_breaker.run(timeout.run(pending::<Result<(), BoxError>>())).await)
}

/// DL-08: a call whose deadline has passed is not admitted, and counts as nothing: neither as a call nor as a rejection.
#[tokio::test(start_paused = true)]
async fn dl_08_not_admitted() {
    let (told, polled) = (Told::default(), Cell::new(0));
    let circuit_breaker = builder().observer(told.clone()).build().unwrap();
    let passed = Deadline::within(Duration::ZERO);
    let before = circuit_breaker.snapshot();
    assert_eq!(stage(passed.scope(answers(&circuit_breaker, &polled)).await), Some(DeadlineStage::Arrival));
    let permit = passed.scope(async { circuit_breaker.admit().map(drop) }).await;
    assert_eq!(stage(permit.map_err(BoxError::from)), Some(DeadlineStage::Arrival));
    let service = ServiceBuilder::new().layer(circuit_breaker.layer()).service(service_fn(|()| {
        polled.set(9);
        async { Ok::<_, BoxError>(()) }
    }));
    assert_eq!(stage(passed.scope(service.oneshot(())).await), Some(DeadlineStage::Arrival));
    assert_eq!((polled.get(), circuit_breaker.snapshot()), (0, before));
    assert_eq!(told.take(), ["c arrival 0ns"; 3]);
    Deadline::within(MS).scope(answers(&circuit_breaker, &polled)).await.unwrap();
    assert_eq!(polled.get(), 1);
}

/// DL-08: it does not become a probe either, and an open circuit stays open for it.
#[tokio::test(start_paused = true)]
async fn dl_08_no_probe() {
    let (circuit_breaker, polled) = (builder().build().unwrap(), Cell::new(0));
    circuit_breaker.admit().unwrap().settle(Verdict::Failure);
    advance(10 * MS).await;
    let passed = Deadline::within(Duration::ZERO);
    assert_eq!(stage(passed.scope(answers(&circuit_breaker, &polled)).await), Some(DeadlineStage::Arrival));
    assert_eq!((circuit_breaker.state(), circuit_breaker.snapshot().rejected), (State::Open, 0));
    Deadline::within(MS).scope(answers(&circuit_breaker, &polled)).await.unwrap();
    assert_eq!((circuit_breaker.state(), polled.get()), (State::Closed, 1));
}

/// DL-08, DL-18: nor is it let in as one by hand.
#[tokio::test(start_paused = true)]
async fn dl_08_no_probe_by_hand() {
    let circuit_breaker = builder().build().unwrap();
    circuit_breaker.admit().unwrap().settle(Verdict::Failure);
    advance(10 * MS).await;
    let probe = async { circuit_breaker.try_probe() };
    assert!(Deadline::within(Duration::ZERO).scope(probe).await.is_none());
    assert_eq!(circuit_breaker.state(), State::Open);
    let probe = async { circuit_breaker.try_probe() };
    assert!(Deadline::within(MS).scope(probe).await.is_some_and(|permit| permit.is_probe()));
}

/// DL-10: a probe by hand that has a deadline is timed, as other calls that have one.
#[tokio::test(start_paused = true)]
async fn dl_10_a_probe_by_hand() {
    for (limit, state) in [(6 * MS, State::HalfOpen), (5 * MS, State::Open)] {
        let policy = seaworthy::Policy::builder("p")
            .circuit_breaker(|circuit_breaker| circuit_breaker.consecutive_failures(1).open_for(10 * MS))
            .timeout(2 * limit)
            .build()
            .unwrap();
        let circuit_breaker = policy.circuit_breaker().unwrap();
        circuit_breaker.admit().unwrap().settle(Verdict::Failure);
        advance(10 * MS).await;
        let call = async {
            let permit = circuit_breaker.try_probe();
            advance(6 * MS).await;
            drop(permit);
        };
        Deadline::within(6 * MS).scope(call).await;
        assert_eq!(circuit_breaker.state(), state);
    }
}

/// a reading that is shared within a poll makes no call slow that was not: what is measured has its own.
#[tokio::test(start_paused = true)]
async fn x_07_a_shared_reading_makes_nothing_slow() {
    let circuit_breaker =
        CircuitBreaker::builder("c").slow_call(3 * MS).slow_rate(0.5).count_window(4).minimum_calls(1).build().unwrap();
    let polled = Cell::new(0);
    let calls = async {
        answers(&circuit_breaker, &polled).await.unwrap();
        // The poll goes on while time passes.
        let mut busy = spawn(advance(5 * MS));
        assert_pending!(busy.poll());
        answers(&circuit_breaker, &polled).await.unwrap();
    };
    Deadline::within(Duration::from_secs(3600)).scope(calls).await;
    assert_eq!((circuit_breaker.state(), circuit_breaker.snapshot().counts.slow, polled.get()), (State::Closed, 0, 2));
}

/// DL-10: a deadline that passed before the inner service was called says nothing about it, whatever is set.
#[tokio::test(start_paused = true)]
async fn dl_10_before_the_call() {
    let circuit_breaker = builder().on_deadline(OnDeadline::Failure).build().unwrap();
    for early in [DeadlineStage::Arrival, DeadlineStage::Queue] {
        let below = async { Err::<(), BoxError>(seaworthy::Rejected::DeadlineExceeded { stage: early }.into()) };
        circuit_breaker.run(below).await.unwrap_err();
        assert_eq!(circuit_breaker.state(), State::Closed);
    }
}

/// DL-10: after the inner service was called it is what `on_deadline` says, and what `on_drop` says if that is not set.
#[tokio::test(start_paused = true)]
async fn dl_10_after_the_call() {
    let over = |nanos| OnDeadline::FailureAfter(5 * MS - Duration::from_nanos(nanos));
    let set = |on_deadline| builder().on_deadline(on_deadline);
    for (builder, opens) in [
        (builder(), false),
        (set(OnDeadline::Ignore), false),
        (set(OnDeadline::Failure), true),
        (set(over(0)), false),
        (set(over(1)), true),
        (builder().on_drop(OnDrop::Failure), true),
        (builder().on_drop(over(1)), true),
        (set(OnDeadline::Ignore).on_drop(OnDrop::Failure), false),
    ] {
        let circuit_breaker = builder.build().unwrap();
        let stage = Deadline::within(5 * MS).scope(hangs(&circuit_breaker)).await;
        assert_eq!(stage, Some(DeadlineStage::Attempt));
        assert_eq!(circuit_breaker.state() == State::Open, opens, "{:?}", circuit_breaker.snapshot());
    }
}

/// DL-10: a probe that counts as nothing gives its place back; one that failed is a failed trial.
#[tokio::test(start_paused = true)]
async fn dl_10_a_probe() {
    for (on_deadline, state) in [(OnDeadline::Ignore, State::HalfOpen), (OnDeadline::Failure, State::Open)] {
        let circuit_breaker = builder().on_deadline(on_deadline).build().unwrap();
        circuit_breaker.admit().unwrap().settle(Verdict::Failure);
        advance(10 * MS).await;
        assert_eq!(Deadline::within(5 * MS).scope(hangs(&circuit_breaker)).await, Some(DeadlineStage::Attempt));
        assert_eq!(circuit_breaker.state(), state);
        assert_eq!(circuit_breaker.admit().is_ok(), state == State::HalfOpen);
    }
}

/// DL-10: a classifier may say so as well, and is not asked about a deadline.
#[tokio::test(start_paused = true)]
async fn dl_10_a_classifier() {
    let circuit_breaker = builder().on_deadline(OnDeadline::Failure).build().unwrap();
    let says_so = circuit_breaker.classify(|_: &Result<(), BoxError>| Verdict::DeadlineExceeded);
    says_so.run(async { Ok(()) }).await.unwrap();
    assert_eq!(circuit_breaker.state(), State::Open);
    circuit_breaker.reset();
    let lenient = circuit_breaker.classify(|_: &Result<(), BoxError>| Verdict::Success);
    let call = lenient.run(Timeout::new(Duration::MAX).run(pending::<Result<(), BoxError>>()));
    assert_eq!(stage(Deadline::within(MS).scope(call).await), Some(DeadlineStage::Attempt));
    assert_eq!(circuit_breaker.state(), State::Open);
}

/// DL-11: dropped after its deadline it counts by `on_deadline`, before it by `on_drop`.
#[tokio::test(start_paused = true)]
async fn dl_11_dropped() {
    for (wait, opens) in [(4 * MS, false), (5 * MS, true)] {
        let circuit_breaker = builder().on_drop(OnDrop::Ignore).on_deadline(OnDeadline::Failure).build().unwrap();
        let call = async { circuit_breaker.run(pending::<Result<(), BoxError>>()).await };
        let mut call = spawn(Deadline::within(5 * MS).scope(call));
        assert_pending!(call.poll());
        advance(wait).await;
        drop(call);
        assert_eq!(circuit_breaker.state() == State::Open, opens);
        assert_eq!(Deadline::current(), None);
    }
}

/// DL-19: nothing of a deadline outlives its call: the next one on the same service has none.
#[tokio::test(start_paused = true)]
async fn dl_19_nothing_is_left() {
    let (circuit_breaker, polled) = (builder().build().unwrap(), Cell::new(0));
    let mut call = spawn(Deadline::within(5 * MS).scope(hangs(&circuit_breaker)));
    assert_pending!(call.poll());
    drop(call);
    advance(6 * MS).await;
    let mut call = spawn(answers(&circuit_breaker, &polled));
    assert_ready!(call.poll()).unwrap();
}
