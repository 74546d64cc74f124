use std::convert::Infallible;
use std::future::{pending, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use seaworthy::timeout::{FixedTimeout, Limit, ResponseFuture, TimeoutBuilder, TimeoutFor, TimeoutService};
use seaworthy::{BoxError, Error, Name, Observer, Rejected, StackError, Timeout};
use static_assertions::{assert_impl_all, assert_not_impl_any};
use tokio_test::task::spawn;
use tokio_test::{assert_pending, assert_ready, assert_ready_ok};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};
use tower_test::mock;

use super::{Script, Told};
use crate::support::{MS, SECOND, advance, listen};

const LIMIT: Duration = Duration::from_millis(20);

assert_impl_all!(Timeout: Clone, Send, Sync, Unpin);
assert_impl_all!(TimeoutBuilder: Clone, Send, Sync);
assert_impl_all!(TimeoutService<()>: Clone, Send, Sync, Unpin);
assert_impl_all!(ResponseFuture<std::future::Ready<()>>: Send, Sync, Unpin);
// A trait that the inner future lacks, this one lacks, too.
assert_not_impl_any!(ResponseFuture<std::marker::PhantomPinned>: Unpin);
assert_not_impl_any!(ResponseFuture<*const ()>: Send, Sync);
assert_impl_all!(FixedTimeout: Copy, Send, Sync);

fn layer() -> Timeout {
    Timeout::new(LIMIT)
}

fn timed_out(after: Duration) -> Option<Rejected> {
    Some(Rejected::TimedOut { after: after.into(), timeout: None })
}

fn rejection<T: std::fmt::Debug>(result: Result<T, BoxError>) -> Option<Rejected> {
    result.unwrap_err().rejected().cloned()
}

/// Polls once outside a runtime, where making a timer would panic.
fn poll_without_timers<F: Future>(future: F) -> Poll<F::Output> {
    assert!(tokio::runtime::Handle::try_current().is_err());
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// TO-01: after `d` inner is dropped, at that very poll, and the caller gets `TimedOut`; not before.
#[tokio::test(start_paused = true)]
async fn gives_up_when_the_time_is_over() {
    let script = Script::default();
    let mut call = spawn(layer().run(script.start()));
    assert_pending!(call.poll());
    advance(LIMIT - MS).await;
    assert!(!call.is_woken());
    assert_pending!(call.poll());
    assert_eq!((script.polls(), script.alive()), (2, 1));

    advance(MS).await;
    // The time is over, the task is woken, and nothing has happened yet.
    assert!(call.is_woken());
    assert_eq!(script.alive(), 1);
    assert_eq!(rejection(assert_ready!(call.poll())), timed_out(LIMIT));
    // The response future still exists, the inner one does not.
    assert_eq!(script.alive(), 0);
    drop(call);
}

/// TO-01: a response in time passes, good or bad, and nothing is reported.
#[tokio::test(start_paused = true)]
async fn answers_in_time_pass() {
    let (told, script) = (Told::default(), Script::default());
    let layer = Timeout::builder(LIMIT).observer(told.observer()).build().unwrap();
    for answer in [Ok("fine"), Err("broken")] {
        let mut call = spawn(layer.run(script.start()));
        assert_pending!(call.poll());
        advance(LIMIT - MS).await;
        script.answer(answer);
        assert!(call.is_woken());
        let result = assert_ready!(call.poll());
        assert_eq!(result.map_err(|error| error.to_string()), answer.map_err(String::from));
    }
    assert_eq!(told.take(), []);
}

/// TO-01: the same for a service; inner was called once, and its late response goes nowhere.
#[tokio::test(start_paused = true)]
async fn gives_up_a_call_of_a_service() {
    let (mut service, mut handle) = mock::spawn_with(|inner: mock::Mock<&str, &str>| layer().layer().layer(inner));
    handle.allow(2);
    assert_ready_ok!(service.poll_ready());
    let mut call = spawn(service.call("slow"));
    let (request, answer) = handle.next_request().await.unwrap();
    assert_eq!(request, "slow");
    assert_pending!(call.poll());
    advance(LIMIT).await;
    assert_eq!(rejection(assert_ready!(call.poll())), timed_out(LIMIT));
    answer.send_response("too late");

    // The service goes on: the next call has its own time.
    assert_ready_ok!(service.poll_ready());
    let mut call = spawn(service.call("quick"));
    let (_, answer) = handle.next_request().await.unwrap();
    assert_pending!(call.poll());
    advance(LIMIT - MS).await;
    answer.send_response("here");
    assert_eq!(assert_ready_ok!(call.poll()), "here");
}

/// TO-01: it is reported once, with the name, after inner is gone.
#[tokio::test(start_paused = true)]
async fn tells_after_inner_is_dropped() {
    let script = Script::default();
    let told = Told::default();
    let (seen, inner) = (told.observer(), script.clone());
    let layer = Timeout::builder(LIMIT)
        .name("slowpoke")
        .observer(move |event: &seaworthy::Event<'_>| {
            assert_eq!(inner.alive(), 0);
            seen.on_event(event);
        })
        .build()
        .unwrap();
    // ER-06: and the rejection says which timeout it was.
    let named = Rejected::TimedOut { after: LIMIT.into(), timeout: Some("slowpoke".into()) };
    assert_eq!(rejection(layer.run(script.start()).await), Some(named));
    assert_eq!(told.take(), [(Some("slowpoke".into()), Limit::Response, LIMIT)]);
}

