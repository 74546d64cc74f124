use std::fmt;
use std::marker::PhantomData;

use tower_layer::Layer;

use super::codec::Json;
use super::final_if::{FinalIf, Successes};
#[cfg(feature = "http")]
use super::give_claim::InExtensions;
use super::give_claim::{Ungiven, Wrapped};
use super::on_down::OnDown;
use super::rules::Rules;
use super::service::IdempotencyService;
use crate::claim_ref::ClaimRef;
use crate::ledger::Ledger;
use crate::memory::Memory;

/// Does the work of each key once: claims the key of a request, calls the inner service while the claim is renewed, and
/// records its answer, which everybody gets who repeats the request.
///
/// `key_of` gives the key of a request, or none for one that is to pass untouched: see
/// [`IntoClaimRequest`](super::IntoClaimRequest). It must name the operation, not the resource: see
/// [`Key`](crate::Key). Where somebody may reuse a key for another request, let it give a
/// [`ClaimRequest`](crate::ClaimRequest) with a [fingerprint](crate::ClaimRequest::fingerprint).
///
/// ```
/// use seaworthy::BoxError;
/// use seaworthy_ledger::{IdempotencyLayer, Key, Ledger};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// #[derive(Clone)]
/// struct Charge {
///     request_id: String,
///     cents: u64,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// let ledger = Ledger::memory("charges").build()?;
/// let charges = ServiceBuilder::new()
///     .layer(IdempotencyLayer::new(ledger, |charge: &Charge| Key::new("charge", &charge.request_id)))
///     .service(service_fn(|charge: Charge| async move {
///         // … charge the card.
///         Ok::<_, BoxError>(format!("receipt for {} cents", charge.cents))
///     }));
///
/// let charge = Charge { request_id: "81f2".into(), cents: 1_250 };
/// let first = charges.clone().oneshot(charge.clone()).await?;
/// let again = charges.oneshot(charge).await?; // the card is not charged again
/// assert_eq!(first, again);
/// # Ok(())
/// # }
/// ```
///
/// # Clone
/// Costs clones of the closures and of the codec; the ledger is the same.
#[derive(Clone)]
#[must_use = "a layer does nothing until it is given a service"]
pub struct IdempotencyLayer<K, L = Memory, C = Json, F = Successes, G = Ungiven, M = InPlace> {
    key_of: K,
    rules: Rules<L, C, F, G>,
    run: PhantomData<M>,
}

/// The inner call is dropped with the future of its caller. The default.
#[derive(Clone, Copy, Debug, Default)]
pub struct InPlace(());

/// The inner call goes on without its caller: see [`IdempotencyLayer::run_to_end`].
#[derive(Clone, Copy, Debug, Default)]
pub struct ToEnd(());

impl<K, L> IdempotencyLayer<K, L> {
    /// Keeps answers as JSON, and refuses requests with a key while the ledger's store is down.
    pub fn new(ledger: Ledger<L>, key_of: K) -> IdempotencyLayer<K, L> {
        let rules = Rules { ledger, codec: Json, final_if: Successes, give: Ungiven, on_down: OnDown::default() };
        IdempotencyLayer { key_of, rules, run: PhantomData }
    }
}

impl<K, L, C, F, G, M> IdempotencyLayer<K, L, C, F, G, M> {
    /// How answers are kept. Default [`Json`]; [`Raw`](super::Raw) for bytes, [`Unit`](super::Unit) for `()`, or a
    /// [`Codec`](crate::Codec) of your own.
    pub fn codec<D>(self, codec: D) -> IdempotencyLayer<K, L, D, F, G, M> {
        let Rules { ledger, codec: _, final_if, give, on_down } = self.rules;
        let rules = Rules { ledger, codec, final_if, give, on_down };
        IdempotencyLayer { key_of: self.key_of, rules, run: self.run }
    }

