use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::header::HeaderName;
use http::{Request, Response, StatusCode};
use pin_project_lite::pin_project;
use seaworthy::Name;
use tower_layer::Layer;
use tower_service::Service;

use crate::epoch::Epoch;
use crate::fence::Epochs;

/// The header that an [`Epoch`] travels in: a decimal number.
pub const EPOCH_HEADER: HeaderName = HeaderName::from_static("seaworthy-epoch");

/// Refuses requests of old leaders: with 409 those whose [`EPOCH_HEADER`] has an epoch below the highest that was seen,
/// with 400 those whose header is not a number. A request without the header passes, unless it is
/// [required](Self::required).
///
/// It remembers in memory, and is only as good as that: see [`Epochs`].
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
pub struct EpochLayer {
    epochs: Epochs,
    name: Name,
    is_required: bool,
}

impl EpochLayer {
    /// For requests of the leader of this name. Layers with the same `epochs` remember together.
    pub fn new(epochs: Epochs, name: impl Into<Name>) -> EpochLayer {
        EpochLayer { epochs, name: name.into(), is_required: false }
    }

    /// Refuses requests without the header, too, with 428.
    pub fn required(mut self) -> EpochLayer {
        self.is_required = true;
        self
    }

    /// The status of a request that is refused.
    fn refusal<B>(&self, request: &Request<B>) -> Option<StatusCode> {
        let mut values = request.headers().get_all(EPOCH_HEADER).iter();
        let Some(value) = values.next() else {
            return self.is_required.then_some(StatusCode::PRECONDITION_REQUIRED);
        };
        let digits = value.to_str().ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
        let epoch = digits.and_then(|digits| digits.parse().ok());
        match epoch.filter(|_| values.next().is_none()) {
            None => Some(StatusCode::BAD_REQUEST),
            Some(epoch) => {
                let accepted = self.epochs.accept(self.name.clone(), Epoch::new(epoch));
                accepted.is_err().then_some(StatusCode::CONFLICT)
            }
        }
    }
}

impl<S> Layer<S> for EpochLayer {
    type Service = EpochService<S>;

    fn layer(&self, inner: S) -> EpochService<S> {
        EpochService { inner, layer: self.clone() }
    }
}

/// Refuses requests of old leaders. Made by [`EpochLayer`].
///
/// # Clone
/// Costs a clone of the inner service, and a reference count.
#[derive(Clone, Debug)]
pub struct EpochService<S> {
    inner: S,
    layer: EpochLayer,
}

impl<S, A, B> Service<Request<A>> for EpochService<S>
where
    S: Service<Request<A>, Response = Response<B>>,
    B: Default,
{
    type Response = Response<B>;
    type Error = S::Error;
    type Future = EpochFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        match self.layer.refusal(&request) {
            Some(status) => EpochFuture { state: State::Refused { status } },
            None => EpochFuture { state: State::Calling { inner: self.inner.call(request) } },
        }
    }
}

pin_project! {
    /// The response future of [`EpochService`].
    ///
    /// # Cancellation
    /// Dropping it drops the inner call.
    #[must_use = "futures do nothing unless polled"]
    pub struct EpochFuture<F> {
        #[pin]
        state: State<F>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<F> {
        Calling { #[pin] inner: F },
        Refused { status: StatusCode },
    }
}

impl<F, B, E> Future for EpochFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Default,
{
    type Output = Result<Response<B>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProj::Calling { inner } => inner.poll(cx),
            StateProj::Refused { status } => {
                let mut response = Response::new(B::default());
                *response.status_mut() = *status;
                Poll::Ready(Ok(response))
            }
        }
    }
}
