use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::header::HeaderName;
use http::{Request, Response, StatusCode};
use pin_project_lite::pin_project;
use seaworthy::Name;
use tower_layer::Layer;
use tower_service::Service;

use crate::epoch::Epoch;
use crate::epoch_memory::{EpochError, EpochMemory};
use crate::fence::Epochs;

/// The header that an [`Epoch`] travels in: a decimal number.
pub const EPOCH_HEADER: HeaderName = HeaderName::from_static("seaworthy-epoch");

/// Refuses requests of old leaders: with 409 those whose [`EPOCH_HEADER`] has an epoch below the highest that was seen,
/// with 400 those whose header is not a number. A request without the header passes, unless it is
/// [required](Self::required).
///
/// It is as good as what remembers: [`Epochs`] until the end of the process, a table in a store
/// (`sqlite::SqliteEpochs`) for as long as that is there; while the store cannot be asked requests with the header are
/// answered with 503. What was let in may be overtaken by a newer leader's before it is done: where that matters keep
/// the epoch with the data, as [`FENCE_SQL`](crate::FENCE_SQL) does.
///
/// ```
/// use seaworthy::BoxError;
/// use seaworthy_leader::{EPOCH_HEADER, Epoch, EpochLayer, Epochs};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// let service = ServiceBuilder::new()
///     .layer(EpochLayer::new(Epochs::default(), "scheduler"))
///     .service(service_fn(|_: http::Request<()>| async { Ok::<_, BoxError>(http::Response::new(String::new())) }));
/// let request = |epoch| http::Request::put("/jobs/7").header(EPOCH_HEADER, Epoch::new(epoch)).body(());
///
/// assert_eq!(service.clone().oneshot(request(8)?).await?.status(), 200);
/// assert_eq!(service.oneshot(request(7)?).await?.status(), 409);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is given a service"]
pub struct EpochLayer<M = Epochs> {
    memory: M,
    name: Name,
    is_required: bool,
}

/// What the header says.
enum Sent {
    Nothing,
    Epoch(Epoch),
    Nonsense,
}

impl<M: EpochMemory> EpochLayer<M> {
    /// For requests of the leader of this name. Layers with the same `memory` remember together.
    pub fn new(memory: M, name: impl Into<Name>) -> EpochLayer<M> {
        EpochLayer { memory, name: name.into(), is_required: false }
    }

    /// Refuses requests without the header, too, with 428.
    pub fn required(mut self) -> EpochLayer<M> {
        self.is_required = true;
        self
    }
}

fn sent<B>(request: &Request<B>) -> Sent {
    let mut values = request.headers().get_all(EPOCH_HEADER).iter();
    let Some(value) = values.next() else { return Sent::Nothing };
    let digits = value.to_str().ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let epoch = digits.and_then(|digits| digits.parse().ok()).filter(|_| values.next().is_none());
    epoch.map_or(Sent::Nonsense, |epoch| Sent::Epoch(Epoch::new(epoch)))
}

impl<S, M: Clone> Layer<S> for EpochLayer<M> {
    type Service = EpochService<S, M>;

    fn layer(&self, inner: S) -> EpochService<S, M> {
        EpochService { inner, layer: self.clone() }
    }
}

/// Refuses requests of old leaders. Made by [`EpochLayer`].
///
/// # Clone
/// Costs a clone of the inner service, and of what remembers.
#[derive(Clone, Debug)]
pub struct EpochService<S, M = Epochs> {
    inner: S,
    layer: EpochLayer<M>,
}

impl<S, M, A, B> Service<Request<A>> for EpochService<S, M>
where
    S: Service<Request<A>, Response = Response<B>> + Clone,
    M: EpochMemory,
    B: Default,
{
    type Response = Response<B>;
    type Error = S::Error;
    type Future = EpochFuture<S, A, M>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        let state = match sent(&request) {
            Sent::Nothing if self.layer.is_required => State::Refused { status: StatusCode::PRECONDITION_REQUIRED },
            Sent::Nothing => State::Calling { called: self.inner.call(request) },
            Sent::Nonsense => State::Refused { status: StatusCode::BAD_REQUEST },
            Sent::Epoch(epoch) => {
                let answer = self.layer.memory.remember(&self.layer.name, epoch);
                // The one that was made ready is the one that is called.
                let next = self.inner.clone();
                let inner = mem::replace(&mut self.inner, next);
                State::Asking { answer, waiting: Some((inner, request)) }
            }
        };
        EpochFuture { state }
    }
}

pin_project! {
    /// The response future of [`EpochService`].
    ///
    /// # Cancellation
    /// Dropping it drops the inner call; what was being remembered is, or is not.
    #[must_use = "futures do nothing unless polled"]
    pub struct EpochFuture<S, A, M>
    where
        S: Service<Request<A>>,
        M: EpochMemory,
    {
        #[pin]
        state: State<S, A, M>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<S, A, M>
    where
        S: Service<Request<A>>,
        M: EpochMemory,
    {
        Asking { #[pin] answer: M::Answer, waiting: Option<(S, Request<A>)> },
        Calling { #[pin] called: S::Future },
        Refused { status: StatusCode },
    }
}

impl<S, A, B, M> Future for EpochFuture<S, A, M>
where
    S: Service<Request<A>, Response = Response<B>>,
    M: EpochMemory,
    B: Default,
{
    type Output = Result<Response<B>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProj::Calling { called } => return called.poll(cx),
                StateProj::Refused { status } => {
                    let mut response = Response::new(B::default());
                    *response.status_mut() = *status;
                    return Poll::Ready(Ok(response));
                }
                StateProj::Asking { answer, waiting } => match (ready!(answer.poll(cx)), waiting.take()) {
                    (Ok(()), Some((mut inner, request))) => State::Calling { called: inner.call(request) },
                    (Err(EpochError::Stale(_)), _) => State::Refused { status: StatusCode::CONFLICT },
                    _ => State::Refused { status: StatusCode::SERVICE_UNAVAILABLE },
                },
            };
            state.set(next);
        }
    }
}
