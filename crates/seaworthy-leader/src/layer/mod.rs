//! Requests that only the leader serves.
//!
//! | this process | a request |
//! |---|---|
//! | leads | reaches the inner service, with the epoch of the term |
//! | does not, or its work was told to end | is rejected as [`NotReady`](seaworthy::Rejected::NotReady), with the reason `not leader`; or is sent to the leader, with [`redirect_to_hint`](LeaderLayer::redirect_to_hint) |
//! | loses the lead while the inner service is at work | is finished; or is dropped, and rejected as [`Withdrawn`](seaworthy::Rejected::Withdrawn), with [`OnLoss::Cancel`] |

mod answer;
mod future;
mod give_epoch;
mod handle;
mod service;

#[cfg(feature = "http")]
#[cfg_attr(docsrs, doc(cfg(feature = "http")))]
pub use answer::RedirectToHint;
pub use answer::{AnswerFollower, Reject};
pub use future::ResponseFuture;
#[cfg(feature = "http")]
#[cfg_attr(docsrs, doc(cfg(feature = "http")))]
pub use give_epoch::InExtensions;
pub use give_epoch::{Fenced, GiveEpoch, Unfenced, Wrapped};
pub use handle::{LeaderLayer, OnLoss};
pub use service::LeaderService;
