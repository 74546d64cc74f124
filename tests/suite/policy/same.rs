//! A policy against hand-assembled layers in the same order: whatever they are asked, whatever is dropped and however
//! long it takes, they behave the same and report the same. The hand-made stack shares neither service nor future with
//! the policy.
//!
//! In one respect layers cannot do what a policy does: a call that waited for its permit is admitted afresh (HC-22).
//! There the model is a plain function, and only the timeout and the retries remain layers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use seaworthy::circuit_breaker::CircuitBreakerBuilder;
use seaworthy::observe::{CircuitBreakerEvent, Interest, RetryEvent};
use seaworthy::{Bulkhead, CircuitBreaker, Event, Observer, OnDrop, RetryPolicy, Timeout};
use tower::util::BoxCloneService;
use tower::{Service, ServiceBuilder};

use super::backend::Readiness;
use super::*;
use crate::support::advance;

#[derive(Clone, Debug)]
struct Settings {
    circuit_breaker: Option<(u32, OnDrop, bool)>,
    bulkhead: Option<(u32, u64, u32)>,
    timeout: Option<u64>,
    attempts: Option<u32>,
    /// Whether the observer wants events of calls.
    wants_calls: bool,
}

fn settings() -> impl Strategy<Value = Settings> {
    let on_drop = prop_oneof![
        Just(OnDrop::Ignore),
        Just(OnDrop::Failure),
        (1..30_u64).prop_map(|after| OnDrop::FailureAfter(Duration::from_millis(after)))
    ];
    let circuit_breaker = proptest::option::weighted(0.9, (1..4_u32, on_drop, any::<bool>()));
    let bulkhead = proptest::option::weighted(0.9, (1..3_u32, prop_oneof![Just(0), 1..40_u64], 1..3_u32));
    let timeout = proptest::option::weighted(0.8, 1..40_u64);
    let attempts = proptest::option::weighted(0.6, 1..4_u32);
    let parts = (circuit_breaker, bulkhead, timeout, attempts, any::<bool>());
    parts.prop_map(|(circuit_breaker, bulkhead, timeout, attempts, wants_calls)| Settings {
        circuit_breaker,
        bulkhead,
        timeout,
        attempts,
        wants_calls,
    })
}

#[derive(Clone, Debug)]
enum Op {
    Ask(Do),
    Poll(prop::sample::Index),
    Drop(prop::sample::Index),
    Advance(u64),
    TakeSlot,
    FreeSlot,
    ForceOpen,
    Reset,
    SetReadiness(Readiness),
    /// Asks one of two long-lived services whether it is ready.
    PollReady(usize),
    /// Calls it, if it was ready.
    Call(usize, Do),
}

fn what() -> impl Strategy<Value = Do> {
    prop_oneof![
        3 => Just(Do::Answer),
        3 => (1..60_u64).prop_map(|time| Do::AnswerAfter(Duration::from_millis(time))),
        3 => Just(Do::Fail),
        1 => Just(Do::Hang),
        1 => Just(Do::Panic),
    ]
}

/// Long-lived services, and a backend that is not always ready.
fn op_of_services() -> impl Strategy<Value = Op> {
    let readiness = prop_oneof![
        2 => Just(Readiness::Ready),
        1 => Just(Readiness::Pending),
        1 => Just(Readiness::Fails),
    ];
    prop_oneof![
        6 => op(),
        4 => readiness.prop_map(Op::SetReadiness),
        8 => (0..2_usize).prop_map(Op::PollReady),
        8 => ((0..2_usize), what()).prop_map(|(number, request)| Op::Call(number, request)),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => what().prop_map(Op::Ask),
        6 => any::<prop::sample::Index>().prop_map(Op::Poll),
        3 => any::<prop::sample::Index>().prop_map(Op::Drop),
        6 => (1..80_u64).prop_map(Op::Advance),
        1 => Just(Op::TakeSlot),
        1 => Just(Op::FreeSlot),
        1 => Just(Op::ForceOpen),
        1 => Just(Op::Reset),
    ]
}

type AnyService = BoxCloneService<Do, &'static str, BoxError>;
type Call = Pin<Box<dyn Future<Output = Result<&'static str, BoxError>>>>;

#[derive(Debug, Default, Clone)]
struct Log {
    lines: Arc<Mutex<Vec<String>>>,
    /// How many requests began. Not among the lines: without tower there is no `poll_ready` that could notice things
    /// earlier.
    began: Arc<AtomicU32>,
    wants_calls: bool,
}

