use std::fmt::{self, Display};
use std::future::poll_fn;
use std::mem;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use http_body::Body;
use seaworthy::Context as CallContext;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tower_service::Service;
use tracing::{Instrument, Span};

use super::call::{Answer, Call};
use super::future::IdempotencyKeyFuture;
use super::key_body::KeyBody;
use super::key_header::{Unusable, key_of};
use super::layer::Shared;
use super::problem::Problem;
use super::request_body::RequestBody;
use crate::key::Key;
use crate::memory::Memory;
use crate::request::ClaimRequest;
use crate::store::LedgerStore;

/// The service of an [`IdempotencyKeyLayer`](super::IdempotencyKeyLayer).
pub struct IdempotencyKeyService<I, S = Memory> {
    inner: I,
    layer: Arc<Shared<S>>,
}

impl<I, S> IdempotencyKeyService<I, S> {
    pub(super) fn new(inner: I, layer: Arc<Shared<S>>) -> IdempotencyKeyService<I, S> {
        IdempotencyKeyService { inner, layer }
    }
}

impl<S: LedgerStore> Shared<S> {
    /// The key of a request. None if it passes untouched.
    fn key_of(&self, head: &Parts) -> Result<Option<Key>, Problem> {
        let settings = &self.settings;
        if !settings.methods.contains(&head.method) {
            return Ok(None);
        }
        match key_of(&head.headers, &settings.header, settings.is_strict) {
            Ok(Some(value)) => {
                let scope = self.scope.of(head).ok_or(Problem::NoScope)?;
                Key::new(&scope, &value).map(Some).map_err(|_unfit| Problem::Unusable)
            }
            Ok(None) if settings.is_required => Err(Problem::Missing),
            Ok(None) => Ok(None),
            Err(Unusable) => Err(Problem::Unusable),
        }
    }
}

/// Is always ready: only a request that calls the inner service waits for that to be ready, after its key was claimed.
impl<I, S, B, R> Service<Request<B>> for IdempotencyKeyService<I, S>
where
    S: LedgerStore,
    I: Service<Request<RequestBody<B>>, Response = Response<R>> + Clone + Send + 'static,
    I::Future: Send,
    I::Error: Display + Send + 'static,
    B: Body + Send + 'static,
    R: Body + Send + 'static,
{
    type Response = Response<KeyBody<R>>;
    type Error = I::Error;
    type Future = IdempotencyKeyFuture<I::Future, R, I::Error>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), I::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (head, body) = request.into_parts();
        let key = match self.layer.key_of(&head) {
            Ok(Some(key)) => key,
            Ok(None) => return self.pass(Request::from_parts(head, RequestBody::passed(body))),
            Err(problem) => return IdempotencyKeyFuture::answered(self.layer.settings.problem(problem)),
        };
        let (layer, service, context) = (Arc::clone(&self.layer), self.inner.clone(), CallContext::current());
        IdempotencyKeyFuture::boxed(async move {
            let settings = &layer.settings;
            let body = if settings.fingerprint.needs_body() {
                match RequestBody::read(body, settings.max_request).await {
                    Ok(body) => body,
                    Err(problem) => return Ok(settings.problem(problem)),
                }
            } else {
                RequestBody::passed(body)
            };
            let fingerprint: Bytes = settings.fingerprint.of(&head, &body.data());
            let claim = ClaimRequest::new(key).fingerprint(fingerprint).keep(settings.keep);
            let (request, running) = (Request::from_parts(head, body), layer.tasks.enter());
            run(Call { layer, claim, request, service, context, running }).await
        })
    }
}

impl<I, S> IdempotencyKeyService<I, S> {
    /// Calls the inner service, or a clone of it once that is ready.
    fn pass<B, R>(&mut self, request: Request<RequestBody<B>>) -> IdempotencyKeyFuture<I::Future, R, I::Error>
    where
        I: Service<Request<RequestBody<B>>, Response = Response<R>> + Clone + Send + 'static,
        I::Future: Send,
        I::Error: Send + 'static,
        B: Send + 'static,
        R: 'static,
    {
        // Most are ready whenever they are asked, so that it needs no clone. One that is not is asked again at once.
        match self.inner.poll_ready(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(())) => IdempotencyKeyFuture::passed(self.inner.call(request)),
            Poll::Ready(Err(error)) => IdempotencyKeyFuture::failed(error),
            Poll::Pending => {
                let clone = self.inner.clone();
                let mut service = mem::replace(&mut self.inner, clone);
                IdempotencyKeyFuture::boxed(async move {
                    poll_fn(|cx| service.poll_ready(cx)).await?;
                    Ok(service.call(request).await?.map(KeyBody::passed))
                })
            }
        }
    }
}

/// Runs it in a task of the ledger's, which goes on without the client, or right here.
async fn run<S, I, B, R>(call: Call<S, I, B>) -> Result<Response<KeyBody<R>>, I::Error>
where
    S: LedgerStore,
    I: Service<Request<RequestBody<B>>, Response = Response<R>> + Send + 'static,
    I::Future: Send,
    I::Error: Display + Send + 'static,
    B: Send + 'static,
    R: Body + Send + 'static,
{
    let layer = Arc::clone(&call.layer);
    let (tasks, runtime) = (&layer.ledger.0.tasks, Handle::current());
    let answer = if layer.settings.runs_to_end {
        let (give, given) = oneshot::channel();
        let work = async move {
            let (answer, watch) = call.answer().await;
            // If the client is gone, the body tells the watch so when it is dropped.
            drop(give.send(answer));
            if let Some(watch) = watch {
                watch.run().await;
            }
        };
        tasks.spawn(&runtime, work.instrument(Span::current()));
        given.await
    } else {
        let (answer, watch) = call.answer().await;
        if let Some(watch) = watch {
            tasks.spawn(&runtime, watch.run());
        }
        Ok(answer)
    };
    match answer {
        Ok(Answer::Response(response)) => Ok(response),
        Ok(Answer::Failed(error)) => Err(error),
        Ok(Answer::Panicked(payload)) => resume_unwind(payload),
        // The runtime is being shut down.
        Err(_gone) => Ok(layer.settings.problem(Problem::Unavailable)),
    }
}

impl<I: Clone, S> Clone for IdempotencyKeyService<I, S> {
    fn clone(&self) -> IdempotencyKeyService<I, S> {
        IdempotencyKeyService { inner: self.inner.clone(), layer: Arc::clone(&self.layer) }
    }
}

impl<I: fmt::Debug, S> fmt::Debug for IdempotencyKeyService<I, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdempotencyKeyService").field("inner", &self.inner).finish_non_exhaustive()
    }
}
