//! The part to copy: a server that takes on no more than it can do.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use seaworthy::http::RespondLayer;
use seaworthy::server::serve;
use seaworthy::{BoxError, Bulkhead, Shutdown, TimeoutLayer, WrapErrorLayer};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tower::ServiceBuilder;

/// The handler's workers, and the time a worker spends on a request: 100 requests a second, if none gets stuck.
pub(crate) const WORKERS: u32 = 4;
const WORK: Duration = Duration::from_millis(40);
/// One request in this many gets stuck, for this long.
const STUCK_EVERY: u64 = 50;
const STUCK: Duration = Duration::from_secs(1);

/// As many requests at a time as there are workers, and as many queued as can be served in time.
fn protected(app: Router) -> Result<Router, BoxError> {
    let bulkhead =
        Bulkhead::builder("work").limit(WORKERS).max_wait(Duration::from_millis(100)).max_queued(8).build()?;
    Ok(app.layer(
        ServiceBuilder::new()
            .layer(RespondLayer::new()) // 503 and 504, and Error<Infallible> -> Infallible
            .layer(bulkhead.layer())
            .layer(TimeoutLayer::new(Duration::from_millis(100))) // gives stuck requests up, and their permits back
            .layer(WrapErrorLayer::new()), // Infallible -> Error<Infallible>
    ))
}

/// Serves on a free port for the life of the process.
pub(crate) async fn start(is_protected: bool) -> Result<SocketAddr, BoxError> {
    let app = Router::new().route("/", get(work)).with_state(Arc::new(Capacity::new()));
    let app = if is_protected { protected(app)? } else { app };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    // The trigger is never fired: the server runs for the life of the process.
    let (_trigger, shutdown) = Shutdown::new();
    tokio::spawn(serve(listener, app).run(shutdown));
    Ok(address)
}

/// What most handlers have behind them: a number of connections, threads or cores, with a queue in front.
struct Capacity {
    workers: Semaphore,
    requests: AtomicU64,
}

impl Capacity {
    fn new() -> Capacity {
        Capacity { workers: Semaphore::new(WORKERS as usize), requests: AtomicU64::new(0) }
    }
}

async fn work(State(capacity): State<Arc<Capacity>>) -> &'static str {
    let Ok(_worker) = capacity.workers.acquire().await else { return "closed" };
    let is_stuck = capacity.requests.fetch_add(1, Ordering::Relaxed) % STUCK_EVERY == STUCK_EVERY - 1;
    tokio::time::sleep(if is_stuck { STUCK } else { WORK }).await;
    "done"
}
