//! TO-06, DL-16: limits for bodies.

mod deadline;
mod model;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Empty, Full};
use seaworthy::http::{BodyTimeoutBuilder, BodyTimeoutFuture, BodyTimeoutLayer, BodyTimeoutService, TimeoutBody};
use seaworthy::timeout::Limit;
use seaworthy::{BoxError, DeadlineStage, Rejected, StackError, TimeoutLayer};
use static_assertions::{assert_impl_all, assert_not_impl_any};
use tokio_test::task::spawn;
use tokio_test::{assert_pending, assert_ready, assert_ready_ok};
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};
use tower_test::mock;

use super::Told;
use crate::support::{MS, SECOND, advance};

const IDLE: Duration = Duration::from_millis(10);
const TOTAL: Duration = Duration::from_millis(100);

assert_impl_all!(BodyTimeoutLayer: Clone, Send, Sync, Unpin);
assert_impl_all!(BodyTimeoutBuilder: Clone, Default, Send, Sync);
assert_impl_all!(BodyTimeoutService<()>: Clone, Send, Sync, Unpin);
assert_impl_all!(BodyTimeoutFuture<()>: Send, Sync, Unpin);
assert_impl_all!(TimeoutBody<Full<Bytes>>: Default, Send, Sync, Unpin);
assert_not_impl_any!(TimeoutBody<std::marker::PhantomPinned>: Unpin);
assert_not_impl_any!(TimeoutBody<*const ()>: Send, Sync);

/// A body that is fed by the test.
#[derive(Clone, Debug, Default)]
struct Tap(Arc<Mutex<Water>>);

#[derive(Debug, Default)]
struct Water {
    /// None is the end.
    frames: VecDeque<Option<Result<Frame<Bytes>, &'static str>>>,
    waker: Option<Waker>,
    /// Whether the end is known before it is polled for.
    tells_end: bool,
    alive: bool,
}

#[derive(Debug)]
struct Flow(Tap);

impl Tap {
    fn flow(&self) -> Flow {
        self.0.lock().unwrap().alive = true;
        Flow(self.clone())
    }

    fn push(&self, frame: Option<Result<Frame<Bytes>, &'static str>>) {
        let mut water = self.0.lock().unwrap();
        water.frames.push_back(frame);
        water.waker.take().into_iter().for_each(Waker::wake);
    }

    fn data(&self, text: &'static str) {
        self.push(Some(Ok(Frame::data(Bytes::from_static(text.as_bytes())))));
    }

    fn trailers(&self) {
        self.push(Some(Ok(Frame::trailers(HeaderMap::new()))));
    }

    fn end(&self) {
        self.push(None);
    }

    fn is_alive(&self) -> bool {
        self.0.lock().unwrap().alive
    }
}

impl Drop for Flow {
    fn drop(&mut self) {
        self.0.0.lock().unwrap().alive = false;
    }
}

impl Body for Flow {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        let mut water = self.0.0.lock().unwrap();
        water.waker = Some(cx.waker().clone());
        water.frames.pop_front().map_or(Poll::Pending, Poll::Ready)
    }

    fn is_end_stream(&self) -> bool {
        let water = self.0.0.lock().unwrap();
        water.tells_end && matches!(water.frames.front(), Some(None))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.0.lock().unwrap().frames.len() as u64)
    }
}

fn idle() -> BodyTimeoutLayer {
    BodyTimeoutLayer::builder().idle(IDLE).build().unwrap()
}

fn total() -> BodyTimeoutLayer {
    BodyTimeoutLayer::builder().total(TOTAL).build().unwrap()
}

fn both() -> BodyTimeoutLayer {
    BodyTimeoutLayer::builder().idle(IDLE).total(TOTAL).build().unwrap()
}

/// What one poll for a frame gives.
#[derive(Clone, Debug, PartialEq)]
enum Got {
    Pending,
    Data(Bytes),
    Trailers,
    End,
    Broken(String),
    TimedOut(Duration),
    DeadlineExceeded,
}

