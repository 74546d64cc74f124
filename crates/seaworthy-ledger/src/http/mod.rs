//! The `Idempotency-Key` header over HTTP: a request that is sent again calls its handler once.
//!
//! ```text
//!   POST, PATCH ── header? ──no──────────────────────────────▶ handler           (400 if required)
//!                    │ yes
//!                 body read, hashed ── claim ──┬─ mine ──────▶ handler, in a task ─▶ answer, kept on its way
//!                                              ├─ running ──▶ 409, Retry-After
//!                                              ├─ done ─────▶ the same answer, Idempotency-Replayed: true
//!                                              ├─ other ────▶ 422: the key stands for another request
//!                                              └─ no store ─▶ 503, Retry-After: 1
//! ```
//!
//! After draft-ietf-httpapi-idempotency-key-header-07. A key is a structured field's string, or the same without
//! quotes; it belongs to its scope, and stands for one request: method, path with query, `Content-Type` and body.
//!
//! | the handler's answer | the client gets it, and whoever repeats the request gets |
//! |---|---|
//! | 2xx, 3xx, 4xx (see [`keep_if`](IdempotencyKeyBuilder::keep_if)) | the same, byte for byte, for 24 h |
//! | other 4xx, 5xx | the handler's next answer |
//! | with a body that is too long, fails, or takes longer than a lease | 409, "Already done, answer not kept" |
//! | an error, a panic | the handler's next answer |
//!
//! The handler runs in a task, which goes on when the client hangs up. So what is to see the client's end, or limit how
//! many run at a time, belongs inside the layer: its bulkhead, its timeout, its retries. Task-local values do not
//! reach the handler; a [`Deadline`](seaworthy::Deadline) and the current `tracing` span do. Compression belongs
//! outside, so that what is kept is what every client can read.
//!
//! ```
//! use axum::Router;
//! use axum::body::Body;
//! use axum::routing::post;
//! use http::Request;
//! use seaworthy_ledger::Ledger;
//! use seaworthy_ledger::http::IdempotencyKeyLayer;
//! use tower::ServiceExt;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let ledger = Ledger::memory("orders").build()?;
//! let tenant = |head: &http::request::Parts| head.headers.get("tenant")?.to_str().ok().map(str::to_owned);
//! let layer = IdempotencyKeyLayer::builder(ledger).scope_by(tenant).build()?;
//! let app = Router::new().route("/orders", post(async || "order 1")).layer(layer);
//!
//! for sent in 1..=2 {
//!     let request = Request::post("/orders").header("tenant", "acme").header("idempotency-key", "\"8e03\"");
//!     let response = app.clone().oneshot(request.body(Body::from("two boxes"))?).await?;
//!     assert_eq!(response.status(), 200);
//!     assert_eq!(response.headers().contains_key("idempotency-replayed"), sent == 2);
//!     axum::body::to_bytes(response.into_body(), 100).await?;
//! }
//! # Ok(())
//! # }
//! ```

mod builder;
mod call;
mod fingerprint;
mod future;
mod idempotency_key;
mod keeping;
mod key_body;
mod key_header;
mod layer;
mod not_kept;
mod problem;
mod request_body;
mod scope;
mod service;
mod settings;
mod stored;
mod unless;
mod watch;

pub use builder::{IdempotencyKeyBuilder, Scoped, Unscoped};
pub use future::IdempotencyKeyFuture;
pub use idempotency_key::IdempotencyKey;
pub use key_body::KeyBody;
pub use layer::IdempotencyKeyLayer;
pub use request_body::RequestBody;
pub use service::IdempotencyKeyService;
