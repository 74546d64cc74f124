use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use super::answer::{self, SHUTTING_DOWN, TOO_MANY_WATCHERS, UNKNOWN_SERVICE};
use super::body::GrpcHealthBody;
use super::message::ServingStatus;
use super::request::{HealthMethod, RequestReader};
use super::service::GrpcHealthService;
use super::watcher::Watcher;
use crate::health::RunChecks;
use crate::rt::panic::polled_again;

pin_project! {
    /// The response future of [`GrpcHealthService`]: reads the request, and for a `Check` asks the checks.
    ///
    /// # Cancellation
    /// Dropping it leaves the checks that are still running to others that wait for them, and drops those that nothing
    /// else waits for.
    ///
    /// # Panics
    /// A request that comes in pieces has a time limit, which cannot be had outside a tokio runtime with time enabled.
    #[must_use = "futures do nothing unless polled"]
    pub struct GrpcHealthFuture<B> {
        #[pin]
        stage: CheckStage<B>,
    }
}

pin_project! {
    #[project = CheckStageProj]
    enum CheckStage<B> {
        Reading { #[pin] body: B, reader: RequestReader, method: HealthMethod, service: GrpcHealthService },
        Asking { checks: RunChecks, service: GrpcHealthService },
        // None once it was returned.
        Answer { answer: Option<Box<Response<GrpcHealthBody>>> },
    }
}

impl<B> GrpcHealthFuture<B> {
    pub(super) fn answer(answer: Box<Response<GrpcHealthBody>>) -> GrpcHealthFuture<B> {
        GrpcHealthFuture { stage: CheckStage::Answer { answer: Some(answer) } }
    }

    pub(super) fn read(body: B, method: HealthMethod, service: GrpcHealthService) -> GrpcHealthFuture<B> {
        GrpcHealthFuture { stage: CheckStage::Reading { body, reader: RequestReader::default(), method, service } }
    }
}

impl<B: Body> Future for GrpcHealthFuture<B> {
    type Output = Result<Response<GrpcHealthBody>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut stage = self.project().stage;
        loop {
            let next = match stage.as_mut().project() {
                CheckStageProj::Reading { body, reader, method, service } => {
                    match (ready!(reader.poll(body, cx)), *method) {
                        (Err(refusal), _) => respond(refusal.response()),
                        (Ok(name), HealthMethod::Watch) => respond(watch(service, name)),
                        (Ok(name), HealthMethod::Check) => check(service, &name),
                    }
                }
                CheckStageProj::Asking { checks, service } => {
                    let report = ready!(Pin::new(checks).poll(cx));
                    let is_up = report.checks.iter().all(|check| check.status.is_up());
                    // Shutdown may have begun in the meantime.
                    respond(serving(is_up && service.services().is_serving()))
                }
                CheckStageProj::Answer { answer } => match answer.take() {
                    Some(answer) => return Poll::Ready(Ok(*answer)),
                    None => polled_again("`GrpcHealthFuture`"),
                },
            };
            stage.set(next);
        }
    }
}

fn respond<B>(answer: Response<GrpcHealthBody>) -> CheckStage<B> {
    CheckStage::Answer { answer: Some(Box::new(answer)) }
}

fn serving(is_serving: bool) -> Response<GrpcHealthBody> {
    answer::with_body(GrpcHealthBody::message(ServingStatus::of(is_serving)))
}

fn check<B>(service: &GrpcHealthService, name: &str) -> CheckStage<B> {
    let services = service.services();
    let Some((checks, _)) = services.find(name) else { return respond(UNKNOWN_SERVICE.response()) };
    if !services.is_serving() {
        return respond(serving(false));
    }
    match services.ask(&checks) {
        Some(checks) => CheckStage::Asking { checks, service: service.clone() },
        None => respond(serving(true)),
    }
}

/// The place of a watcher is taken now, so that a request that stalls takes none.
fn watch(service: &GrpcHealthService, name: String) -> Response<GrpcHealthBody> {
    if service.services().health.streams_have_to_end() {
        return SHUTTING_DOWN.response();
    }
    match service.enter() {
        Some(place) => {
            let watcher = Watcher::new(service.services(), place, name, service.interval());
            answer::with_body(GrpcHealthBody::watch(watcher))
        }
        None => TOO_MANY_WATCHERS.response(),
    }
}

impl<B> fmt::Debug for GrpcHealthFuture<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = match self.stage {
            CheckStage::Reading { .. } => "reading",
            CheckStage::Asking { .. } => "asking",
            CheckStage::Answer { .. } => "answer",
        };
        f.debug_struct("GrpcHealthFuture").field("stage", &stage).finish()
    }
}
