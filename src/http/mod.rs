//! HTTP: rejections as responses, verdicts from statuses and from whole bodies, time limits for bodies, permits held
//! until a body has ended, retries of requests, and health endpoints. Feature `http`.

mod answer;
mod body;
mod body_scope;
mod body_timeout;
mod bulkhead;
mod classify;
mod content_type;
mod date;
mod drain;
#[cfg(feature = "grpc")]
pub mod grpc;
mod health;
mod held_body;
mod inbound;
mod maybe_limited;
mod outbound;
mod policy;
mod policy_body;
mod policy_service;
mod readiness;
mod replay;
mod replay_body;
mod replay_store;
mod respond;
mod retry;
mod retry_after;
mod retry_request;
mod standard;
pub(crate) mod timeout_headers;
pub(crate) mod wire_timeout;

pub use answer::{ByStatus, RejectionResponse, With, response_of, status_of};
pub use body::{RejectionBody, RespondBody};
pub use body_scope::{
    BodyCircuitBreakerFuture, BodyCircuitBreakerLayer, BodyCircuitBreakerService, BodyEnd, CheckLength, Early,
    JudgeBody, JudgedBody, LengthJudge, MakeJudge, NoJudge,
};
pub use body_timeout::{BodyTimeoutBuilder, BodyTimeoutFuture, BodyTimeoutLayer, BodyTimeoutService, TimeoutBody};
pub use bulkhead::{BodyBulkheadFuture, BodyBulkheadLayer, BodyBulkheadService};
pub use classify::HttpClassifier;
#[cfg(all(feature = "grpc", feature = "prober"))]
pub(crate) use content_type::is_grpc;
pub use drain::{DrainFuture, DrainLayer, DrainService};
#[cfg(feature = "server")]
pub(crate) use drain::{close, is_draining, may_close};
pub use health::{HealthBody, HealthEndpoints, HealthFuture, HealthPaths};
pub use held_body::{HeldBody, InFlightBody, PermitBody};
pub use inbound::{InboundBuilder, InboundLayer, InboundService};
pub use outbound::{OutboundBuilder, OutboundFuture, OutboundLayer, OutboundService};
pub use policy::HttpPolicyLayer;
pub use policy_body::PolicyBody;
pub use policy_service::{HttpPolicyFuture, HttpPolicyService};
pub use readiness::{BodyReadinessFuture, BodyReadinessLayer, BodyReadinessService};
pub use replay::{HttpReplay, KeptRequest};
pub use replay_body::ReplayBody;
pub use respond::{RespondFuture, RespondLayer, RespondService, SplitError};
pub use retry::HttpRetry;
pub use retry_after::retry_after;
pub use retry_request::{RequestDecider, RetryIfRequest};
