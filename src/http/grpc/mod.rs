//! gRPC, without tonic: verdicts, retries and answers to rejections by its own status, and its health protocol. Feature
//! `grpc`.
//!
//! gRPC is HTTP/2 with a status in the trailers, and an HTTP status of 200 says nothing: to
//! [`HttpClassifier`](super::HttpClassifier) every gRPC call that fails is a success. What is here works on the types
//! of the `http` crate, so it goes around tonic, a proxy, or anything else.
//!
//! | for | there is |
//! |---|---|
//! | a circuit breaker around a client | [`CircuitBreaker::grpc_layer`](crate::CircuitBreaker::grpc_layer) |
//! | all of a policy around a client | [`Policy::grpc_layer`](crate::Policy::grpc_layer) |
//! | retries in a client | [`RetryPolicy::grpc_layer`](crate::RetryPolicy::grpc_layer), [`GrpcMethods`] |
//! | rejections in a server | [`GrpcRespondLayer`], [`grpc_status_of`] |
//! | a server's health | [`Health::grpc_service`](crate::Health::grpc_service), [`GrpcHealthService`] |
//! | code of your own | [`Code`], [`grpc_status`], [`grpc_pushback`], [`grpc_response_of`] |
//!
//! A request is gRPC if its `content-type` is `application/grpc`, alone or followed by `+` or `;`. **grpc-web is
//! treated as HTTP**: its status is in the body, where nothing here looks for it.
//!
//! # Streams
//! What holds for how long, with a bulkhead whose layer is told to hold its permits
//! [`until_body_end`](crate::bulkhead::BulkheadLayer::until_body_end), `grpc_layer`, and a [`Timeout`](crate::Timeout):
//!
//! | call | permit of a bulkhead | verdict | timeout |
//! |---|---|---|---|
//! | unary | until its trailers | at its trailers, or at a head that has the status | ends with the head |
//! | server stream | until its trailers | at its trailers | ends with the head: later messages may take any time |
//! | client stream | until its trailers | at its trailers | covers the request, if it is answered at its end |
//! | bidirectional, for hours | for hours | at its trailers, in hours | ends with the head, which comes at once |
//!
//! A stream that is dropped by its reader counts as nothing, unless
//! [`on_body_drop`](super::BodyCircuitBreakerLayer::on_body_drop) says otherwise. A half-open circuit does not wait for
//! a stream: a probe is settled with its first message. Streams that live for hours are settled early with
//! [`settle_early`](super::BodyCircuitBreakerLayer::settle_early) and limited with a
//! [`BodyTimeoutLayer`](super::BodyTimeoutLayer). A bulkhead that they go through needs a limit that leaves room for
//! them, or they need one of their own.

mod answer;
mod classifier;
pub(crate) mod health;
mod judge;
mod message;
mod methods;
mod policy;
mod pushback;
mod replay;
mod respond;
mod retry;
mod status;

pub use answer::{GrpcOrHttp, grpc_response_of, grpc_status_of};
pub use classifier::GrpcClassifier;
pub use health::{GrpcHealthBody, GrpcHealthFuture, GrpcHealthService};
pub use judge::GrpcJudge;
pub use methods::{GrpcMethods, GrpcMethodsBuilder};
pub use policy::GrpcPolicyLayer;
pub use pushback::grpc_pushback;
pub use replay::GrpcReplay;
pub use respond::{GrpcRespondLayer, GrpcRespondService};
pub use retry::{GrpcDecider, GrpcRetry};
pub use status::grpc_status;

pub use crate::grpc::code::Code;
