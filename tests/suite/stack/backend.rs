use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use seaworthy::BoxError;
use tower::Service;

/// What a request asks the backend to do.
#[derive(Clone, Copy, Debug)]
pub(super) enum Do {
    Answer,
    AnswerAfter(Duration),
    Fail,
    Hang,
    /// Hangs until the backend's call of this number, which is answered.
    HangUntil(u32),
}

/// Counts its calls. It insists on being driven to readiness before each, on the very value that is called.
#[derive(Debug)]
pub(super) struct Backend<E = BoxError> {
    calls: Arc<AtomicU32>,
    error: fn() -> E,
    ready: bool,
}

impl Backend {
    pub(super) fn new() -> Backend {
        Backend::with(|| "broken".into())
    }
}

impl<E> Backend<E> {
    pub(super) fn with(error: fn() -> E) -> Backend<E> {
        Backend { calls: Arc::default(), error, ready: false }
    }

    pub(super) fn calls(&self) -> u32 {
        self.calls.load(Ordering::Relaxed)
    }
}

impl<E> Clone for Backend<E> {
    fn clone(&self) -> Backend<E> {
        Backend { calls: Arc::clone(&self.calls), error: self.error, ready: false }
    }
}

impl<E: 'static> Service<Do> for Backend<E> {
    type Response = &'static str;
    type Error = E;
    type Future = Pin<Box<dyn Future<Output = Result<&'static str, E>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), E>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Do) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "called without being ready");
        let (call, error) = (self.calls.fetch_add(1, Ordering::Relaxed) + 1, self.error);
        Box::pin(async move {
            match request {
                Do::Answer => {}
                #[allow(clippy::disallowed_methods, reason = "on a paused clock")]
                Do::AnswerAfter(time) => tokio::time::sleep(time).await,
                Do::Fail => return Err(error()),
                Do::HangUntil(number) if call >= number => {}
                Do::Hang | Do::HangUntil(_) => pending().await,
            }
            Ok("fine")
        })
    }
}