fn data(text: &'static str) -> Got {
    Got::Data(Bytes::from_static(text.as_bytes()))
}

fn got(poll: Poll<Option<Result<Frame<Bytes>, BoxError>>>) -> Got {
    match poll {
        Poll::Pending => Got::Pending,
        Poll::Ready(None) => Got::End,
        Poll::Ready(Some(Ok(frame))) => frame.into_data().map_or(Got::Trailers, Got::Data),
        Poll::Ready(Some(Err(error))) => match error.rejected() {
            Some(Rejected::TimedOut { after, .. }) => Got::TimedOut(after.get()),
            Some(Rejected::DeadlineExceeded { stage: DeadlineStage::Body, .. }) => Got::DeadlineExceeded,
            _ => Got::Broken(error.to_string()),
        },
    }
}

/// A body in its own task.
struct Reader(tokio_test::task::Spawn<TimeoutBody<Flow>>);

impl Reader {
    fn new(layer: &BodyTimeoutLayer, tap: &Tap) -> Reader {
        Reader(spawn(layer.wrap(tap.flow())))
    }

    fn poll(&mut self) -> Got {
        got(self.0.enter(|cx, body| body.poll_frame(cx)))
    }

    /// Polls when there is a frame.
    fn poll_with(&mut self, tap: &Tap) -> Got {
        tap.data("x");
        self.poll()
    }
}

/// TO-06: frames that are ready pass unchanged, with trailers, size hint and end. They make no timer: no runtime is
/// needed.
#[test]
fn ready_frames_pass_and_make_no_timer() {
    assert!(tokio::runtime::Handle::try_current().is_err());
    let tap = Tap::default();
    tap.0.lock().unwrap().tells_end = true;
    let mut reader = Reader::new(&both(), &tap);
    tap.data("a");
    tap.data("b");
    tap.trailers();
    tap.end();
    assert_eq!(reader.0.size_hint().exact(), Some(4));
    assert!(!reader.0.is_end_stream());
    assert_eq!([reader.poll(), reader.poll(), reader.poll()], [data("a"), data("b"), Got::Trailers]);
    assert!(reader.0.is_end_stream());
    assert_eq!((reader.poll(), reader.poll()), (Got::End, Got::Pending));

    // Waiting does need a timer.
    let mut waits = Reader::new(&both(), &tap);
    assert!(catch_unwind(AssertUnwindSafe(|| waits.poll())).is_err());
}

/// TO-06: a frame that does not come within the idle time ends the body: inner is dropped at that poll, the poll
/// returns the error, and then comes the end.
#[tokio::test(start_paused = true)]
async fn gives_up_an_idle_body() {
    let (tap, told) = (Tap::default(), Told::default());
    let layer = BodyTimeoutLayer::builder().idle(IDLE).name("feed").observer(told.observer()).build().unwrap();
    let mut reader = Reader::new(&layer, &tap);
    for _ in 0..30 {
        assert_eq!(reader.poll(), Got::Pending);
        advance(IDLE - MS).await;
        assert_eq!(reader.poll(), Got::Pending);
        tap.data("x");
        assert!(reader.0.is_woken());
        assert_eq!(reader.poll(), data("x"));
    }
    assert_eq!(told.take(), []);

    assert_eq!(reader.poll(), Got::Pending);
    advance(IDLE - MS).await;
    assert!(!reader.0.is_woken());
    advance(MS).await;
    assert!(reader.0.is_woken() && tap.is_alive());
    assert_eq!(reader.poll(), Got::TimedOut(IDLE));
    assert!(!tap.is_alive());
    assert_eq!(told.take(), [(Some("feed".into()), Limit::BodyIdle, IDLE)]);
    assert!(reader.0.is_end_stream());
    assert_eq!(reader.0.size_hint().exact(), Some(0));
    assert_eq!(reader.poll(), Got::End);
}

