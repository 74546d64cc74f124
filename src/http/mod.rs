//! Rejections as HTTP responses, verdicts from HTTP statuses, and limits for bodies. Feature `http`.

mod body;
mod body_timeout;
mod classify;
mod respond;

pub use body::RespondBody;
pub use body_timeout::{BodyTimeout, BodyTimeoutBuilder, BodyTimeoutFuture, BodyTimeoutLayer, TimeoutBody};
pub use classify::HttpClassifier;
pub use respond::{Respond, RespondFuture, RespondLayer, SplitError, status_of};
