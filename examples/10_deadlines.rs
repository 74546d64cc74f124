//! One deadline through three services over real sockets: each says how much of it was left when a request came in.
//!
//! `edge` asks `orders`, which asks `stock`. The caller gives 400 ms for all of it. Nobody configures a timeout that
//! fits another's: what is left goes along, in `x-request-timeout-ms`. When `stock` hangs, all three stop at the same
//! moment; when there is too little left, nothing is sent at all. Everything the lines claim is asserted.
//!
//!     cargo run --release --example 10_deadlines
//!
//! `protected` and `client` are the parts to copy.
#![allow(clippy::print_stdout, reason = "an example speaks")]
#![allow(clippy::disallowed_methods, reason = "an example lives in real time")]

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Request, Response, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use seaworthy::http::{InboundLayer, OutboundLayer, RespondLayer, response_of};
use seaworthy::{BoxError, ConfigError, Deadline, Rejected, StackError, Timeout, WrapErrorLayer};
use tokio::net::TcpListener;
use tower::util::BoxCloneSyncService;
use tower::{ServiceBuilder, ServiceExt};

/// What the caller gives.
const ALL: Duration = Duration::from_millis(400);
/// What each service takes for its own work.
const WORK: Duration = Duration::from_millis(40);
/// What a busy machine may add.
const SLACK: Duration = Duration::from_millis(150);

/// Reads what is left on the way in, and answers what came too late.
fn protected(app: Router) -> Result<Router, ConfigError> {
    let inbound = InboundLayer::builder()
        .default(Duration::from_secs(5)) // for callers that say nothing
        .max(Duration::from_secs(30)) // for those that say too much
        .least(Duration::from_millis(10)) // nobody gets an answer in less
        .build()?;
    Ok(app.layer(
        ServiceBuilder::new()
            .layer(RespondLayer::new())
            .layer(inbound)
            .layer(Timeout::new(Duration::from_secs(10)).layer()) // or the deadline, whichever is earlier
            .layer(WrapErrorLayer::new()),
    ))
}

type Stack = BoxCloneSyncService<Request<Empty<Bytes>>, Response<Bytes>, BoxError>;

/// Says what is left on the way out, and gives up at the deadline.
fn client() -> Stack {
    let client: Client<HttpConnector, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let stack = ServiceBuilder::new()
        .layer(Timeout::new(Duration::from_secs(10)).layer())
        .layer(OutboundLayer::new())
        .map_err(BoxError::from)
        .and_then(async |response: Response<hyper::body::Incoming>| {
            let (head, body) = response.into_parts();
            Ok::<_, BoxError>(Response::from_parts(head, body.collect().await?.to_bytes()))
        })
        .service(client);
    BoxCloneSyncService::new(stack)
}

/// What each service saw, in order.
type Log = Arc<Mutex<Vec<(&'static str, Duration)>>>;

#[derive(Clone)]
struct Service {
    name: &'static str,
    next: Option<String>,
    client: Stack,
    log: Log,
}

impl Service {
    /// Serves on a free port; returns its address.
    async fn start(self) -> Result<String, BoxError> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let uri = format!("http://{}/", listener.local_addr()?);
        let app = Router::new().route("/", get(handle)).route("/hang", get(handle)).with_state(self);
        let app = protected(app)?;
        tokio::spawn(async move { axum::serve(listener, app).await });
        Ok(uri)
    }
}

/// Says so when its service stops working on a request.
struct Working(&'static str, Instant);

impl Drop for Working {
    fn drop(&mut self) {
        println!("  {:<7} stops after {:?}", self.0, self.1.elapsed());
    }
}

async fn handle(State(service): State<Service>, request: Request<Body>) -> Response<Body> {
    let left = Deadline::current().map(Deadline::remaining).unwrap_or_default();
    println!("  {:<7} has {left:?} left", service.name);
    if let Ok(mut log) = service.log.lock() {
        log.push((service.name, left));
    }
    let _working = Working(service.name, Instant::now());
    tokio::time::sleep(WORK).await;
    let path = request.uri().path();
    match &service.next {
        Some(next) => match get_from(&service.client, &format!("{next}{}", path.trim_start_matches('/'))).await {
            Ok(response) => response.map(Body::from),
            Err(error) => match error.rejected() {
                Some(rejected) => response_of(rejected).into_response(),
                None => StatusCode::BAD_GATEWAY.into_response(),
            },
        },
        None if path == "/hang" => std::future::pending().await,
        None => "in stock".into_response(),
    }
}

async fn get_from(client: &Stack, uri: &str) -> Result<Response<Bytes>, BoxError> {
    client.clone().oneshot(Request::get(uri).body(Empty::new())?).await
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let (log, client) = (Log::default(), client());
    let mut next = None;
    for name in ["stock", "orders", "edge"] {
        next = Some(Service { name, next, client: client.clone(), log: Arc::clone(&log) }.start().await?);
    }
    let edge = next.ok_or("there are three")?;

    println!("All is well, with {ALL:?} for all of it:");
    let response = Deadline::within(ALL).scope(get_from(&client, &edge)).await?;
    assert_eq!((response.status(), &response.body()[..]), (StatusCode::OK, &b"in stock"[..]));
    let seen = std::mem::take(&mut *log.lock().map_err(|_| "nobody panicked")?);
    assert_eq!(seen.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["edge", "orders", "stock"]);
    for pair in seen.windows(2) {
        assert!(pair[1].1 + WORK <= pair[0].1, "each has less left than the one before: {seen:?}");
    }
    assert!(seen[0].1 <= ALL);

    println!("\nStock hangs:");
    let start = Instant::now();
    let answer = Deadline::within(ALL).scope(get_from(&client, &format!("{edge}hang"))).await;
    let took = start.elapsed();
    println!("  the caller is told after {took:?}: {}", in_words(&answer));
    assert!(took + Duration::from_millis(5) >= ALL && took < ALL + SLACK, "{took:?}");
    tokio::time::sleep(SLACK).await;
    let seen = std::mem::take(&mut *log.lock().map_err(|_| "nobody panicked")?);
    assert_eq!(seen.len(), 3, "{seen:?}");

    println!("\nThe caller's time is nearly up:");
    let answer = Deadline::within(Duration::from_millis(5)).scope(get_from(&client, &edge)).await;
    println!("  the caller is told: {}", in_words(&answer));
    let is_late = match &answer {
        Ok(response) => response.status() == StatusCode::GATEWAY_TIMEOUT,
        Err(error) => matches!(error.rejected(), Some(Rejected::DeadlineExceeded { .. })),
    };
    assert!(is_late && log.lock().map_err(|_| "nobody panicked")?.is_empty(), "no service worked for it");

    println!("\nEvery claim held.");
    Ok(())
}

fn in_words(answer: &Result<Response<Bytes>, BoxError>) -> String {
    match answer {
        Ok(response) => format!("{} {}", response.status(), String::from_utf8_lossy(response.body())),
        Err(error) => error.to_string(),
    }
}