/// TO-06: the idle time counts only while a reader waits: a slow reader does not use it up.
#[tokio::test(start_paused = true)]
async fn a_slow_reader_is_not_idle() {
    let tap = Tap::default();
    let mut reader = Reader::new(&idle(), &tap);
    advance(SECOND).await;
    assert_eq!(reader.poll(), Got::Pending);
    tap.data("a");
    assert_eq!(reader.poll(), data("a"));
    advance(SECOND).await;
    // Nothing was polled; the time begins with this poll.
    assert_eq!(reader.poll(), Got::Pending);
    advance(IDLE - MS).await;
    assert_eq!(reader.poll(), Got::Pending);
    advance(MS).await;
    assert_eq!(reader.poll(), Got::TimedOut(IDLE));
}

/// TO-06: a frame that is ready when the idle time is over wins.
#[tokio::test(start_paused = true)]
async fn a_frame_wins_over_the_idle_time() {
    let tap = Tap::default();
    let mut reader = Reader::new(&idle(), &tap);
    assert_eq!(reader.poll(), Got::Pending);
    advance(IDLE).await;
    tap.data("a");
    assert_eq!(reader.poll(), data("a"));
    assert!(tap.is_alive());
}

/// TO-06: the total time counts from the head, whether or not a reader waits.
#[tokio::test(start_paused = true)]
async fn gives_up_a_body_that_does_not_end() {
    for waits in [true, false] {
        let (tap, told) = (Tap::default(), Told::default());
        let layer = BodyTimeoutLayer::builder().total(TOTAL).observer(told.observer()).build().unwrap();
        let mut reader = Reader::new(&layer, &tap);
        advance(TOTAL / 2).await;
        tap.data("a");
        assert_eq!(reader.poll(), data("a"));
        if waits {
            assert_eq!(reader.poll(), Got::Pending);
        }
        advance(TOTAL / 2 - MS).await;
        assert_eq!(reader.poll(), Got::Pending);
        advance(MS).await;
        assert!(reader.0.is_woken());
        assert_eq!(reader.poll(), Got::TimedOut(TOTAL));
        assert!(!tap.is_alive());
        assert_eq!(told.take(), [(None, Limit::BodyTotal, TOTAL)]);
        assert_eq!(reader.poll(), Got::End);
    }
}

/// TO-06: if the total time is over before any reader waits, no timer is made to find out: no runtime is needed.
#[test]
fn what_is_over_needs_no_timer() {
    assert!(tokio::runtime::Handle::try_current().is_err());
    let layer = BodyTimeoutLayer::builder().idle(IDLE).total(Duration::from_nanos(1)).build().unwrap();
    let (tap, busy) = (Tap::default(), Tap::default());
    let (mut reader, mut clock) = (Reader::new(&layer, &tap), Reader::new(&layer, &busy));
    // The real clock advances: once the later of two bodies is over, the earlier one is, too.
    let over = Got::TimedOut(Duration::from_nanos(1));
    while clock.poll_with(&busy) != over {}
    assert_eq!(reader.poll(), over);
    assert!(!tap.is_alive());
}

/// TO-06: a body that never makes its reader wait is cut off too, once the total time is over and there is more to
/// come.
#[tokio::test(start_paused = true)]
async fn the_total_time_ends_a_stream_that_is_always_ready() {
    let tap = Tap::default();
    let mut reader = Reader::new(&total(), &tap);
    for text in ["a", "b", "c"] {
        tap.data(text);
    }
    assert_eq!(reader.poll(), data("a"));
    advance(TOTAL - MS).await;
    assert_eq!(reader.poll(), data("b"));
    advance(MS).await;
    assert_eq!(reader.poll(), Got::TimedOut(TOTAL));
    assert!(!tap.is_alive());
}

