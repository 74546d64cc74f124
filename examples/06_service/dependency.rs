//! What the service depends on, in the same process, so that nothing has to be installed. It can be told to fail.

use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use seaworthy::server::serve;
use seaworthy::{BoxError, Runner};
use tokio::net::TcpListener;

static FAILS: AtomicBool = AtomicBool::new(false);

/// From now on.
pub(crate) fn fails(fails: bool) {
    FAILS.store(fails, Ordering::Relaxed);
}

/// Starts it, and tells where it listens.
pub(crate) async fn start(runner: &Runner) -> Result<String, BoxError> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let router = Router::new().route("/orders", get(answer));
    runner.task("dependency", |shutdown| serve(listener, router).run(shutdown))?;
    Ok(url)
}

async fn answer() -> (StatusCode, &'static str) {
    match FAILS.load(Ordering::Relaxed) {
        true => (StatusCode::INTERNAL_SERVER_ERROR, "out of order\n"),
        false => (StatusCode::OK, "[\"tea\",\"rum\"]\n"),
    }
}
