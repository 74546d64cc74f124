use tower_layer::Layer;

#[cfg(feature = "http")]
use super::answer::RedirectToHint;
use super::answer::Reject;
#[cfg(feature = "http")]
use super::give_epoch::InExtensions;
use super::give_epoch::{Unfenced, Wrapped};
use super::service::LeaderService;
use crate::guard::LeaderWatch;

/// Lets requests in while this process leads, with the epoch of its term, and rejects the others.
///
/// What a request was let in with it keeps: it says who led when it came, and the resource that compares epochs says
/// whether that is still so.
///
/// ```
/// use seaworthy::{BoxError, StackError};
/// use seaworthy_leader::{Fenced, LeaderLayer, LocalElector};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// let elector = LocalElector::builder().build()?;
/// let term = elector.campaign("scheduler").await?;
/// let service = ServiceBuilder::new()
///     .layer(LeaderLayer::new(term.watch()))
///     .service(service_fn(|job: Fenced<&'static str>| async move {
///         Ok::<_, BoxError>(format!("{} under epoch {}", job.get_ref(), job.epoch()))
///     }));
///
/// assert_eq!(service.clone().oneshot("job 7").await?, "job 7 under epoch 1");
/// term.resign().await;
/// let error = service.oneshot("job 8").await.unwrap_err();
/// assert_eq!(error.rejected().unwrap().to_string(), "not ready: not leader");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is given a service"]
pub struct LeaderLayer<G = Wrapped, A = Reject> {
    watch: LeaderWatch,
    on_loss: OnLoss,
    give: G,
    answer: A,
}

/// What happens to requests that are at work when the lead is lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnLoss {
    /// They are finished: what they do under an old epoch is refused by whoever compares.
    #[default]
    Finish,
    /// The inner future is dropped as soon as the term is told to end, and the caller gets
    /// [`Withdrawn`](seaworthy::Rejected::Withdrawn). Costs an allocation for each request.
    Cancel,
}

impl LeaderLayer {
    /// Of a guard, of its [watch](crate::LeaderGuard::watch), or of one [term's](crate::Term::watch).
    pub fn new(watch: impl Into<LeaderWatch>) -> LeaderLayer {
        LeaderLayer {
            watch: watch.into(),
            on_loss: OnLoss::default(),
            give: Wrapped::default(),
            answer: Reject::default(),
        }
    }
}

impl<G, A> LeaderLayer<G, A> {
    /// What happens to requests that are at work when the lead is lost. Default [`OnLoss::Finish`].
    pub fn on_loss(mut self, on_loss: OnLoss) -> LeaderLayer<G, A> {
        self.on_loss = on_loss;
        self
    }

    /// Calls the inner service with the request as it is, for one that asks nothing of others.
    pub fn without_epoch(self) -> LeaderLayer<Unfenced, A> {
        self.giving(Unfenced::default())
    }

    /// Puts the [`Epoch`](crate::Epoch) among the extensions of HTTP requests, in place of a
    /// [`Fenced`](crate::Fenced) request.
    #[cfg(feature = "http")]
    #[cfg_attr(docsrs, doc(cfg(feature = "http")))]
    pub fn epoch_in_extensions(self) -> LeaderLayer<InExtensions, A> {
        self.giving(InExtensions::default())
    }

    /// Answers HTTP requests with 307 and the leader's [hint](crate::ElectorBuilder::hint) while another is known to
    /// lead and has one; they are rejected else. The hint is an address, `10.0.0.7:8080`, or a URL without a path; the
    /// path and the query are the request's.
    #[cfg(feature = "http")]
    #[cfg_attr(docsrs, doc(cfg(feature = "http")))]
    pub fn redirect_to_hint(self) -> LeaderLayer<G, RedirectToHint> {
        let LeaderLayer { watch, on_loss, give, answer: _ } = self;
        LeaderLayer { watch, on_loss, give, answer: RedirectToHint::default() }
    }

    fn giving<H>(self, give: H) -> LeaderLayer<H, A> {
        let LeaderLayer { watch, on_loss, give: _, answer } = self;
        LeaderLayer { watch, on_loss, give, answer }
    }
}

impl<S, G: Clone, A: Clone> Layer<S> for LeaderLayer<G, A> {
    type Service = LeaderService<S, G, A>;

    fn layer(&self, inner: S) -> LeaderService<S, G, A> {
        LeaderService::new(inner, self.watch.clone(), self.on_loss, self.give.clone(), self.answer.clone())
    }
}
