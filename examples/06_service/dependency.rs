//! The service's dependency, in the same process, so that nothing has to be installed. It can be made to fail.

use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use seaworthy::server::serve;
use seaworthy::{BoxError, Runner};
use tokio::net::TcpListener;

static FAILS: AtomicBool = AtomicBool::new(false);

/// Makes it fail, or heal, from now on.
pub(crate) fn fails(fails: bool) {
    FAILS.store(fails, Ordering::Relaxed);
}

/// Starts it, and returns its URL.
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
