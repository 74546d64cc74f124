//! The part to copy: the parts of a service, in the order in which they are needed.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{Request, Response, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use seaworthy::http::{HttpClassifier, RespondLayer, status_of};
use seaworthy::server::serve;
use seaworthy::{BoxError, Bulkhead, CircuitBreaker, Health, Runner, StackError, TimeoutLayer, WrapErrorLayer};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tower::util::BoxCloneSyncService;
use tower::{ServiceBuilder, ServiceExt, service_fn};

use crate::dependency;

pub(crate) struct Settings {
    pub(crate) listen: SocketAddr,
    /// The server that orders are requested from; one in this process if none is given.
    pub(crate) dependency: Option<String>,
    /// How long the service stays unready before the listener is closed: long enough for every load balancer to notice.
    /// The runner's default if none is given.
    pub(crate) drain: Option<Duration>,
    /// How long requests and tasks have to finish after that.
    pub(crate) grace: Duration,
    /// How long the circuit to the dependency stays open.
    pub(crate) open_for: Duration,
    pub(crate) misbehaviour: Option<Misbehaviour>,
}

/// What a task can do wrong, to see what happens.
#[derive(Clone, Copy)]
pub(crate) enum Misbehaviour {
    IgnoreShutdown,
    Panic,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            listen: ([127, 0, 0, 1], 8080).into(),
            dependency: None,
            drain: None,
            grace: Duration::from_secs(30),
            open_for: Duration::from_secs(5),
            misbehaviour: None,
        }
    }
}

/// The state that handlers share.
#[derive(Clone)]
struct App {
    orders: Orders,
    journal: mpsc::Sender<String>,
}

/// Requests orders: through the circuit breaker, within a second.
type Orders = BoxCloneSyncService<(), Response<Bytes>, BoxError>;

/// Sets up the service; it answers nothing before [`Runner::run`].
pub(crate) async fn build(settings: &Settings) -> Result<(Runner, SocketAddr), BoxError> {
    let mut builder = Runner::builder().grace_period(settings.grace);
    if let Some(drain) = settings.drain {
        builder = builder.drain_delay(drain);
    }
    let runner = builder.build()?;
    let health = runner.health();

    let dependency = match &settings.dependency {
        Some(url) => url.clone(),
        None => dependency::start(&runner).await?,
    };
    let circuit_breaker =
        CircuitBreaker::builder("dependency").consecutive_failures(3).open_for(settings.open_for).build()?;
    // Nothing here is of use without orders. If half of a service still is, use `report` instead.
    health.require("dependency", circuit_breaker.clone())?;

    // A background task: it ends when the last handler that could write to it is gone.
    let (journal, mut entries) = mpsc::channel::<String>(1024);
    let is_open = journal.downgrade();
    health.report("journal", move || is_open.upgrade().is_some_and(|journal| !journal.is_closed()))?;
    runner.task("journal", |_shutdown| async move {
        while let Some(entry) = entries.recv().await {
            tracing::info!(entry, "journal");
        }
        Ok::<(), BoxError>(())
    })?;

    let counted = health.clone();
    runner.every("statistics", Duration::from_secs(10), move |_shutdown| {
        tracing::info!(in_flight = counted.in_flight(), "statistics");
        async { Ok::<(), BoxError>(()) }
    })?;

    let app = App { orders: orders(dependency, &circuit_breaker)?, journal };
    let router = router(app, health)?;
    let listener = TcpListener::bind(settings.listen).await?;
    let address = listener.local_addr()?;
    let server = serve(listener, router).health(health).max_connections(10_000);
    runner.task("http", |shutdown| server.run(shutdown))?;

    runner.cleanup("pool", || async {
        tracing::info!("connections to the dependency are closed");
        Ok::<(), BoxError>(())
    })?;
    match settings.misbehaviour {
        Some(Misbehaviour::IgnoreShutdown) => {
            runner.task("stubborn", |_shutdown| std::future::pending::<Result<(), BoxError>>())?;
        }
        Some(Misbehaviour::Panic) => runner.task("panicking", |_shutdown| async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            panic!("this was asked for");
            #[allow(unreachable_code, reason = "it tells the type")]
            Ok::<(), BoxError>(())
        })?,
        None => {}
    }
    Ok((runner, address))
}

fn router(app: App, health: &Health) -> Result<axum::Router, BoxError> {
    let bulkhead = Bulkhead::builder("requests").limit(512).build()?;
    Ok(axum::Router::new()
        .route("/hello", get(async || "hello\n"))
        .route("/slow", get(slow))
        .route("/orders", get(list_orders))
        .with_state(app)
        .layer(
            ServiceBuilder::new()
                .layer(RespondLayer::new())
                // Load balancers send requests until they notice: while it drains these are still served.
                .layer(health.readiness_layer())
                .layer(bulkhead.layer())
                .layer(TimeoutLayer::new(Duration::from_secs(60)))
                .layer(WrapErrorLayer::new()),
        )
        // Beside the stack: these are answered whatever the state.
        .nest_service("/health", health.endpoints()))
}

async fn slow(RawQuery(query): RawQuery) -> impl IntoResponse {
    let query = query.unwrap_or_default();
    let Some(ms) = query.strip_prefix("ms=").and_then(|ms| ms.parse().ok()) else {
        return (StatusCode::BAD_REQUEST, "ask for /slow?ms=100\n".to_owned());
    };
    tokio::time::sleep(Duration::from_millis(ms)).await;
    (StatusCode::OK, format!("that took {ms} ms\n"))
}

async fn list_orders(State(app): State<App>) -> impl IntoResponse {
    match app.orders.oneshot(()).await {
        Ok(response) if response.status().is_success() => {
            // If the journal is no longer read, health reports it.
            let _ = app.journal.send("orders were listed".into()).await;
            (StatusCode::OK, response.into_body())
        }
        Ok(_) => (StatusCode::BAD_GATEWAY, "the dependency failed\n".into()),
        Err(error) => match error.rejected() {
            Some(rejected) => (status_of(rejected), format!("{rejected}\n").into()),
            None => (StatusCode::BAD_GATEWAY, "the dependency cannot be reached\n".into()),
        },
    }
}

fn orders(dependency: String, circuit_breaker: &CircuitBreaker) -> Result<Orders, BoxError> {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let service = ServiceBuilder::new()
        .layer(circuit_breaker.layer().classify(HttpClassifier))
        .layer(TimeoutLayer::new(Duration::from_secs(1)))
        .service(service_fn(move |()| {
            let request = Request::get(format!("{dependency}/orders")).body(Empty::<Bytes>::new());
            let client = client.clone();
            async move {
                let (head, body) = client.request(request?).await?.into_parts();
                Ok::<_, BoxError>(Response::from_parts(head, body.collect().await?.to_bytes()))
            }
        }));
    Ok(BoxCloneSyncService::new(service))
}