/// TO-06: a complete body is not cut off: its end, its trailers, its own error and a frame that is known to be the last
/// pass after the total time.
#[tokio::test(start_paused = true)]
async fn a_whole_body_is_not_cut() {
    type Fill = fn(&Tap);
    let fill: [(Fill, Got); 4] = [
        (Tap::end, Got::End),
        (Tap::trailers, Got::Trailers),
        (|tap| tap.push(Some(Err("broken"))), Got::Broken("broken".into())),
        (|tap| (tap.data("last"), tap.end()).1, data("last")),
    ];
    for (fill, last) in fill {
        let tap = Tap::default();
        tap.0.lock().unwrap().tells_end = true;
        let mut reader = Reader::new(&total(), &tap);
        assert_eq!(reader.poll(), Got::Pending);
        advance(2 * TOTAL).await;
        fill(&tap);
        assert_eq!(reader.poll(), last);
    }
}

/// TO-06: an error of the body passes, and the limits still apply to further polls.
#[tokio::test(start_paused = true)]
async fn errors_of_the_body_pass() {
    let tap = Tap::default();
    let mut reader = Reader::new(&idle(), &tap);
    tap.push(Some(Err("broken")));
    assert_eq!((reader.poll(), reader.poll()), (Got::Broken("broken".into()), Got::Pending));
    advance(IDLE).await;
    assert_eq!(reader.poll(), Got::TimedOut(IDLE));
}

/// TO-06: of two limits the one that ends first counts; the body learns which; a tie is the total's.
#[tokio::test(start_paused = true)]
async fn the_first_limit_counts() {
    for (waited, then, error) in [(0, IDLE, IDLE), (95, 5 * MS, TOTAL), (90, IDLE, TOTAL), (89, IDLE, IDLE)] {
        let tap = Tap::default();
        let mut reader = Reader::new(&both(), &tap);
        advance(waited * MS).await;
        assert_eq!(reader.poll(), Got::Pending);
        advance(then - MS).await;
        assert_eq!(reader.poll(), Got::Pending);
        advance(MS).await;
        assert_eq!(reader.poll(), Got::TimedOut(error), "{waited}");
    }
}

/// TO-06: without limits, and with limits that the clock cannot represent, nothing is cut off and no timer is needed.
#[test]
fn no_limit() {
    assert!(tokio::runtime::Handle::try_current().is_err());
    let endless = BodyTimeoutLayer::builder().idle(Duration::MAX).total(Duration::MAX).build().unwrap();
    for layer in [BodyTimeoutLayer::builder().build().unwrap(), endless] {
        let tap = Tap::default();
        let mut reader = Reader::new(&layer, &tap);
        assert_eq!(reader.poll(), Got::Pending);
        tap.data("a");
        assert_eq!((reader.poll(), reader.poll()), (data("a"), Got::Pending));
        assert!(tap.is_alive());
    }
    let mut default = spawn(TimeoutBody::<Full<Bytes>>::default());
    assert!(default.is_end_stream());
    assert_eq!(got(default.enter(|cx, body| body.poll_frame(cx))), Got::End);
}

/// TO-06: an empty body has ended with its head.
#[tokio::test(start_paused = true)]
async fn an_empty_body_is_whole() {
    let mut body = spawn(total().wrap(Empty::<Bytes>::new()));
    advance(2 * TOTAL).await;
    assert!(body.is_end_stream());
    assert_eq!(got(body.enter(|cx, body| body.poll_frame(cx))), Got::End);
}

/// TO-06: zero is a build error that names the field.
#[test]
fn bad_settings_are_refused() {
    let builder = BodyTimeoutLayer::builder;
    assert_eq!(builder().idle(Duration::ZERO).total(TOTAL).build().unwrap_err().field(), "idle");
    assert_eq!(builder().idle(IDLE).total(Duration::ZERO).build().unwrap_err().field(), "total");
    assert_eq!(builder().idle(IDLE).name("").build().unwrap_err().field(), "name");
}

