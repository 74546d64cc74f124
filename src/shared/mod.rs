//! One service for all its clones: puts a service that is not `Clone`, such as a `Box<dyn Service>` or tower's
//! `BoxService`, under the layers that need a `Clone` one: a bulkhead, readiness, a policy, a retry.
//!
//! ```text
//!   call ──▶ its turn, first come, first served ─▶ the service is ready ──▶ called ──▶ the next call's turn
//!                                                                             │
//!                                                                             └──▶ the response, beside others
//! ```
//!
//! Those layers need clones because a call that waited for its permit, or is retried, makes a service ready that no
//! other call can take away. [`SharedService`] is cheap to clone, and all its clones call the one service in turn.
//!
//! # What this costs
//! - `poll_ready` is always ready: it says nothing about the service, so a balancer or a load shedder above it learns
//!   nothing. The response future waits until the service is ready, and an error of its `poll_ready` becomes the
//!   call's.
//! - Requests are handed over one at a time. A service that is not ready holds up all of them; their responses are
//!   awaited concurrently. Put a timeout above it, as above anything else.
//! - Each call costs three reference counts and a turn, and one that has to wait for its turn allocates.
//!
//! So prefer a service that is `Clone`: tower's `BoxCloneService` instead of its `BoxService`.
//!
//! ```
//! use seaworthy::{BoxError, SharedLayer, Bulkhead};
//! use tower::util::BoxService;
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), BoxError> {
//! let not_clone: BoxService<u8, u8, BoxError> = BoxService::new(service_fn(async |n: u8| Ok(n + 1)));
//! let bulkhead = Bulkhead::builder("counter").limit(10).build()?;
//! let service = ServiceBuilder::new().layer(bulkhead.layer()).layer(SharedLayer::new()).service(not_clone);
//! assert_eq!(service.clone().oneshot(1).await?, 2);
//! assert_eq!(service.oneshot(7).await?, 8);
//! # Ok(())
//! # }
//! ```

mod future;
pub(crate) mod service;

/// A service that is `Clone`, as services under a bulkhead, readiness, a policy or a retry must be. Every `Clone` type
/// is one, and with a [`SharedLayer`](crate::SharedLayer) right above it, so is every other service.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not `Clone`, and no `SharedLayer` makes it so",
    note = "put `.layer(SharedLayer::new())` right above it, or box it as a `BoxCloneService`"
)]
pub trait CloneOrSharedLayer: Clone {}

#[diagnostic::do_not_recommend]
impl<S: Clone> CloneOrSharedLayer for S {}

pub use future::ResponseFuture;
pub use service::SharedService;
