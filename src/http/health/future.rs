use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{Method, Response};

use super::body::HealthBody;
use super::endpoints::answer_of;
use crate::health::RunChecks;
use crate::rt::panic::polled_again;

/// The response future of [`HealthEndpoints`](super::HealthEndpoints).
///
/// # Cancellation
/// Dropping it leaves the checks that are still running to others that wait for them, and drops those that nothing else
/// waits for.
#[must_use = "futures do nothing unless polled"]
pub struct HealthFuture(EndpointStage);

enum EndpointStage {
    /// None once it was returned.
    Answer(Option<Box<Response<HealthBody>>>),
    Checks {
        checks: RunChecks,
        method: Method,
    },
}

impl HealthFuture {
    pub(super) fn answer(answer: Response<HealthBody>) -> HealthFuture {
        HealthFuture(EndpointStage::Answer(Some(Box::new(answer))))
    }

    pub(super) fn checks(checks: RunChecks, method: Method) -> HealthFuture {
        HealthFuture(EndpointStage::Checks { checks, method })
    }
}

impl Future for HealthFuture {
    type Output = Result<Response<HealthBody>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = match &mut self.0 {
            EndpointStage::Answer(answer) => answer.take(),
            EndpointStage::Checks { checks, method } => {
                let report = ready!(Pin::new(checks).poll(cx));
                Some(Box::new(answer_of(&report, method)))
            }
        };
        self.0 = EndpointStage::Answer(None);
        match answer {
            Some(answer) => Poll::Ready(Ok(*answer)),
            None => polled_again("`HealthFuture`"),
        }
    }
}

impl fmt::Debug for HealthFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HealthFuture").finish_non_exhaustive()
    }
}
