//! Over real sockets, as HTTP/2.

use std::net::SocketAddr;

use axum::Router;
use axum::routing::get;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::*;
use crate::support::SECOND;

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

struct Client(SendRequest<Full<Bytes>>, SocketAddr);

impl Client {
    async fn new(address: SocketAddr) -> Client {
        let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
        let (sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.unwrap();
        tokio::spawn(connection);
        Client(sender, address)
    }

    async fn send(&mut self, path: &str, service: &str) -> Response<Incoming> {
        let uri = format!("http://{}{path}", self.1);
        self.0.send_request(post(&uri, Full::new(Bytes::from(asking_for(service))))).await.unwrap()
    }
}

/// The next message of a stream.
async fn next(body: &mut Incoming) -> Vec<u8> {
    let frame = timeout(5 * SECOND, body.frame()).await.expect("it comes at once");
    frame.unwrap().unwrap().into_data().unwrap().to_vec()
}

async fn assert_served(address: SocketAddr, health: &Health) {
    let mut client = Client::new(address).await;
    assert_eq!(answer_of(client.send(CHECK, "").await).await, said(SERVING));
    assert_eq!(answer_of(client.send(CHECK, "shop.Cart").await).await, refused(5));
    assert_eq!(answer_of(client.send("/grpc.health.v1.Health/List", "").await).await, refused(12));
    let mut watched = client.send(WATCH, "").await.into_body();
    assert_eq!(next(&mut watched).await, SERVING);
    health.advance(Phase::Draining);
    assert_eq!(next(&mut watched).await, NOT_SERVING);
    health.end_streams();
    let rest = timeout(5 * SECOND, watched.collect()).await.expect("it ends").unwrap();
    assert_eq!(status_in(rest.trailers().unwrap()).as_deref(), Some("14"));
    assert!(rest.to_bytes().is_empty());
}

/// GR-13, GR-14: in an axum router, in each way that it takes a service, and beside other routes.
#[tokio::test]
async fn in_axum() {
    for way in 0..3 {
        let health = serving();
        let grpc = health.grpc_service();
        let app = Router::new().route("/", get(async || "hello"));
        let app = match way {
            0 => app.route_service("/grpc.health.v1.Health/{method}", grpc),
            1 => app.fallback_service(grpc),
            _ => app.nest_service("/grpc.health.v1.Health", grpc),
        };
        let (listener, address) = listen().await;
        let server = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(app)).await
        });
        assert_served(address, &health).await;
        server.abort();
    }
}

/// GR-13, GR-14: as a service of its own, with nothing in between.
#[tokio::test]
async fn on_hyper() {
    let health = serving();
    let (listener, address) = listen().await;
    let service = TowerToHyperService::new(health.grpc_service());
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        builder.serve_connection(TokioIo::new(stream), service).await
    });
    assert_served(address, &health).await;
    server.abort();
}

/// GR-14: a client that goes away gives its place back.
#[tokio::test]
async fn a_client_that_goes_away() {
    let health = serving();
    let grpc = health.grpc_service();
    let (listener, address) = listen().await;
    let service = TowerToHyperService::new(grpc.clone());
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        builder.serve_connection(TokioIo::new(stream), service).await
    });
    let mut client = Client::new(address).await;
    let mut bodies = Vec::new();
    for _ in 0..3 {
        let mut body = client.send(WATCH, "").await.into_body();
        assert_eq!(next(&mut body).await, SERVING);
        bodies.push(body);
    }
    assert_eq!(grpc.watchers(), 3);
    let left = async |watchers: u64| {
        let all_gone = async {
            while grpc.watchers() > watchers {
                tokio::task::yield_now().await;
            }
        };
        timeout(5 * SECOND, all_gone).await.expect("their places are free");
    };
    // One stream is reset, and then the connection is gone.
    bodies.pop();
    left(2).await;
    drop((client, bodies));
    left(0).await;
    server.abort();
}

/// GR-14: a runner ends the streams when the grace period begins, after the drain delay in which they say
/// `NOT_SERVING`, so that an open one holds nothing up.
#[cfg(all(feature = "server", feature = "lifecycle"))]
#[tokio::test]
async fn with_a_runner() {
    use seaworthy::Runner;
    use seaworthy::server::serve;

    use crate::support::{MS, now};

    let runner = Runner::builder().drain_delay(200 * MS).grace_period(30 * SECOND).build().unwrap();
    let (listener, address) = listen().await;
    let grpc = runner.health().grpc_service();
    let server = serve(listener, Router::new().fallback_service(grpc.clone())).health(runner.health());
    runner.task("server", move |shutdown| server.run(shutdown)).unwrap();
    let (handle, health) = (runner.handle(), runner.health().clone());
    let run = tokio::spawn(runner.run());
    let mut client = Client::new(address).await;
    let mut watched = client.send(WATCH, "").await.into_body();
    let mut first = next(&mut watched).await;
    if first == NOT_SERVING {
        // It was asked before the start was over.
        first = next(&mut watched).await;
    }
    assert_eq!((first.as_slice(), health.phase()), (SERVING, Phase::Serving));
    let start = now();
    handle.stop();
    assert_eq!(next(&mut watched).await, NOT_SERVING);
    assert!(now() - start < 150 * MS, "before the drain delay is over");
    let rest = timeout(5 * SECOND, watched.collect()).await.expect("it ends").unwrap();
    assert!(now() - start >= 200 * MS, "and no sooner than the delay");
    assert_eq!(status_in(rest.trailers().unwrap()).as_deref(), Some("14"));
    timeout(5 * SECOND, run).await.expect("nothing holds it up").unwrap().unwrap();
    assert_eq!(grpc.watchers(), 0);
}
