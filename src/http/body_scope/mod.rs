//! Calls whose outcome is known with the last byte of the response body: see [`BodyCircuitBreakerLayer`].

mod body;
mod call;
mod judge;
mod layer;
mod length;
mod owner;
mod service;

pub use body::JudgedBody;
pub(super) use call::{BodyCall, poll_frame as poll_judged};
pub use judge::{BodyEnd, JudgeBody, MakeJudge, NoJudge};
pub use layer::BodyCircuitBreakerLayer;
pub use length::{CheckLength, LengthJudge};
pub(super) use owner::PolicyOwner;
pub use service::{BodyCircuitBreakerFuture, BodyCircuitBreakerService};

pub use crate::machine::circuit_breaker::body_scope::Early;