/// TO-01: without an observer it is logged, as `debug` and with the name if there is one; a response is not.
#[tokio::test(start_paused = true)]
async fn logs_what_it_gives_up() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = listen(subscriber);
    layer().run(ready(Ok::<_, BoxError>(()))).await.unwrap();
    assert_eq!(log.take(), "");
    layer().run(pending::<Result<(), BoxError>>()).await.unwrap_err();
    let line = log.take();
    assert!(line.contains("DEBUG seaworthy::timeout: timed out limit=response after=20ms"), "{line}");
    let named = Timeout::builder(LIMIT).name("slowpoke").build().unwrap();
    named.run(pending::<Result<(), BoxError>>()).await.unwrap_err();
    let line = log.take();
    assert!(line.contains("timed out name=slowpoke limit=response after=20ms"), "{line}");
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut self.0.lock().unwrap())).unwrap()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// TO-01: an observer that panics changes nothing for the caller.
#[tokio::test(start_paused = true)]
async fn a_panicking_observer_is_survived() {
    let layer = Timeout::builder(LIMIT).observer(|_: &seaworthy::Event<'_>| panic!("dizzy")).build().unwrap();
    assert_eq!(rejection(layer.run(Script::default().start()).await), timed_out(LIMIT));
}

/// TO-01: polled again after it timed out, it panics and does not hang.
#[tokio::test(start_paused = true)]
async fn polled_after_the_end_it_panics() {
    let mut call = spawn(layer().run(Script::default().start()));
    assert_pending!(call.poll());
    advance(LIMIT).await;
    assert!(assert_ready!(call.poll()).is_err());
    assert!(catch_unwind(AssertUnwindSafe(|| call.poll().is_pending())).is_err());
}

/// TO-01: the error type stays the same: the user's own, or a wrapped one, down to `Infallible`.
#[tokio::test(start_paused = true)]
async fn every_stack_error_can_hold_it() {
    let lifted = layer().run(pending::<Result<(), Error<Infallible>>>()).await;
    assert_eq!(lifted, Err(Error::Rejected(Rejected::TimedOut { after: LIMIT.into(), timeout: None })));
    let service = ServiceBuilder::new()
        .layer(layer().layer())
        .layer(seaworthy::WrapErrorLayer::new())
        .service(service_fn(|()| pending::<Result<(), Infallible>>()));
    assert_eq!(
        service.oneshot(()).await,
        Err(Error::Rejected(Rejected::TimedOut { after: LIMIT.into(), timeout: None }))
    );
}

/// TO-01: an inner future that uses up its task's budget on every poll, and never rests, times out too.
#[tokio::test(start_paused = true)]
async fn a_greedy_inner_is_given_up() {
    let mut polls = 0;
    let greedy = std::future::poll_fn(move |cx| {
        polls += 1;
        if polls == 10_000 {
            return Poll::Ready(Ok::<_, BoxError>("nobody stopped me"));
        }
        while pin!(tokio::task::consume_budget()).poll(cx).is_ready() {}
        cx.waker().wake_by_ref();
        Poll::Pending
    });
    let call = tokio::spawn(layer().run(greedy));
    for _ in 0..4 {
        tokio::task::yield_now().await;
    }
    assert!(!call.is_finished());
    advance(LIMIT).await;
    assert_eq!(rejection(call.await.unwrap()), timed_out(LIMIT));
}

/// TO-02: a response that is ready at the poll at which the time is over, or long after, is not lost.
#[tokio::test(start_paused = true)]
async fn inner_is_polled_first() {
    for late in [Duration::ZERO, SECOND] {
        let script = Script::default();
        let mut call = spawn(layer().run(script.start()));
        assert_pending!(call.poll());
        advance(LIMIT + late).await;
        script.answer(Ok("just made it"));
        assert_eq!(assert_ready_ok!(call.poll()), "just made it");
    }
}

/// TO-03: a response on the first poll makes no timer: it needs no runtime. A pending one does need it.
#[test]
fn no_timer_for_an_answer_on_the_first_poll() {
    let answer = poll_without_timers(layer().run(ready(Ok::<_, BoxError>(7))));
    assert!(matches!(answer, Poll::Ready(Ok(7))));
    let waits = layer().run(pending::<Result<(), BoxError>>());
    assert!(catch_unwind(AssertUnwindSafe(|| poll_without_timers(waits))).is_err());
}

/// TO-03: the time counts from the first poll, not from `call`.
#[tokio::test(start_paused = true)]
async fn time_begins_with_the_first_poll() {
    let script = Script::default();
    let inner = script.clone();
    let mut service = layer().layer().layer(service_fn(move |()| inner.start()));
    let mut call = spawn(service.ready().await.unwrap().call(()));
    advance(100 * LIMIT).await;
    assert_pending!(call.poll());
    advance(LIMIT - MS).await;
    assert_pending!(call.poll());
    advance(MS).await;
    assert_eq!(rejection(assert_ready!(call.poll())), timed_out(LIMIT));
    assert_eq!(script.polls(), 3);
}

/// TO-03: waiting for inner to be ready has no limit and does not count.
#[tokio::test(start_paused = true)]
async fn readiness_is_not_limited() {
    let (mut service, mut handle) = mock::spawn_with(|inner: mock::Mock<(), &str>| layer().layer().layer(inner));
    handle.allow(0);
    assert_pending!(service.poll_ready());
    advance(100 * LIMIT).await;
    assert_pending!(service.poll_ready());
    handle.allow(1);
    assert_ready_ok!(service.poll_ready());
    let mut call = spawn(service.call(()));
    let (_, answer) = handle.next_request().await.unwrap();
    assert_pending!(call.poll());
    answer.send_response("ok");
    assert_eq!(assert_ready_ok!(call.poll()), "ok");
}

/// TO-04: a closure says how long each request may take; none means no limit.
#[tokio::test(start_paused = true)]
async fn each_request_has_its_limit() {
    let told = Told::default();
    let layer = Timeout::per_request(|limit: &Option<Duration>| *limit)
        .name("mixed")
        .observer(told.observer())
        .build()
        .unwrap();
    let service = layer.layer().layer(service_fn(|_| pending::<Result<(), BoxError>>()));
    for limit in [MS, LIMIT, 3600 * SECOND] {
        let mut call = spawn(service.clone().oneshot(Some(limit)));
        assert_pending!(call.poll());
        advance(limit - MS).await;
        assert_pending!(call.poll());
        advance(MS).await;
        let named = Rejected::TimedOut { after: limit.into(), timeout: Some("mixed".into()) };
        assert_eq!(rejection(assert_ready!(call.poll())), Some(named));
        assert_eq!(told.take(), [(Some("mixed".into()), Limit::Response, limit)]);
    }
    let mut endless = spawn(service.oneshot(None));
    assert_pending!(endless.poll());
    advance(365 * 24 * 3600 * SECOND).await;
    assert!(!endless.is_woken());
    assert_pending!(endless.poll());
    assert_eq!(told.take(), []);
}

/// TO-04: zero from a closure is a deadline that has passed: inner is called and polled once, for a response that is
/// ready, and then dropped without a timer.
#[test]
fn zero_for_a_request_is_over_at_once() {
    over_at_once(&Timeout::per_request(|_: &()| Some(Duration::ZERO)).build().unwrap(), None);
}

/// HC-21: making a timeout cannot fail: zero means what it means from a closure, with and without a name, as a layer
/// and around a future.
#[test]
fn zero_for_all_requests_is_over_at_once() {
    let plain = Timeout::new(Duration::ZERO);
    over_at_once(&plain, None);
    over_at_once(&Timeout::builder(Duration::ZERO).name("zero").build().unwrap(), Some("zero".into()));
    assert_eq!(plain.after(), Duration::ZERO);
    let answer = poll_without_timers(plain.run(pending::<Result<(), BoxError>>()));
    assert_eq!(answer.map(rejection), Poll::Ready(timed_out(Duration::ZERO)));
    assert!(matches!(poll_without_timers(plain.run(ready(Ok::<_, BoxError>(7)))), Poll::Ready(Ok(7))));
}

fn over_at_once<D: TimeoutFor<()> + Clone>(zero: &Timeout<D>, timeout: Option<Name>) {
    let script = Script::default();
    let inner = script.clone();
    let mut service = zero.layer().layer(service_fn(move |()| inner.start()));
    let answer = poll_without_timers(service.call(()));
    let rejected = Rejected::TimedOut { after: Duration::ZERO.into(), timeout };
    assert_eq!(answer.map(rejection), Poll::Ready(Some(rejected)));
    assert_eq!((script.polls(), script.alive()), (1, 0));

    script.answer(Ok("there already"));
    assert!(matches!(poll_without_timers(service.call(())), Poll::Ready(Ok("there already"))));
}

/// TO-04: a closure that panics does so before inner is called.
#[tokio::test]
async fn a_panicking_closure_leaves_inner_alone() {
    let (inner, mut handle) = mock::pair::<(), ()>();
    let layer = Timeout::per_request(|_: &()| -> Option<Duration> { panic!("no idea") }).build().unwrap();
    let mut service = layer.layer().layer(inner);
    service.ready().await.unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| drop(service.call(())))).is_err());
    assert_pending!(spawn(handle.next_request()).poll());
}

