use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use tower_service::Service;

use crate::rt::panic::polled_again;

pin_project! {
    /// Makes a service ready, and calls it once.
    ///
    /// # Cancellation
    /// Dropping it drops the service, or the running call.
    #[must_use = "futures do nothing unless polled"]
    pub struct Oneshot<S, Request>
    where
        S: Service<Request>,
    {
        #[pin]
        state: OneshotState<S, S::Future, Request>,
    }
}

pin_project! {
    #[project = OneshotStateProj]
    enum OneshotState<S, F, Request> {
        Readying { service: S, request: Option<Request> },
        Calling { #[pin] call: F },
    }
}

impl<S: Service<Request>, Request> Oneshot<S, Request> {
    pub(super) fn new(service: S, request: Request) -> Oneshot<S, Request> {
        Oneshot { state: OneshotState::Readying { service, request: Some(request) } }
    }
}

impl<S: Service<Request>, Request> Future for Oneshot<S, Request> {
    type Output = Result<S::Response, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            match state.as_mut().project() {
                OneshotStateProj::Readying { service, request } => {
                    if request.is_none() {
                        polled_again("`Oneshot`");
                    }
                    if let Err(error) = ready!(service.poll_ready(cx)) {
                        *request = None;
                        return Poll::Ready(Err(error));
                    }
                    if let Some(request) = request.take() {
                        let call = service.call(request);
                        state.set(OneshotState::Calling { call });
                    }
                }
                OneshotStateProj::Calling { call } => return call.poll(cx),
            }
        }
    }
}

impl<S: Service<Request>, Request> fmt::Debug for Oneshot<S, Request> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Oneshot").finish_non_exhaustive()
    }
}
