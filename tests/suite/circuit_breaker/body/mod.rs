//! BO: outcomes that are known with the last byte of the response body.

mod early;
mod ends;
mod judges;
mod latency;
mod length;
mod neighbours;
mod passes;
mod property;
mod wire;

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use seaworthy::circuit_breaker::CircuitBreakerBuilder;
use seaworthy::http::{BodyCircuitBreakerLayer, HttpClassifier, JudgedBody};
use seaworthy::observe::{CircuitBreakerEvent, Interest};
use seaworthy::{BoxError, CircuitBreaker, Event, Observer, State, Verdict};
use tokio_test::task;
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{SECOND, advance};

/// What a body does at a poll. After the last it has ended.
#[derive(Debug)]
pub enum Act {
    Pending,
    Data(&'static str),
    Trailers,
    Error(BoxError),
    Panic,
}

impl From<&'static str> for Act {
    fn from(text: &'static str) -> Act {
        Act::Data(text)
    }
}

pub fn error() -> Act {
    Act::Error("leak".into())
}

/// A body that acts by a script, and tells of its drop.
#[derive(Debug, Default)]
pub struct Script {
    pub acts: VecDeque<Act>,
    pub tells_its_end: bool,
    pub polls: Arc<Mutex<u32>>,
}

pub fn script<const N: usize>(acts: [Act; N]) -> Script {
    Script { acts: acts.into(), ..Script::default() }
}

impl Script {
    /// Its end is known without a poll.
    pub fn telling(self) -> Script {
        Script { tells_its_end: true, ..self }
    }
}

impl Body for Script {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        *self.polls.lock().unwrap() += 1;
        Poll::Ready(match self.acts.pop_front() {
            None => None,
            Some(Act::Pending) => {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Some(Act::Data(text)) => Some(Ok(Frame::data(Bytes::from_static(text.as_bytes())))),
            Some(Act::Trailers) => {
                let trailers = HeaderMap::from_iter([(http::header::ETAG, "7".parse().unwrap())]);
                Some(Ok(Frame::trailers(trailers)))
            }
            Some(Act::Error(error)) => Some(Err(error)),
            Some(Act::Panic) => panic!("on purpose"),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.tells_its_end && self.acts.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.acts.len() as u64)
    }
}

/// What an observer is told of calls and bodies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Line {
    Settled(Verdict),
    Broke { after: Duration, bytes: u64 },
}

pub const SUCCESS: Line = Line::Settled(Verdict::Success);
pub const FAILURE: Line = Line::Settled(Verdict::Failure);
pub const IGNORED: Line = Line::Settled(Verdict::Ignored);

#[derive(Clone, Debug, Default)]
pub struct Told {
    pub lines: Arc<Mutex<Vec<Line>>>,
    pub times: Arc<Mutex<Vec<(Duration, Duration)>>>,
}

impl Observer for Told {
    fn interest(&self) -> Interest {
        Interest::Calls
    }

    fn on_event(&self, event: &Event<'_>) {
        let Event::CircuitBreaker(event) = event else { return };
        match event {
            CircuitBreakerEvent::Settled { verdict, head, elapsed, .. } => {
                self.lines.lock().unwrap().push(Line::Settled(*verdict));
                self.times.lock().unwrap().push((*head, *elapsed));
            }
            CircuitBreakerEvent::BodyBroke { name, after, bytes, .. } => {
                assert_eq!(**name, *"stream");
                self.lines.lock().unwrap().push(Line::Broke { after: *after, bytes: *bytes });
            }
            _ => {}
        }
    }
}

impl Told {
    /// What was told since the last time.
    pub fn take(&self) -> Vec<Line> {
        std::mem::take(&mut self.lines.lock().unwrap())
    }
}

/// A circuit breaker that opens at the first failure, and what it tells.
pub fn rig(set: impl FnOnce(CircuitBreakerBuilder) -> CircuitBreakerBuilder) -> (CircuitBreaker, Told) {
    let told = Told::default();
    let builder = CircuitBreaker::builder("stream").consecutive_failures(1).open_for(SECOND).observer(told.clone());
    (set(builder).build().unwrap(), told)
}

pub fn plain() -> (CircuitBreaker, Told) {
    rig(|builder| builder)
}

pub type Scoped = BodyCircuitBreakerLayer<HttpClassifier>;

pub fn layer(breaker: &CircuitBreaker) -> Scoped {
    breaker.layer().classify(HttpClassifier).until_body_end()
}

/// The response to a request that has it.
pub async fn answer(request: Request<Response<Script>>) -> Result<Response<Script>, BoxError> {
    Ok(request.into_body())
}

/// The body that a call through `layer` gives.
pub async fn through(layer: &Scoped, script: Script) -> JudgedBody<Script> {
    respond(layer, Response::new(script)).await.into_body()
}

pub async fn respond(layer: &Scoped, response: Response<Script>) -> Response<JudgedBody<Script>> {
    let service = layer.layer(service_fn(answer));
    service.oneshot(Request::new(response)).await.expect("the circuit lets it pass")
}

pub fn status(code: u16, script: Script) -> Response<Script> {
    let mut response = Response::new(script);
    *response.status_mut() = StatusCode::from_u16(code).unwrap();
    response
}

/// One poll, in short.
pub fn poll<B: Body<Data = Bytes, Error = BoxError>>(body: &mut task::Spawn<B>) -> String {
    match body.enter(|cx, body| body.poll_frame(cx)) {
        Poll::Pending => "pending".into(),
        Poll::Ready(None) => "end".into(),
        Poll::Ready(Some(Err(error))) => format!("error {error}"),
        Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
            Ok(data) => format!("data {}", std::str::from_utf8(&data).unwrap()),
            Err(_) => "trailers".into(),
        },
    }
}

pub fn polls<const N: usize, B: Body<Data = Bytes, Error = BoxError>>(body: &mut task::Spawn<B>) -> [String; N] {
    std::array::from_fn(|_| poll(body))
}

pub fn panics<B: Body<Data = Bytes, Error = BoxError>>(body: &mut task::Spawn<B>) -> bool {
    catch_unwind(AssertUnwindSafe(|| poll(body))).is_err()
}

/// Opens the circuit and lets its open time pass, so that the next call is a probe.
pub async fn make_half_open(breaker: &CircuitBreaker, told: &Told) {
    breaker.admit().unwrap().settle(Verdict::Failure);
    assert_eq!(breaker.state(), State::Open);
    advance(SECOND).await;
    told.take();
}
