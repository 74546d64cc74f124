//! Rejections as HTTP responses, and verdicts from HTTP statuses. Feature `http`.

mod body;
mod classify;
mod respond;

pub use body::RespondBody;
pub use classify::HttpClassifier;
pub use respond::{Respond, RespondFuture, RespondLayer, SplitError, status_of};
