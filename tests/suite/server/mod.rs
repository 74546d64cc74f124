//! The server: HC-02, HC-06. Connections are pipes on a paused clock, except where the system matters.
#![allow(clippy::disallowed_methods, reason = "the clock is paused, but where a process or a socket has its say")]

mod draining;
mod ending;
mod http2;
mod limits;
mod upgrades;

use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use seaworthy::server::{Listener, Serve, serve};
use seaworthy::{ConfigError, Shutdown, ShutdownTrigger};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::sleep;

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// Connections that a test makes, and the errors it injects.
struct Pipes(mpsc::UnboundedReceiver<io::Result<DuplexStream>>);

impl Listener for Pipes {
    type Io = DuplexStream;

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<DuplexStream>> {
        match self.0.poll_recv(cx) {
            Poll::Ready(Some(next)) => Poll::Ready(next),
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }
}

/// A running server, and what belongs to it.
struct Server {
    pipes: mpsc::UnboundedSender<io::Result<DuplexStream>>,
    trigger: ShutdownTrigger,
    run: JoinHandle<Result<(), ConfigError>>,
}

fn app() -> Router {
    Router::new()
        .route("/hello", get(async || "hello"))
        .route("/slow", get(async || slow(SECOND).await))
        .route("/slower", get(async || slow(5 * SECOND).await))
        .route("/panic", get(async || -> &'static str { panic!("on purpose") }))
        .route("/echo", post(async |body: String| body))
}

async fn slow(time: Duration) -> &'static str {
    sleep(time).await;
    "slow"
}

fn start(app: Router, set: impl FnOnce(Serve<Pipes, Router>) -> Serve<Pipes, Router>) -> Server {
    let (pipes, listener) = mpsc::unbounded_channel();
    let (trigger, shutdown) = Shutdown::new();
    let run = tokio::spawn(set(serve(Pipes(listener), app)).run(shutdown));
    Server { pipes, trigger, run }
}

impl Server {
    fn usual() -> Server {
        start(app(), |server| server)
    }

    fn connect(&self) -> DuplexStream {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        self.pipes.send(Ok(theirs)).expect("it listens");
        ours
    }

    /// Waits for its end, and returns how long that took.
    async fn end(self) -> Duration {
        let begin = tokio::time::Instant::now();
        self.trigger.fire();
        self.run.await.unwrap().unwrap();
        begin.elapsed()
    }
}

fn request(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n")
}

async fn ask(stream: &mut DuplexStream, path: &str) -> (String, String) {
    stream.write_all(request(path).as_bytes()).await.unwrap();
    answer(stream).await
}

/// One response: its head in lower case, and its body.
async fn answer(stream: &mut DuplexStream) -> (String, String) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("a response"));
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |n| n.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    (head, String::from_utf8(body).unwrap())
}

/// Whether the peer closes within this time, without another byte.
async fn closes_within(stream: &mut DuplexStream, time: Duration) -> bool {
    matches!(tokio::time::timeout(time, stream.read_u8()).await, Ok(Err(_)))
}

fn closes(head: &str) -> bool {
    head.contains("connection: close\r\n")
}
