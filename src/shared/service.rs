use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::Semaphore;
use tower_layer::Layer;
use tower_service::Service;

use super::future::ResponseFuture;
use crate::rt::sync::Mutex;

/// Shares one service, which need not be `Clone`, among all clones of the service it makes. The [module's docs](super)
/// say what that costs.
///
/// Put it at the bottom, right above the service that is not `Clone`.
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "a layer does nothing until it is given a service"]
pub struct SharedLayer(());

impl SharedLayer {
    /// Creates the layer, which has no settings.
    pub fn new() -> SharedLayer {
        SharedLayer(())
    }
}

impl<S> Layer<S> for SharedLayer {
    type Service = SharedService<S>;

    fn layer(&self, inner: S) -> SharedService<S> {
        SharedService::new(inner)
    }
}

/// Hands requests to one service, in turn. It is always ready; the response future waits for its turn and then for the
/// service to be ready. Made by [`SharedLayer`].
///
/// # Clone
/// Costs a reference count. All clones call the same service.
pub struct SharedService<S> {
    one: Arc<One<S>>,
}

/// The one service. The call whose turn it is takes it out and uses it outside the lock.
pub(super) struct One<S> {
    pub(super) turns: Arc<Semaphore>,
    pub(super) inner: Mutex<Option<S>>,
}

impl<S> SharedService<S> {
    /// Shares `inner` among its clones.
    pub fn new(inner: S) -> SharedService<S> {
        SharedService { one: Arc::new(One { turns: Arc::new(Semaphore::new(1)), inner: Mutex::new(Some(inner)) }) }
    }
}

impl<S> Clone for SharedService<S> {
    fn clone(&self) -> SharedService<S> {
        SharedService { one: Arc::clone(&self.one) }
    }
}

impl<S> fmt::Debug for SharedService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedService").finish_non_exhaustive()
    }
}

impl<S, Request> Service<Request> for SharedService<S>
where
    S: Service<Request>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S, Request>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        ResponseFuture::new(Arc::clone(&self.one), request)
    }
}