    /// Which outcomes are final. Default: every answer is, and no error. Errors that are final are kept as their text,
    /// and whoever repeats the request gets [`FailedBefore`](crate::IdempotencyError::FailedBefore); answers that are
    /// not free the key, and are given to their caller. It is not asked about rejections from below that say that the
    /// inner service was not called.
    ///
    /// ```
    /// use seaworthy::BoxError;
    /// use seaworthy_ledger::{IdempotencyLayer, Key, Ledger};
    ///
    /// #[derive(serde::Serialize, serde::Deserialize)]
    /// enum Answer {
    ///     Receipt(String),
    ///     ComeBackLater,
    /// }
    ///
    /// let ledger = Ledger::memory("charges").build()?;
    /// let layer = IdempotencyLayer::new(ledger, |id: &String| Key::new("charge", id))
    ///     .final_if(|outcome: &Result<Answer, BoxError>| matches!(outcome, Ok(Answer::Receipt(_))));
    /// # let _ = layer;
    /// # Ok::<(), seaworthy::ConfigError>(())
    /// ```
    pub fn final_if<T, E, P>(self, is_final: P) -> IdempotencyLayer<K, L, C, P, G, M>
    where
        P: FinalIf<T, E>,
    {
        let Rules { ledger, codec, final_if: _, give, on_down } = self.rules;
        let rules = Rules { ledger, codec, final_if: is_final, give, on_down };
        IdempotencyLayer { key_of: self.key_of, rules, run: self.run }
    }

    /// What happens while the ledger's store is down. Default [`OnDown::Refuse`].
    pub fn on_down(mut self, on_down: OnDown) -> IdempotencyLayer<K, L, C, F, G, M> {
        self.rules.on_down = on_down;
        self
    }

    /// Calls the inner service with a [`WithClaim`](crate::WithClaim), the request and the claim, in place of the
    /// request alone.
    pub fn with_claim(self) -> IdempotencyLayer<K, L, C, F, Wrapped, M> {
        self.giving(Wrapped)
    }

    /// Calls the inner service with what this makes of the request and the claim.
    pub fn give_claim<R, Q, P>(self, give: P) -> IdempotencyLayer<K, L, C, F, P, M>
    where
        P: Fn(R, Option<ClaimRef<L>>) -> Q,
    {
        self.giving(give)
    }

    /// Puts the claim, a [`ClaimRef`], among the extensions of HTTP requests.
    ///
    /// This layer keeps no HTTP responses: it is for services that take an HTTP request and give an answer that a
    /// [`Codec`](crate::Codec) can keep.
    #[cfg(feature = "http")]
    #[cfg_attr(docsrs, doc(cfg(feature = "http")))]
    pub fn claim_in_extensions(self) -> IdempotencyLayer<K, L, C, F, InExtensions, M> {
        self.giving(InExtensions)
    }

    fn giving<P>(self, give: P) -> IdempotencyLayer<K, L, C, F, P, M> {
        let Rules { ledger, codec, final_if, give: _, on_down } = self.rules;
        let rules = Rules { ledger, codec, final_if, give, on_down };
        IdempotencyLayer { key_of: self.key_of, rules, run: self.run }
    }

    /// Runs each call that has a key, with its claim and the record of its outcome, in a task that a dropped caller
    /// does not stop; [`Ledger::close`](crate::Ledger::close) waits for it. The caller's deadline goes with it, and
    /// ends it if a layer below says so. Everything must be `Send + 'static` then.
    pub fn run_to_end(self) -> IdempotencyLayer<K, L, C, F, G, ToEnd> {
        IdempotencyLayer { key_of: self.key_of, rules: self.rules, run: PhantomData }
    }
}

impl<S, K, L, C, F, G, M> Layer<S> for IdempotencyLayer<K, L, C, F, G, M>
where
    K: Clone,
    C: Clone,
    F: Clone,
    G: Clone,
    L: Clone,
{
    type Service = IdempotencyService<S, K, L, C, F, G, M>;

    fn layer(&self, inner: S) -> Self::Service {
        IdempotencyService::new(inner, self.key_of.clone(), self.rules.clone())
    }
}

impl<K, L, C, F, G, M> fmt::Debug for IdempotencyLayer<K, L, C, F, G, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdempotencyLayer")
            .field("ledger", &self.rules.ledger)
            .field("on_down", &self.rules.on_down)
            .finish_non_exhaustive()
    }
}