impl Log {
    fn new(settings: &Settings) -> Log {
        Log { wants_calls: settings.wants_calls, ..Log::default() }
    }

    fn observer(&self) -> Log {
        self.clone()
    }
}

impl Observer for Log {
    fn on_event(&self, event: &Event<'_>) {
        if let Event::Retry(RetryEvent::Began { .. }) = event {
            self.began.fetch_add(1, Ordering::Relaxed);
        } else if !matches!(
            event,
            Event::CircuitBreaker(CircuitBreakerEvent::Settled { verdict: Verdict::Ignored, .. })
        ) {
            // A permit released because its call has to wait is reported as ignored by hand, and not at all by a
            // policy.
            self.lines.lock().unwrap().push(format!("{event:?}"));
        }
    }

    fn interest(&self) -> Interest {
        if self.wants_calls { Interest::Calls } else { Interest::Changes }
    }
}

/// One of the stacks compared: its handles, how it makes a call, and the calls it has made.
struct World {
    circuit_breaker: Option<CircuitBreaker>,
    bulkhead: Option<Bulkhead>,
    retry: Option<RetryPolicy>,
    ask: Box<dyn Fn(Do) -> Call>,
    /// The long-lived ones, and whether each is ready. There are none without tower.
    services: Vec<(AnyService, bool)>,
    backend: Backend,
    calls: Vec<Option<Call>>,
    bulkhead_permit: Option<seaworthy::bulkhead::Permit>,
    log: Log,
}

fn of_circuit(builder: CircuitBreakerBuilder, (failures, on_drop, slow): (u32, OnDrop, bool)) -> CircuitBreakerBuilder {
    let builder = builder.consecutive_failures(failures).on_drop(on_drop).open_for(50 * MS);
    if slow { builder.slow_call(25 * MS).slow_rate(0.5).count_window(4).success_threshold(2) } else { builder }
}

impl World {
    fn by_hand(settings: &Settings) -> World {
        let (log, backend) = (Log::new(settings), Backend::default());
        let circuit_breaker = settings
            .circuit_breaker
            .map(|circuit_breaker| of_circuit(CircuitBreaker::builder("same"), circuit_breaker));
        let circuit_breaker = circuit_breaker.map(|builder| builder.observer(log.observer()).build().unwrap());
        let bulkhead = settings.bulkhead.map(|(limit, wait, waiting)| {
            let bulkhead = Bulkhead::builder("same").limit(limit).max_wait(Duration::from_millis(wait));
            bulkhead.max_queued(waiting).observer(log.observer()).build().unwrap()
        });
        let retry = settings.attempts.map(|attempts| {
            let retry = RetryPolicy::builder("same").attempts(attempts).backoff(Backoff::constant(PAUSE));
            retry.observer(log.observer()).build().unwrap()
        });
        let waits = settings.bulkhead.is_some_and(|(_, wait, _)| wait > 0);
        let mut service = BoxCloneService::new(backend.clone());
        if let Some(time) = settings.timeout {
            let timeout = Timeout::builder(Duration::from_millis(time)).name("same").observer(log.observer());
            service = ServiceBuilder::new().layer(timeout.build().unwrap().layer()).service(service).boxed_clone();
        }
        let both = circuit_breaker.clone().zip(bulkhead.clone()).filter(|_| waits);
        if let Some((circuit_breaker, bulkhead)) = both {
            let inner = service;
            let attempt =
                move |request| admitted_afresh(circuit_breaker.clone(), bulkhead.clone(), inner.clone(), request);
            service = BoxCloneService::new(tower::service_fn(attempt));
        } else {
            service = World::layers(service, circuit_breaker.as_ref(), bulkhead.as_ref());
        }
        if let Some(retry) = &retry {
            service = ServiceBuilder::new().layer(retry.layer()).service(service).boxed_clone();
        }
        let services = vec![(service.clone(), false), (service.clone(), false)];
        let ask = Box::new(move |request| Box::pin(service.clone().oneshot(request)) as Call);
        World { circuit_breaker, bulkhead, retry, ask, services, backend, calls: vec![], bulkhead_permit: None, log }
    }

    fn layers(
        mut service: AnyService,
        circuit_breaker: Option<&CircuitBreaker>,
        bulkhead: Option<&Bulkhead>,
    ) -> AnyService {
        if let Some(bulkhead) = bulkhead {
            service = ServiceBuilder::new().layer(bulkhead.layer()).service(service).boxed_clone();
        }
        if let Some(circuit_breaker) = circuit_breaker {
            service = ServiceBuilder::new().layer(circuit_breaker.layer()).service(service).boxed_clone();
        }
        service
    }

