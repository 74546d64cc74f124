//! With a real axum server and a real client, over sockets.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use ::http::{Request, Response, StatusCode};
use axum::Router;
use axum::routing::post;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use seaworthy::http::ReplayBody;
use seaworthy::{Backoff, BoxError, RetryPolicy};
use seaworthy_ledger::Ledger;
use seaworthy_ledger::http::IdempotencyKeyLayer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;
use tower::{ServiceBuilder, ServiceExt, service_fn};

use super::Calls;

/// Long, because nothing but a failure waits for it.
const LIMIT: Duration = Duration::from_secs(60);

async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

fn layer() -> IdempotencyKeyLayer {
    let ledger = Ledger::memory("orders").build().unwrap();
    IdempotencyKeyLayer::builder(ledger).one_scope().build().unwrap()
}

fn client() -> Client<HttpConnector, Full<Bytes>> {
    Client::builder(TokioExecutor::new()).build_http()
}

fn order(server: SocketAddr, key: &str) -> Request<Full<Bytes>> {
    let request = Request::post(format!("http://{server}/orders")).header("idempotency-key", format!("\"{key}\""));
    request.body(Full::from("two boxes")).unwrap()
}

async fn read(response: Response<hyper::body::Incoming>) -> (StatusCode, bool, Bytes) {
    let is_replayed = response.headers().contains_key("idempotency-replayed");
    (response.status(), is_replayed, response.into_body().collect().await.unwrap().to_bytes())
}

