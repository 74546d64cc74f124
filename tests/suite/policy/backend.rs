use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use seaworthy::BoxError;
use tower::Service;

/// What a request asks the backend to do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Do {
    Answer,
    AnswerAfter(Duration),
    Fail,
    Hang,
    Panic,
}

/// The backend's answer when it is asked whether it is ready.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Readiness {
    Ready,
    Pending,
    Fails,
}

/// Counts its calls. It insists on being driven to readiness before each, on the very value that is called.
#[derive(Debug, Default)]
pub(super) struct Backend {
    calls: Arc<AtomicU32>,
    readiness: Arc<AtomicU32>,
    ready: bool,
}

impl Backend {
    pub(super) fn calls(&self) -> u32 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Applies from now on, for all clones. Wakes no task.
    pub(super) fn set_readiness(&self, readiness: Readiness) {
        self.readiness.store(readiness as u32, Ordering::Relaxed);
    }

    /// A call without tower.
    pub(super) fn ask(&self, request: Do) -> impl Future<Output = Result<&'static str, BoxError>> + Send + use<> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        async move {
            match request {
                Do::Answer => {}
                #[allow(clippy::disallowed_methods, reason = "on a paused clock")]
                Do::AnswerAfter(time) => tokio::time::sleep(time).await,
                Do::Fail => return Err("broken".into()),
                Do::Hang => pending().await,
                // Like `panic!`, but without a message.
                Do::Panic => std::panic::resume_unwind(Box::new("on purpose")),
            }
            Ok("fine")
        }
    }
}

impl Clone for Backend {
    fn clone(&self) -> Backend {
        Backend { calls: Arc::clone(&self.calls), readiness: Arc::clone(&self.readiness), ready: false }
    }
}

impl Service<Do> for Backend {
    type Response = &'static str;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<&'static str, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        let readiness = self.readiness.load(Ordering::Relaxed);
        self.ready = readiness == Readiness::Ready as u32;
        match readiness {
            _ if self.ready => Poll::Ready(Ok(())),
            pending if pending == Readiness::Pending as u32 => Poll::Pending,
            _ => Poll::Ready(Err("not to be reached".into())),
        }
    }

    fn call(&mut self, request: Do) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "called without being ready");
        Box::pin(self.ask(request))
    }
}