/// TO-05: a duration that the clock cannot represent means no limit: no panic, and no timer either.
#[test]
fn too_long_is_no_limit() {
    for limit in
        [Duration::MAX, Duration::from_secs(u64::MAX), Duration::from_nanos(u64::MAX) + Duration::from_nanos(1)]
    {
        let layer = Timeout::new(limit);
        assert!(poll_without_timers(layer.run(pending::<Result<(), BoxError>>())).is_pending());
        assert!(matches!(poll_without_timers(layer.run(ready(Ok::<_, BoxError>(7)))), Poll::Ready(Ok(7))));
    }
}

/// TO-05: the longest that it can represent does not panic, and years are kept to the millisecond.
#[tokio::test(start_paused = true)]
async fn long_limits_are_kept() {
    let longest = Timeout::new(Duration::from_nanos(u64::MAX));
    assert_pending!(spawn(longest.run(pending::<Result<(), BoxError>>())).poll());

    let years = Duration::from_secs(10 * 365 * 24 * 3600);
    let layer = Timeout::new(years);
    let mut call = spawn(layer.run(pending::<Result<(), BoxError>>()));
    assert_pending!(call.poll());
    advance(years - MS).await;
    assert_pending!(call.poll());
    advance(MS).await;
    assert_eq!(rejection(assert_ready!(call.poll())), timed_out(years));
}

/// TO-05: an empty name is a build error that names the field.
#[test]
fn bad_settings_are_refused() {
    assert_eq!(Timeout::builder(SECOND).name("").build().unwrap_err().field(), "name");
    let each = Timeout::per_request(|(): &()| None::<Duration>).name("").build();
    assert_eq!(each.map(drop).unwrap_err().field(), "name");

    let name = |timeout: Timeout| timeout.name().map(ToString::to_string);
    assert_eq!(name(Timeout::builder(SECOND).name("ship").build().unwrap()).as_deref(), Some("ship"));
    assert_eq!(name(Timeout::new(SECOND)), None);

    // Nothing is clamped: a nanosecond is a limit.
    assert_eq!(Timeout::new(Duration::from_nanos(1)).after(), Duration::from_nanos(1));
    assert_eq!(Timeout::new(Duration::from_nanos(u64::MAX - 1)).after(), Duration::from_nanos(u64::MAX - 1));
    assert_eq!(Timeout::new(Duration::from_nanos(u64::MAX)).after(), Duration::MAX);
}
