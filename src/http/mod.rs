//! HTTP: rejections as responses, verdicts from statuses, limits for bodies, slots that are held until a body has ended,
//! and retries of requests. Feature `http`.

mod body;
mod body_timeout;
mod bulkhead;
mod classify;
mod policy;
mod replay;
mod replay_body;
mod replay_store;
mod respond;
mod retry;
mod retry_after;
mod slot_body;

pub use body::RespondBody;
pub use body_timeout::{BodyTimeout, BodyTimeoutBuilder, BodyTimeoutFuture, BodyTimeoutLayer, TimeoutBody};
pub use bulkhead::{BodyBulkhead, BodyBulkheadFuture, BodyBulkheadLayer};
pub use classify::HttpClassifier;
pub use replay::{HttpReplay, KeptRequest};
pub use replay_body::ReplayBody;
pub use respond::{Respond, RespondFuture, RespondLayer, SplitError, status_of};
pub use retry::HttpRetry;
pub use slot_body::SlotBody;