    fn of_policy(settings: &Settings, way: Way, leak: bool) -> World {
        let (log, backend) = (Log::new(settings), Backend::default());
        let mut builder = Policy::builder("same").observer(log.observer());
        if let Some(circuit_breaker) = settings.circuit_breaker {
            // A shared one may have times that this policy alone would never reach.
            let circuit_breaker = of_circuit(CircuitBreaker::builder("same"), circuit_breaker).observer(log.observer());
            builder = builder.shared_circuit_breaker(circuit_breaker.build().unwrap());
        }
        if let Some((limit, wait, waiting)) = settings.bulkhead {
            builder = builder
                .bulkhead(|bulkhead| bulkhead.limit(limit).max_wait(Duration::from_millis(wait)).max_queued(waiting));
        }
        if let Some(time) = settings.timeout {
            builder = builder.timeout(Duration::from_millis(time));
        }
        if let Some(attempts) = settings.attempts {
            builder = builder.retry(|retry| retry.attempts(attempts).backoff(Backoff::constant(PAUSE)));
        }
        let policy = builder.build().unwrap();
        let policy = if leak { policy.leak() } else { policy };
        let (circuit_breaker, bulkhead) = (policy.circuit_breaker().cloned(), policy.bulkhead().cloned());
        let retry = policy.retry_policy().cloned();
        let service: AnyService = match settings.attempts {
            None => policy.layer().without_retry().layer(backend.clone()).boxed_clone(),
            Some(_) => policy.layer().layer(backend.clone()).boxed_clone(),
        };
        let services = vec![(service.clone(), false), (service, false)];
        let asked = backend.clone();
        let ask = Box::new(move |request| Box::pin(way.ask(&policy, &asked, request)) as Call);
        World { circuit_breaker, bulkhead, retry, ask, services, backend, calls: vec![], bulkhead_permit: None, log }
    }

    /// Polls a call; the outcome, if there is one.
    fn poll(&mut self, number: usize) -> Option<String> {
        let call = self.calls.get_mut(number)?;
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        let running = call.as_mut()?;
        let said = match catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(&mut cx))) {
            Ok(std::task::Poll::Pending) => return None,
            Ok(std::task::Poll::Ready(Ok(answer))) => answer.to_owned(),
            Ok(std::task::Poll::Ready(Err(error))) => format!("{error}; {:?}", error.rejected()),
            Err(_) => "panic".to_owned(),
        };
        *call = None;
        Some(said)
    }

    /// Applies one operation and returns everything observable.
    fn step(&mut self, op: &Op) -> String {
        let mut said = None;
        match op {
            Op::Ask(request) => {
                self.calls.push(Some((self.ask)(*request)));
                said = self.poll(self.calls.len() - 1);
            }
            Op::Poll(index) if !self.calls.is_empty() => said = self.poll(index.index(self.calls.len())),
            Op::Drop(index) if !self.calls.is_empty() => {
                let number = index.index(self.calls.len());
                self.calls[number] = None;
            }
            Op::TakeSlot => {
                self.bulkhead_permit = self.bulkhead.as_ref().and_then(|bulkhead| bulkhead.try_acquire().ok())
            }
            Op::FreeSlot => self.bulkhead_permit = None,
            Op::ForceOpen => self.circuit_breaker.iter().for_each(CircuitBreaker::force_open),
            Op::Reset => self.circuit_breaker.iter().for_each(CircuitBreaker::reset),
            Op::SetReadiness(readiness) => self.backend.set_readiness(*readiness),
            Op::PollReady(number) => {
                let (service, ready) = &mut self.services[*number];
                let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
                let poll = service.poll_ready(&mut cx);
                *ready = matches!(poll, std::task::Poll::Ready(Ok(())));
                said = Some(format!("{poll:?}"));
            }
            Op::Call(number, request) => {
                let (service, ready) = &mut self.services[*number];
                if std::mem::take(ready) {
                    self.calls.push(Some(Box::pin(service.call(*request))));
                    said = self.poll(self.calls.len() - 1);
                }
            }
            Op::Poll(_) | Op::Drop(_) | Op::Advance(_) => {}
        }
        let circuit_breaker = self.circuit_breaker.as_ref().map(CircuitBreaker::snapshot);
        let bulkhead = self.bulkhead.as_ref().map(Bulkhead::snapshot);
        let balance = self.retry.as_ref().and_then(|retry| Some(retry.budget()?.balance()));
        let told = std::mem::take(&mut *self.log.lines.lock().unwrap());
        let (calls, began) = (self.backend.calls(), self.log.began.load(Ordering::Relaxed));
        format!("{said:?}, {circuit_breaker:?}, {bulkhead:?}, {balance:?}, {calls} calls, {began} began, {told:#?}")
    }
}

