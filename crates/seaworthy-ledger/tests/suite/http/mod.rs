//! The `Idempotency-Key` layer: without a socket, over a store that can be told to fail and with time that is told; and
//! over sockets, with axum and hyper.

mod bodies;
mod clients;
mod header;
mod outcomes;
mod passed_on;
mod passing;
mod prints;
mod problems;
mod property;
mod scopes;
mod settings;
mod sockets;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ::http::{HeaderMap, Request, Response, StatusCode};
use bytes::Bytes;
use http_body::{Body as _, Frame};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use seaworthy::BoxError;
use seaworthy_ledger::Ledger;
use seaworthy_ledger::http::{IdempotencyKeyBuilder, IdempotencyKeyLayer, KeyBody, RequestBody, Scoped};
use seaworthy_ledger::store::LedgerStore;
use tokio::sync::mpsc;
use tokio_test::task;
use tower::util::BoxCloneService;
use tower::{Layer, ServiceExt, service_fn};

use crate::doubles::Faulty;
pub(crate) use crate::handle::settle_down;

pub(crate) type Body = UnsyncBoxBody<Bytes, BoxError>;
pub(crate) type Asked = Request<RequestBody<Body>>;
pub(crate) type Answered = Result<Response<Body>, BoxError>;
pub(crate) type App = BoxCloneService<Request<Body>, Response<KeyBody<Body>>, BoxError>;

pub(crate) const LEASE: Duration = Duration::from_secs(60);

pub(crate) fn body(text: impl Into<Bytes>) -> Body {
    Full::new(text.into()).map_err(|never| match never {}).boxed_unsync()
}

pub(crate) fn empty() -> Body {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// A body whose frames come from the sender, and which ends when that is dropped.
pub(crate) fn channel() -> (mpsc::UnboundedSender<Result<Frame<Bytes>, BoxError>>, Body) {
    let (send, mut receive) = mpsc::unbounded_channel();
    let frames = futures(move |cx| receive.poll_recv(cx));
    (send, StreamBody::new(frames).boxed_unsync())
}

/// A stream of a closure.
fn futures<T>(
    poll: impl FnMut(&mut std::task::Context<'_>) -> std::task::Poll<Option<T>>,
) -> impl futures_util::Stream<Item = T> {
    futures_util::stream::poll_fn(poll)
}

pub(crate) fn data(text: &'static str) -> Result<Frame<Bytes>, BoxError> {
    Ok(Frame::data(Bytes::from_static(text.as_bytes())))
}

pub(crate) fn ok(text: impl Into<Bytes>) -> Answered {
    Ok(Response::new(body(text)))
}

pub(crate) fn with_status(status: u16) -> Answered {
    Ok(Response::builder().status(status).body(body("answer")).unwrap())
}

/// A ledger that keeps answers of 1 MiB.
pub(crate) fn ledger() -> (Ledger<Faulty>, Faulty) {
    let store = Faulty::default();
    (Ledger::with_store("orders", store.clone()).max_result(1 << 20).build().unwrap(), store)
}

pub(crate) fn builder(ledger: &Ledger<Faulty>) -> IdempotencyKeyBuilder<Faulty, Scoped> {
    IdempotencyKeyLayer::builder(ledger.clone()).one_scope()
}

/// How often a handler was called.
#[derive(Clone, Default)]
pub(crate) struct Calls(Arc<AtomicUsize>);

impl Calls {
    pub(crate) fn add(&self) -> usize {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }

    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

pub(crate) fn app<S: LedgerStore, F>(
    layer: &IdempotencyKeyLayer<S>,
    handler: impl Fn(Asked) -> F + Clone + Send + 'static,
) -> (App, Calls)
where
    F: Future<Output = Answered> + Send + 'static,
{
    let calls = Calls::default();
    let counted = calls.clone();
    let handler = service_fn(move |request| {
        counted.add();
        handler(request)
    });
    (BoxCloneService::new(layer.layer(handler)), calls)
}

/// An app that answers the number of the call, in the layer's default shape.
pub(crate) fn counting(layer: &IdempotencyKeyLayer<Faulty>) -> (App, Calls) {
    let number = Calls::default();
    app(layer, move |_| {
        let number = number.add();
        async move { ok(format!("call {number}")) }
    })
}

pub(crate) fn post(key: &str) -> Request<Body> {
    Request::post("/orders?to=7").header("idempotency-key", key).body(body("two boxes")).unwrap()
}

/// A response with its whole body.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) trailers: Option<HeaderMap>,
}

impl Told {
    pub(crate) fn is_replayed(&self) -> bool {
        self.headers.get("idempotency-replayed").is_some_and(|value| value == "true")
    }

    pub(crate) fn title(&self) -> String {
        assert_eq!(self.headers["content-type"], "application/problem+json");
        let problem: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(problem["status"], self.status.as_u16());
        problem["title"].as_str().unwrap().to_owned()
    }

    pub(crate) fn retry_after(&self) -> Option<u64> {
        self.headers.get("retry-after").map(|value| value.to_str().unwrap().parse().unwrap())
    }
}

pub(crate) async fn read(response: Response<KeyBody<Body>>) -> Told {
    let (head, body) = response.into_parts();
    // A server trusts both.
    let (is_end, size) = (body.is_end_stream(), body.size_hint().exact());
    let whole = body.collect().await.unwrap();
    let trailers = whole.trailers().cloned();
    let body = whole.to_bytes();
    assert!(size.is_none_or(|size| size == body.len() as u64));
    assert!(!is_end || (body.is_empty() && trailers.is_none()));
    Told { status: head.status, headers: head.headers, body, trailers }
}

pub(crate) async fn ask(app: &App, request: Request<Body>) -> Told {
    read(app.clone().oneshot(request).await.unwrap()).await
}

/// A request that has been sent, and is polled when it is asked for.
pub(crate) fn sent(
    app: &App,
    request: Request<Body>,
) -> task::Spawn<impl Future<Output = Result<Response<KeyBody<Body>>, BoxError>> + use<>> {
    task::spawn(app.clone().oneshot(request))
}
