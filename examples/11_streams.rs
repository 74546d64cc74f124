//! A backend that answers 200 at once and breaks off in the middle of its stream, behind two circuit breakers: one
//! judges by the response head, the other waits for the last byte.
//!
//! To the first one each call was a success, so it goes on sending callers to a backend that never finishes an answer.
//! The second one opens. When the backend is well again, a stream without an end closes it with its first frame: a
//! probe need not wait for more. Everything the lines claim is asserted.
//!
//!     cargo run --release --example 11_streams
#![allow(clippy::print_stdout, reason = "an example speaks")]
#![allow(clippy::disallowed_methods, reason = "an example lives in real time")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{Request, Response};
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use seaworthy::http::HttpClassifier;
use seaworthy::{BoxError, CircuitBreaker, Rejected, StackError, State};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower::util::BoxCloneSyncService;
use tower::{ServiceBuilder, ServiceExt};

const CALLS: u32 = 10;
const FAILURES: u32 = 3;
const OPEN: Duration = Duration::from_millis(200);

type Stack = BoxCloneSyncService<Request<Empty<Bytes>>, Response<Body>, BoxError>;

/// A circuit breaker that has a call's verdict with the response head.
fn by_the_head() -> Result<(CircuitBreaker, Stack), BoxError> {
    let circuit_breaker = CircuitBreaker::builder("by the head").consecutive_failures(FAILURES).build()?;
    let stack = ServiceBuilder::new()
        .map_response(|response: Response<_>| response.map(Body::new))
        .layer(circuit_breaker.layer().classify(HttpClassifier))
        .map_err(BoxError::from)
        .service(client());
    Ok((circuit_breaker, BoxCloneSyncService::new(stack)))
}

/// A circuit breaker that has it with the last byte.
fn by_the_last_byte() -> Result<(CircuitBreaker, Stack), BoxError> {
    let circuit_breaker =
        CircuitBreaker::builder("by the last byte").consecutive_failures(FAILURES).open_for(OPEN).build()?;
    let stack = ServiceBuilder::new()
        .map_response(|response: Response<_>| response.map(Body::new))
        .layer(circuit_breaker.layer().classify(HttpClassifier).until_body_end())
        .map_err(BoxError::from)
        .service(client());
    Ok((circuit_breaker, BoxCloneSyncService::new(stack)))
}

fn client() -> Client<HttpConnector, Empty<Bytes>> {
    Client::builder(TokioExecutor::new()).build_http()
}

/// A backend by hand, as no server would do this on purpose.
#[derive(Default)]
struct Backend {
    is_well: AtomicBool,
    requests: AtomicU32,
}

impl Backend {
    async fn start(self: Arc<Backend>) -> Result<SocketAddr, BoxError> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let backend = Arc::clone(&self);
                tokio::spawn(async move { backend.answer(stream).await });
            }
        });
        Ok(address)
    }

    /// Two events; then it breaks off, or goes on for ever.
    async fn answer(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut request = [0; 1024];
        if stream.read(&mut request).await? == 0 {
            return Ok(());
        }
        self.requests.fetch_add(1, Ordering::SeqCst);
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n").await?;
        stream.write_all(b"transfer-encoding: chunked\r\n\r\n").await?;
        for _ in 0..2 {
            stream.write_all(b"b\r\ndata: one\n\n\r\n").await?;
        }
        while self.is_well.load(Ordering::SeqCst) {
            stream.write_all(b"c\r\ndata: more\n\n\r\n").await?;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }
}

/// What a caller saw of one stream.
#[derive(Debug, PartialEq)]
enum Seen {
    BrokenOff,
    Rejected,
    Frames(usize),
}

/// Reads the stream to its end, or this many frames.
async fn read(stack: &Stack, uri: &str, most: usize) -> Result<Seen, BoxError> {
    let response = match stack.clone().oneshot(Request::get(uri).body(Empty::new())?).await {
        Ok(response) => response,
        Err(error) if matches!(error.rejected(), Some(Rejected::CircuitOpen { .. })) => return Ok(Seen::Rejected),
        Err(error) => return Err(error),
    };
    assert_eq!(response.status(), 200);
    let mut body = response.into_body();
    for frames in 0..most {
        match body.frame().await {
            Some(Ok(_)) => {}
            Some(Err(_)) => return Ok(Seen::BrokenOff),
            None => return Ok(Seen::Frames(frames)),
        }
    }
    Ok(Seen::Frames(most))
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let backend = Arc::<Backend>::default();
    let uri = format!("http://{}/", Arc::clone(&backend).start().await?);
    println!("The backend answers 200, sends two events and breaks off. {CALLS} callers, one after another:\n");
    println!("{:<18} {:>10} {:>9} {:>9}   circuit", "judged", "broken off", "rejected", "requests");
    let (head, by_head) = by_the_head()?;
    let (last_byte, by_last_byte) = by_the_last_byte()?;
    for (circuit_breaker, stack, broken, state) in
        [(&head, &by_head, CALLS, State::Closed), (&last_byte, &by_last_byte, FAILURES, State::Open)]
    {
        let mut seen = Vec::new();
        for _ in 0..CALLS {
            seen.push(read(stack, &uri, usize::MAX).await?);
        }
        let count = |what| u32::try_from(seen.iter().filter(|seen| **seen == what).count());
        let (broken_off, rejected) = (count(Seen::BrokenOff)?, count(Seen::Rejected)?);
        let requests = backend.requests.swap(0, Ordering::SeqCst);
        let (name, is) = (circuit_breaker.name(), circuit_breaker.state());
        println!("{name:<18} {broken_off:>10} {rejected:>9} {requests:>9}   {is:?}");
        assert_eq!((broken_off, rejected, requests, is), (broken, CALLS - broken, broken, state));
    }

    backend.is_well.store(true, Ordering::SeqCst);
    tokio::time::sleep(OPEN).await;
    assert_eq!(last_byte.state(), State::Open);
    assert_eq!(read(&by_last_byte, &uri, 1).await?, Seen::Frames(1));
    println!(
        "\nThe backend is well and its stream has no end: with the first frame, the circuit is {:?}.",
        last_byte.state()
    );
    assert_eq!(last_byte.state(), State::Closed);
    println!("\nEvery claim held.");
    Ok(())
}
