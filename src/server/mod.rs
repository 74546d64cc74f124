//! An HTTP/1 and HTTP/2 server that shuts down gracefully, as a task of a [`Runner`](crate::Runner). Feature
//! `server`.
//!
//! ```text
//!   accepts ──▶ draining: goes on, but responses over HTTP/1 say `Connection: close`
//!           ──▶ told to finish: the listener closes, HTTP/2 is told to go away
//!                 a request in flight ──────────────────────────────▶ is answered, and its connection closed
//!                 a connection that is idle, or has sent half a head ──▶ is closed at once
//!                 an upgraded one, such as a WebSocket ─────────────▶ is awaited
//!           ──▶ dropped, as the runner does when the grace period is over: all that is left is cut
//! ```
//!
//! [`serve`] takes a listener and any `Service<http::Request<hyper::body::Incoming>>`, such as an axum `Router`.
//!
//! ```
//! use seaworthy::{BoxError, Runner, server::serve};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), BoxError> {
//! let runner = Runner::builder().build()?;
//! let app: axum::Router = axum::Router::new().route("/", axum::routing::get(async || "hello"));
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! let server = serve(listener, app).health(runner.health()).max_connections(10_000);
//! runner.task("http", |shutdown| server.run(shutdown))?;
//! # runner.handle().stop();
//! runner.run().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Differences from `axum::serve`
//! - There is a time limit for the head of a request, and for the first byte of a connection.
//! - A connection that has sent half a head when the server is told to finish is closed at once; `axum::serve` waits
//!   for it with no limit.
//! - Kept-alive connections are released while the service is draining, before the listener closes.
//! - Upgraded connections are awaited, and count as connections until they end.
//! - The number of connections can be limited.

mod connection;
mod executor;
mod heard;
mod io;
mod listener;
mod serve;
mod service;
mod watch;

pub use listener::Listener;
pub use serve::{Serve, serve};
