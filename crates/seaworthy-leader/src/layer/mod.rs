//! Requests that only the leader serves.
//!
//! | this process | a request |
//! |---|---|
//! | leads | reaches the inner service, with the epoch of the term |
//! | does not, or its work was told to end | is rejected as [`NotReady`], with the reason `not leader` |
//! | the same, with [`redirect_to_hint`] | is sent to the leader, if one is known that has a hint |
//! | loses the lead while the inner service is at work | is finished |
//! | the same, with [`OnLoss::Cancel`] | is dropped, and rejected as [`Withdrawn`] |
//!
//! [`NotReady`]: seaworthy::Rejected::NotReady
//! [`Withdrawn`]: seaworthy::Rejected::Withdrawn
//! [`redirect_to_hint`]: crate::LeaderLayer::redirect_to_hint
//! [`OnLoss::Cancel`]: crate::OnLoss::Cancel

mod answer;
mod future;
pub(crate) mod give_epoch;
pub(crate) mod handle;
mod service;

#[cfg(feature = "http")]
#[cfg_attr(docsrs, doc(cfg(feature = "http")))]
pub use answer::RedirectToHint;
pub use answer::{AnswerFollower, Reject};
pub use future::ResponseFuture;
#[cfg(feature = "http")]
#[cfg_attr(docsrs, doc(cfg(feature = "http")))]
pub use give_epoch::InExtensions;
pub use give_epoch::{GiveEpoch, Unfenced, Wrapped};
pub use service::LeaderService;
