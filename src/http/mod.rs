//! Rejections as HTTP responses, verdicts from HTTP statuses, limits for bodies, and retries of HTTP requests. Feature
//! `http`.

mod body;
mod body_timeout;
mod classify;
mod replay;
mod replay_body;
mod replay_store;
mod respond;
mod retry;
mod retry_after;

pub use body::RespondBody;
pub use body_timeout::{BodyTimeout, BodyTimeoutBuilder, BodyTimeoutFuture, BodyTimeoutLayer, TimeoutBody};
pub use classify::HttpClassifier;
pub use replay::{HttpReplay, KeptRequest};
pub use replay_body::ReplayBody;
pub use respond::{Respond, RespondFuture, RespondLayer, SplitError, status_of};
pub use retry::HttpRetry;
