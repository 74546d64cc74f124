use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use seaworthy::{Rejected, StackError};
use seaworthy_ledger::idempotency::IntoClaimRequest;
use seaworthy_ledger::store::LedgerStore;
use seaworthy_ledger::{Claim, Claimed, Ledger, LedgerError};
use seaworthy_store::random;
use tower_layer::Layer;
use tower_service::Service;

use crate::delivery::{Delivery, DeliveryMeta, JobError};

/// A job whose key is taken is looked at again after this; the longer it waits, the more seldom, up to the other.
const WAITS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// Lets at most one job of a key be at work at a time, in all processes that share the ledger. Made by
/// [`one_at_a_time`](super::one_at_a_time).
///
/// # Clone
/// Costs a clone of the closure; the ledger is the same.
#[derive(Clone)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct OneAtATimeLayer<K, L> {
    ledger: Ledger<L>,
    key_of: K,
}

impl<K, L> OneAtATimeLayer<K, L> {
    pub(super) fn new(ledger: Ledger<L>, key_of: K) -> OneAtATimeLayer<K, L> {
        OneAtATimeLayer { ledger, key_of }
    }
}

impl<V, K: Clone, L> Layer<V> for OneAtATimeLayer<K, L> {
    type Service = OneAtATimeService<V, K, L>;

    fn layer(&self, inner: V) -> Self::Service {
        OneAtATimeService { inner, ledger: self.ledger.clone(), key_of: self.key_of.clone() }
    }
}

/// Lets at most one job of a key be at work at a time. Made by an [`OneAtATimeLayer`].
///
/// It is ready when the inner service is, and calls that one when the key was claimed.
///
/// # Clone
/// Costs clones of the inner service and of the closure; the ledger is the same.
#[derive(Clone)]
pub struct OneAtATimeService<V, K, L> {
    inner: V,
    ledger: Ledger<L>,
    key_of: K,
}

impl<V, K, L> OneAtATimeService<V, K, L> {
    /// The inner service.
    pub fn get_ref(&self) -> &V {
        &self.inner
    }

    /// Unwraps the inner service.
    pub fn into_inner(self) -> V {
        self.inner
    }
}

impl<M, V, K, Q, L> Service<Delivery<M>> for OneAtATimeService<V, K, L>
where
    M: Send + 'static,
    V: Service<Delivery<M>> + Clone + Send + 'static,
    V::Future: Send,
    V::Response: Send,
    V::Error: StackError + From<JobError> + Send,
    K: Fn(&Delivery<M>) -> Q,
    Q: IntoClaimRequest,
    L: LedgerStore,
{
    type Response = V::Response;
    type Error = V::Error;
    type Future = ResponseFuture<V::Response, V::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), V::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, delivery: Delivery<M>) -> Self::Future {
        // The one that is ready; its clone need not be.
        let unready = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, unready);
        let request = match (self.key_of)(&delivery).into_claim_request() {
            Ok(Some(request)) => request.lease(delivery.visibility()),
            Ok(None) => return ResponseFuture::of(async move { inner.call(delivery).await }),
            // The same at every attempt.
            Err(error) => return ResponseFuture::of(async move { Err(JobError::dead(error.to_string()).into()) }),
        };
        let ledger = self.ledger.clone();
        ResponseFuture::of(async move {
            let claim = match ledger.claim(request).await {
                Ok(Claimed::Mine(claim)) => claim,
                Ok(Claimed::Busy { retry_in }) => {
                    let wait = wait(delivery.meta(), random::fraction());
                    return Err(JobError::defer(wait.min(retry_in)).into());
                }
                Ok(Claimed::Mismatch) => return Err(JobError::defer(wait(delivery.meta(), random::fraction())).into()),
                Ok(Claimed::Done(_)) => {
                    return Err(JobError::failed("its key is recorded as work that was done").into());
                }
                // The lease is the visibility, and the ledger's request timeout does not fit into it, for instance.
                Err(LedgerError::Request(error)) => return Err(JobError::failed(error.to_string()).into()),
                Err(_) => return Err(JobError::put_off().into()),
            };
            alone(claim, inner, delivery).await
        })
    }
}

/// The claim is not begun in the ledger's sense, so that whatever becomes of this future gives it back: nothing is to
/// be known of a key but whether somebody has it.
async fn alone<M, V, L>(mut claim: Claim<L>, mut inner: V, delivery: Delivery<M>) -> Result<V::Response, V::Error>
where
    V: Service<Delivery<M>>,
    V::Error: StackError,
    L: LedgerStore,
{
    let lost = claim.hold();
    let name = delivery.queue().clone();
    // Dropped before the claim is.
    let call = inner.call(delivery);
    tokio::select! {
        biased;
        // Somebody else may be at it by now.
        () = lost.requested() => Err(Rejected::Withdrawn { name }.into()),
        outcome = call => outcome,
    }
}

/// How long a job waits before it is looked at again. They do not come all at once: one after the other has to find the
/// key free.
fn wait(delivery: &DeliveryMeta, chance: f64) -> Duration {
    let (shortest, longest) = WAITS;
    let waited = delivery.deferred_for().unwrap_or_default();
    (waited / 8).clamp(shortest, longest).mul_f64(0.5 + chance)
}

/// The response future of an [`OneAtATimeService`].
///
/// # Cancellation
/// Dropping it drops the inner call, and then gives the key back in the background.
#[must_use = "a future does nothing until it is polled"]
pub struct ResponseFuture<T, E>(Pin<Box<dyn Future<Output = Result<T, E>> + Send>>);

impl<T, E> ResponseFuture<T, E> {
    /// In a box, which is nothing beside the ledger's store.
    fn of(call: impl Future<Output = Result<T, E>> + Send + 'static) -> ResponseFuture<T, E> {
        ResponseFuture(Box::pin(call))
    }
}

impl<T, E> Future for ResponseFuture<T, E> {
    type Output = Result<T, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl<K, L> fmt::Debug for OneAtATimeLayer<K, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OneAtATimeLayer").field("ledger", &self.ledger).finish_non_exhaustive()
    }
}

impl<V: fmt::Debug, K, L> fmt::Debug for OneAtATimeService<V, K, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OneAtATimeService")
            .field("inner", &self.inner)
            .field("ledger", &self.ledger)
            .finish_non_exhaustive()
    }
}

impl<T, E> fmt::Debug for ResponseFuture<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
