//! A server that takes orders, a client that sends 300, and a network that loses every third answer: each order is
//! taken once. `cargo run --example lost_answers --features http,sqlite`
//!
//! ```text
//!   client, retries ── a new connection each time ──▶ network ──▶ server: key layer on SQLite ──▶ handler
//!                  ◀──────────── two of three ───────────┘◀── all answers ──┘
//! ```

use std::collections::HashMap;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::routing::post;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use seaworthy::http::ReplayBody;
use seaworthy::{Backoff, BoxError, RetryPolicy};
use seaworthy_ledger::Ledger;
use seaworthy_ledger::http::IdempotencyKeyLayer;
use seaworthy_ledger::sqlite::SqliteStore;
use seaworthy_ledger::store::LedgerStore;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tower::util::BoxCloneService;
use tower::{ServiceBuilder, ServiceExt, service_fn};

const ORDERS: usize = 300;
const AT_ONCE: usize = 10;

type Taken = Arc<Mutex<HashMap<String, usize>>>;

/// Takes an order. That is the effect that must not happen twice.
async fn take(taken: Taken, order: String) -> String {
    let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
    *taken.entry(order.clone()).or_default() += 1;
    format!("{order} taken")
}

async fn serve(layer: IdempotencyKeyLayer<impl LedgerStore>, taken: Taken) -> Result<SocketAddr, BoxError> {
    let handler = post(move |order: String| take(Arc::clone(&taken), order));
    let app = Router::new().route("/orders", handler).layer(layer);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(address)
}

/// Passes on whole requests, and the answers to two of three.
async fn lose_every_third(server: SocketAddr, lost: Arc<AtomicUsize>) -> Result<SocketAddr, BoxError> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        for number in 1_usize.. {
            let Ok((mut client, _)) = listener.accept().await else { return };
            let lost = Arc::clone(&lost);
            tokio::spawn(async move {
                let (mut of_client, mut to_client) = client.split();
                let mut server = TcpStream::connect(server).await?;
                let (mut of_server, mut to_server) = server.split();
                let mut answer = Vec::new();
                // The server closes its connection after the answer, which ends both.
                tokio::select! {
                    read = of_server.read_to_end(&mut answer) => read.map(drop)?,
                    Err(error) = copy(&mut of_client, &mut to_server) => return Err(error),
                }
                if number % 3 == 0 {
                    // Dropped, both connections are closed: the client knows that something went wrong, and not what.
                    lost.fetch_add(1, Ordering::Relaxed);
                    return Ok(());
                }
                to_client.write_all(&answer).await
            });
        }
    });
    Ok(address)
}

type Transport = BoxCloneService<Request<Full<Bytes>>, Response<Incoming>, BoxError>;

/// A client that sends an order again when its answer does not come.
fn client(sent: &Arc<AtomicUsize>) -> Result<Transport, BoxError> {
    let http = Client::builder(TokioExecutor::new()).build_http::<ReplayBody<Full<Bytes>>>();
    let sent = Arc::clone(sent);
    let transport = service_fn(move |request| {
        sent.fetch_add(1, Ordering::Relaxed);
        let call = http.request(request);
        async { Ok::<_, BoxError>(call.await?) }
    });
    let pauses = Backoff::exponential(Duration::from_millis(1), Duration::from_millis(50));
    // Without a budget, because here it is not the server that fails.
    let retries = RetryPolicy::builder("orders").attempts(20).no_budget().backoff(pauses).build()?;
    Ok(BoxCloneService::new(ServiceBuilder::new().layer(retries.http_layer()).service(transport)))
}

/// Sends some of the orders, one after the other; how many were answered, and how many of the answers were replayed.
async fn order(network: SocketAddr, client: Transport, orders: Vec<usize>) -> Result<(usize, usize), BoxError> {
    let (mut answered, mut replayed) = (0, 0);
    for order in orders {
        let request = Request::post(format!("http://{network}/orders"))
            // One for each order, however often it is sent.
            .header("idempotency-key", format!("\"order-{order}\""))
            .header("connection", "close")
            .body(Full::from(format!("order {order}")))?;
        let (head, body) = client.clone().oneshot(request).await?.into_parts();
        let answer = body.collect().await?.to_bytes();
        answered += usize::from(head.status == StatusCode::OK && answer == format!("order {order} taken"));
        replayed += usize::from(head.headers.contains_key("idempotency-replayed"));
    }
    Ok((answered, replayed))
}

#[tokio::main]
async fn main() -> Result<ExitCode, BoxError> {
    let folder = std::env::temp_dir().join(format!("seaworthy-lost-answers-{}", std::process::id()));
    std::fs::create_dir(&folder)?;
    let store = SqliteStore::open(folder.join("orders.db")).await?;
    let ledger = Ledger::sqlite("orders", &store).build()?;
    let layer = IdempotencyKeyLayer::builder(ledger).one_scope().required().build()?;
    let (taken, lost, sent) = (Taken::default(), Arc::default(), Arc::default());
    let server = serve(layer.clone(), Arc::clone(&taken)).await?;
    let network = lose_every_third(server, Arc::clone(&lost)).await?;

    let client = client(&sent)?;
    let mut running = JoinSet::new();
    for first in 1..=AT_ONCE {
        let orders = (first..=ORDERS).step_by(AT_ONCE).collect();
        running.spawn(order(network, client.clone(), orders));
    }
    let (mut answered, mut replayed) = (0, 0);
    while let Some(some) = running.join_next().await {
        let some = some??;
        answered += some.0;
        replayed += some.1;
    }
    layer.idle().await;
    store.close().await;
    std::fs::remove_dir_all(folder)?;

    let taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
    let effects: usize = taken.values().sum();
    println!("orders    {ORDERS}, sent {} times by a client that tries again", sent.load(Ordering::Relaxed));
    println!("lost      {} answers", lost.load(Ordering::Relaxed));
    println!("answered  {answered}, {replayed} of them with what had been kept");
    println!("effects   {effects}, of {} orders", taken.len());
    let is_once = answered == ORDERS && taken.len() == ORDERS && effects == ORDERS;
    println!("{}", if is_once { "each order was taken once" } else { "NOT every order was taken once" });
    Ok(if is_once { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