/// TO-06: dropped at every await, it takes the inner body with it.
#[tokio::test(start_paused = true)]
async fn dropped_at_every_await() {
    for polls in 0..4 {
        for rest in [Duration::ZERO, IDLE] {
            let tap = Tap::default();
            let mut reader = Reader::new(&both(), &tap);
            for _ in 0..polls {
                assert_eq!(reader.poll(), Got::Pending);
            }
            advance(rest).await;
            assert!(tap.is_alive());
            drop(reader);
            assert!(!tap.is_alive());
        }
    }
}

/// TO-06: the timeout of a call ends with the head, above and below the layer for bodies; the body's own limits begin
/// there.
#[tokio::test(start_paused = true)]
async fn the_timeout_of_a_call_ends_with_the_head() {
    let tap = Tap::default();
    let backend = {
        let tap = tap.clone();
        service_fn(move |()| {
            let flow = tap.flow();
            async move { Ok::<_, BoxError>(Response::new(flow)) }
        })
    };
    let timeout = TimeoutLayer::new(MS);
    let idle = idle();
    let above = ServiceBuilder::new().layer(timeout.clone()).layer(idle.clone()).service(backend.clone());
    let below = ServiceBuilder::new().layer(idle).layer(timeout).service(backend);
    for service in [above.boxed_clone(), below.boxed_clone()] {
        let mut reader = Reader(spawn(service.oneshot(()).await.unwrap().into_body()));
        advance(SECOND).await;
        assert_eq!(reader.poll(), Got::Pending);
        advance(IDLE - MS).await;
        tap.data("a");
        assert_eq!((reader.poll(), reader.poll()), (data("a"), Got::Pending));
        advance(IDLE).await;
        assert_eq!(reader.poll(), Got::TimedOut(IDLE));
    }
}

/// TO-06: requests, readiness and errors of the inner service pass, and so do the parts of the head.
#[tokio::test(start_paused = true)]
async fn the_service_is_left_alone() {
    let (mut service, mut handle) =
        mock::spawn_with(|inner: mock::Mock<&str, Response<Full<Bytes>>>| total().layer(inner));
    handle.allow(0);
    assert_pending!(service.poll_ready());
    handle.allow(2);
    assert_ready_ok!(service.poll_ready());
    let mut call = spawn(service.call("one"));
    let (request, answer) = handle.next_request().await.unwrap();
    assert_eq!(request, "one");
    assert_pending!(call.poll());
    // The total time does not begin before the head.
    advance(10 * TOTAL).await;
    answer.send_response(Response::builder().status(203).body(Full::from("hi")).unwrap());
    let response = assert_ready_ok!(call.poll());
    assert_eq!(response.status(), 203);
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "hi");

    assert_ready_ok!(service.poll_ready());
    let mut call = spawn(service.call("two"));
    handle.next_request().await.unwrap().1.send_error("no luck");
    assert_eq!(assert_ready!(call.poll()).unwrap_err().to_string(), "no luck");
}

/// TO-06: an axum router takes the layer directly, and its bodies end in time.
#[tokio::test(start_paused = true)]
async fn serves_under_axum() {
    let tap = Tap::default();
    let handler = {
        let tap = tap.clone();
        async move || Response::new(axum::body::Body::new(tap.flow().map_err(BoxError::from)))
    };
    let app: axum::Router = axum::Router::new().route("/", axum::routing::get(handler)).layer(both());
    let request = Request::new(axum::body::Body::empty());
    let response: Result<_, Infallible> = app.oneshot(request).await;
    tap.data("a");
    let mut body = response.unwrap().into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "a");
    // No other task has anything to do, so the clock advances by itself.
    let error = body.frame().await.unwrap().unwrap_err();
    assert_eq!(BoxError::from(error).rejected(), Some(&Rejected::TimedOut { after: IDLE.into(), timeout: None }));
    assert!(!tap.is_alive());
}