/// LG-81: a client whose connection is gone in the middle stops nothing: the handler runs to its end, and whoever sends
/// the request again gets its answer. The opposite: a request without a key is dropped with its connection.
#[tokio::test]
async fn hangs_up_in_the_middle() {
    for has_key in [true, false] {
        let (layer, calls, ended) = (layer(), Calls::default(), Calls::default());
        let (begun, go, gone) = (Arc::new(Notify::new()), Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (count, end) = (calls.clone(), ended.clone());
        let (begin, wait, leave) = (Arc::clone(&begun), Arc::clone(&go), Arc::clone(&gone));
        let handler = move || {
            let (begin, wait, leave) = (Arc::clone(&begin), Arc::clone(&wait), OnDrop(Arc::clone(&leave)));
            let (count, end) = (count.clone(), end.clone());
            async move {
                let _leave = leave;
                let number = count.add();
                begin.notify_one();
                if number == 1 {
                    wait.notified().await;
                }
                end.add();
                format!("order {number}")
            }
        };
        let server = serve(Router::new().route("/orders", post(handler)).layer(layer.clone())).await;

        let mut connection = TcpStream::connect(server).await.unwrap();
        let key = if has_key { "idempotency-key: \"a\"\r\n" } else { "" };
        let sent = format!("POST /orders HTTP/1.1\r\nhost: x\r\n{key}content-length: 9\r\n\r\ntwo boxes");
        connection.write_all(sent.as_bytes()).await.unwrap();
        begun.notified().await;
        drop(connection);
        if has_key {
            let (status, _, _) = read(client().request(order(server, "a")).await.unwrap()).await;
            assert_eq!((status, layer.in_flight()), (StatusCode::CONFLICT, 1));
            go.notify_one();
        }
        tokio::time::timeout(LIMIT, gone.notified()).await.expect("the handler ends or is dropped");
        tokio::time::timeout(LIMIT, layer.idle()).await.unwrap();
        assert_eq!((calls.count(), ended.count()), (1, usize::from(has_key)));

        let again = read(client().request(order(server, "a")).await.unwrap()).await;
        let expected = if has_key { (true, "order 1") } else { (false, "order 2") };
        assert_eq!(again, (StatusCode::OK, expected.0, Bytes::from(expected.1)));
    }
}

struct OnDrop(Arc<Notify>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

/// LG-82: of 100 simultaneous requests with one key one calls the handler; it gets 200, the others 409, and then the same
/// 200 again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_at_once() {
    let (layer, calls) = (layer(), Calls::default());
    let (go, count) = (Arc::new(Semaphore::new(0)), calls.clone());
    let wait = Arc::clone(&go);
    let handler = move || {
        let (wait, number) = (Arc::clone(&wait), count.add());
        async move {
            drop(wait.acquire().await);
            format!("order {number}")
        }
    };
    let server = serve(Router::new().route("/orders", post(handler)).layer(layer)).await;
    let client = client();
    let mut requests = JoinSet::new();
    for _ in 0..100 {
        let call = client.request(order(server, "a"));
        requests.spawn(async { read(call.await.unwrap()).await });
    }
    for _ in 0..99 {
        let (status, is_replayed, _) =
            tokio::time::timeout(LIMIT, requests.join_next()).await.unwrap().unwrap().unwrap();
        assert_eq!((status, is_replayed), (StatusCode::CONFLICT, false));
    }
    go.add_permits(1);
    let first = requests.join_next().await.unwrap().unwrap();
    assert_eq!(first, (StatusCode::OK, false, Bytes::from("order 1")));

    for _ in 0..100 {
        let call = client.request(order(server, "a"));
        requests.spawn(async { read(call.await.unwrap()).await });
    }
    while let Some(answer) = requests.join_next().await {
        assert_eq!(answer.unwrap(), (StatusCode::OK, true, Bytes::from("order 1")));
    }
    assert_eq!(calls.count(), 1);
}

/// LG-83: the core's retry sends a request again whose answer was lost, with its key and body: one call of the handler
/// for each request, whatever is lost. Without a key it is sent once, and fails.
#[tokio::test]
async fn answers_are_lost() {
    let (layer, calls) = (layer(), Calls::default());
    let count = calls.clone();
    let handler = move |body: String| {
        let number = count.add();
        async move { format!("{body}: order {number}") }
    };
    let server = serve(Router::new().route("/orders", post(handler)).layer(layer)).await;

    let (http, losing, sent) = (
        Client::builder(TokioExecutor::new()).build_http::<ReplayBody<Full<Bytes>>>(),
        Arc::new(AtomicBool::new(true)),
        Arc::new(AtomicUsize::new(0)),
    );
    let (lose, number) = (Arc::clone(&losing), Arc::clone(&sent));
    let lossy = service_fn(move |request: Request<ReplayBody<Full<Bytes>>>| {
        let (call, lose) = (http.request(request), Arc::clone(&lose));
        let number = number.fetch_add(1, Ordering::SeqCst);
        async move {
            let answer = read(call.await?).await;
            // Two of three.
            if lose.load(Ordering::SeqCst) && number % 3 != 2 {
                return Err(BoxError::from("connection reset by peer"));
            }
            let mut response = Response::new(answer.2);
            *response.status_mut() = answer.0;
            Ok(response)
        }
    });
    let pause = Backoff::constant(Duration::from_millis(1));
    let policy = RetryPolicy::builder("orders").attempts(5).no_budget().backoff(pause).build().unwrap();
    let client = ServiceBuilder::new().layer(policy.http_layer()).service(lossy);
    for key in 1..=10 {
        let response = client.clone().oneshot(order(server, &format!("{key}"))).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.into_body(), format!("two boxes: order {key}"));
    }
    assert_eq!((calls.count(), sent.load(Ordering::SeqCst)), (10, 30));

    let without = Request::post(format!("http://{server}/orders")).body(Full::from("two boxes")).unwrap();
    assert!(client.oneshot(without).await.is_err());
    assert_eq!((calls.count(), sent.load(Ordering::SeqCst)), (11, 31));
}

/// LG-73: a client that waits for `100 Continue` is answered without sending a body that is too long.
#[tokio::test]
async fn expects_to_continue() {
    let calls = Calls::default();
    let count = calls.clone();
    let handler = move || {
        count.add();
        async { "done" }
    };
    let ledger = Ledger::memory("orders").build().unwrap();
    let layer = IdempotencyKeyLayer::builder(ledger).one_scope().max_request(9).build().unwrap();
    let server = serve(Router::new().route("/orders", post(handler)).layer(layer)).await;
    for (length, begin) in [(10, "HTTP/1.1 413 "), (9, "HTTP/1.1 100 ")] {
        let mut connection = TcpStream::connect(server).await.unwrap();
        let head = format!(
            "POST /orders HTTP/1.1\r\nhost: x\r\nidempotency-key: a\r\nexpect: 100-continue\r\ncontent-length: {length}\r\n\r\n"
        );
        connection.write_all(head.as_bytes()).await.unwrap();
        let mut answer = vec![0; begin.len()];
        tokio::time::timeout(LIMIT, connection.read_exact(&mut answer)).await.unwrap().unwrap();
        assert_eq!(String::from_utf8(answer).unwrap(), begin);
    }
    assert_eq!(calls.count(), 0);
}