/// An attempt that holds no circuit breaker permit while it waits for the bulkhead's, and asks again once it has that.
async fn admitted_afresh(
    circuit_breaker: CircuitBreaker,
    bulkhead: Bulkhead,
    inner: AnyService,
    request: Do,
) -> Result<&'static str, BoxError> {
    let mut permit = circuit_breaker.admit()?;
    let mut take = std::pin::pin!(bulkhead.acquire());
    let at_once = std::future::poll_fn(|cx| match take.as_mut().poll(cx) {
        std::task::Poll::Ready(taken) => std::task::Poll::Ready(Some(taken)),
        std::task::Poll::Pending => std::task::Poll::Ready(None),
    });
    let bulkhead_permit = match at_once.await {
        Some(Ok(bulkhead_permit)) => bulkhead_permit,
        Some(Err(full)) => {
            permit.settle(Verdict::Ignored);
            return Err(full.into());
        }
        None => {
            permit.settle(Verdict::Ignored);
            let bulkhead_permit = take.await?;
            permit = circuit_breaker.admit()?;
            bulkhead_permit
        }
    };
    // Dropped in this order: the circuit breaker's permit, the call, the bulkhead's permit.
    let mut running = (Some(permit), Box::pin(inner.oneshot(request)), Some(bulkhead_permit));
    let result = std::future::poll_fn(|cx| {
        let (permit, call, bulkhead_permit) = &mut running;
        let poll = catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(cx)));
        if !matches!(poll, Ok(std::task::Poll::Pending)) {
            drop(bulkhead_permit.take());
            let verdict =
                if matches!(poll, Ok(std::task::Poll::Ready(Ok(_)))) { Verdict::Success } else { Verdict::Failure };
            if let Some(permit) = permit.take() {
                permit.settle(verdict);
            }
        }
        poll.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    });
    result.await
}

async fn compare(settings: &Settings, ops: &[Op], ways: &[(Way, bool)]) -> Result<(), TestCaseError> {
    let mut model = World::by_hand(settings);
    let mut worlds: Vec<World> = ways.iter().map(|(way, leak)| World::of_policy(settings, *way, *leak)).collect();
    for op in ops {
        if let Op::Advance(time) = op {
            advance(Duration::from_millis(*time)).await;
        }
        let expected = model.step(op);
        for (number, world) in worlds.iter_mut().enumerate() {
            let seen = world.step(op);
            prop_assert_eq!(&seen, &expected, "world {}, {:?}", number, op);
        }
    }
    // Everything left is dropped.
    model.calls.clear();
    let expected = model.step(&Op::FreeSlot);
    for world in &mut worlds {
        world.calls.clear();
        prop_assert_eq!(&world.step(&Op::FreeSlot), &expected);
        let free = world.bulkhead.as_ref().is_none_or(|bulkhead| bulkhead.available() == bulkhead.limit());
        prop_assert!(free);
    }
    Ok(())
}

fn run(settings: &Settings, ops: &[Op], ways: &[(Way, bool)]) -> Result<(), TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(compare(settings, ops, ways))
}

proptest! {
    /// PO-01 to PO-05, and all statements about the parts: a policy does what the layers do, in this order.
    #[test]
    fn property_same_as_by_hand(settings in settings(), ops in prop::collection::vec(op(), 1..60)) {
        run(&settings, &ops, &[(Way::Layer, false), (Way::Run, false), (Way::Layer, true)])?;
    }

    /// PO-01, PO-03: so do its services, when they are kept and made ready ahead of the call, around a backend that is
    /// not always ready.
    #[test]
    fn property_same_services(mut settings in settings(), ops in prop::collection::vec(op_of_services(), 1..60)) {
        // What a policy does after a wait, no layers do.
        if let (Some(_), Some((_, wait, _))) = (&settings.circuit_breaker, &mut settings.bulkhead) {
            *wait = 0;
        }
        run(&settings, &ops, &[(Way::Layer, false), (Way::Layer, true)])?;
    }
}
