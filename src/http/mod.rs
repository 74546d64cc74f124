//! Rejections as HTTP responses, verdicts from HTTP statuses, and slots that are held until the response body has ended.
//! Feature `http`.

mod body;
mod bulkhead;
mod classify;
mod respond;
mod slot_body;

pub use body::RespondBody;
pub use bulkhead::{BodyBulkhead, BodyBulkheadFuture, BodyBulkheadLayer};
pub use classify::HttpClassifier;
pub use respond::{Respond, RespondFuture, RespondLayer, SplitError, status_of};
pub use slot_body::SlotBody;
