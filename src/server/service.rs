use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::{Method, Request, Response, StatusCode};
use http_body::Body;
use hyper::body::Incoming;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::watch::{Busy, ConnectionWatch};
use crate::health::handle::Health;
use crate::http::{HeldBody, close, is_draining, may_close};
use crate::rt::panic::polled_again;
use crate::shutdown::Shutdown;

/// Decides when connections are released.
#[derive(Clone)]
pub(super) struct Closing {
    pub(super) stop: Shutdown,
    pub(super) health: Option<Health>,
}

impl Closing {
    fn has_begun(&self) -> bool {
        self.stop.is_requested() || self.health.as_ref().is_some_and(is_draining)
    }
}

/// The service of one connection: tracks its requests, and once the time has come closes it after a response.
pub(super) struct Watched<S> {
    pub(super) service: S,
    pub(super) watch: Arc<ConnectionWatch>,
    pub(super) closing: Closing,
}

impl<S, B> hyper::service::Service<Request<Incoming>> for Watched<S>
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone,
    B: Body,
{
    type Response = Response<HeldBody<B, Busy>>;
    type Error = S::Error;
    type Future = ServedFuture<S, S::Future>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        ServedFuture {
            busy: Some(Busy::new(&self.watch)),
            closing: may_close(&request).then(|| self.closing.clone()),
            is_connect: request.method() == Method::CONNECT,
            stage: ServedStage::Unready { service: self.service.clone(), request: Some(request) },
        }
    }
}

pin_project! {
    /// The answer to a request, which is in flight until the response body has ended.
    pub(super) struct ServedFuture<S, F> {
        #[pin]
        stage: ServedStage<S, F>,
        closing: Option<Closing>,
        is_connect: bool,
        // Dropped after the answer.
        busy: Option<Busy>,
    }
}

pin_project! {
    #[project = ServedStageProj]
    enum ServedStage<S, F> {
        Unready { service: S, request: Option<Request<Incoming>> },
        Running { #[pin] inner: F },
    }
}

impl<S, B> Future for ServedFuture<S, S::Future>
where
    S: Service<Request<Incoming>, Response = Response<B>>,
    B: Body,
{
    type Output = Result<Response<HeldBody<B, Busy>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let mut response = loop {
            match this.stage.as_mut().project() {
                ServedStageProj::Unready { service, request } => {
                    ready!(service.poll_ready(cx))?;
                    let Some(request) = request.take() else { polled_again("an answer") };
                    let inner = service.call(request);
                    this.stage.set(ServedStage::Running { inner });
                }
                ServedStageProj::Running { inner } => break ready!(inner.poll(cx))?,
            }
        };
        let status = response.status();
        if status == StatusCode::SWITCHING_PROTOCOLS || (*this.is_connect && status.is_success()) {
            if let Some(busy) = this.busy {
                busy.watch().upgrade();
            }
        } else if this.closing.as_ref().is_some_and(Closing::has_begun) {
            close(&mut response);
        }
        let busy = this.busy.take();
        Poll::Ready(Ok(response.map(|body| HeldBody::new(body, busy))))
    }
}
