//! The drain drill: a service under load is told to stop, and the callers count what they lose. They keep their
//! connections, pause for less than the drain delay, and go on until nothing listens any more. `DRILL_SEEDS` says how
//! often.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::task::JoinSet;

use super::child::{PATIENCE, Service};

const CALLERS: u64 = 16;
const DRAIN: Duration = Duration::from_secs(1);
/// Callers pause for less than this between two requests.
const PAUSE: u64 = 50;

#[derive(Default)]
struct Counts {
    answered: AtomicU64,
    /// On a connection that had already been answered.
    kept: AtomicU64,
    /// Written on a kept connection, and not answered.
    lost: AtomicU64,
    /// Written on a new connection and not answered: it was opened when the listener was about to close.
    late: AtomicU64,
}

impl Counts {
    fn answered(&self, is_kept: bool) {
        self.answered.fetch_add(1, Ordering::Relaxed);
        self.kept.fetch_add(u64::from(is_kept), Ordering::Relaxed);
    }

    fn failed(&self, is_kept: bool, how: &dyn std::fmt::Display) {
        eprintln!("{} request failed: {how}", if is_kept { "a kept connection's" } else { "a new connection's" });
        if is_kept { &self.lost } else { &self.late }.fetch_add(1, Ordering::Relaxed);
    }
}

/// Repeatable randomness.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    fn path(&mut self) -> String {
        if self.below(4) == 0 { format!("/slow?ms={}", self.below(40)) } else { "/hello".into() }
    }

    fn pause(&mut self) -> Duration {
        Duration::from_millis(self.below(PAUSE))
    }
}

/// Whether the connection has to be closed afterwards.
fn exchange(stream: &mut BufReader<TcpStream>, path: &str) -> std::io::Result<bool> {
    stream.get_mut().write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes())?;
    let (mut closes, mut length, mut is_first) = (false, 0, true);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let line = line.trim_end().to_lowercase();
        if std::mem::take(&mut is_first) && line != "http/1.1 200 ok" {
            return Err(std::io::Error::other(line));
        }
        if line.is_empty() {
            break;
        }
        closes |= line == "connection: close";
        if let Some(text) = line.strip_prefix("content-length: ") {
            length = text.parse().map_err(std::io::Error::other)?;
        }
    }
    stream.read_exact(&mut vec![0; length])?;
    Ok(closes)
}

fn http1_caller(address: SocketAddr, seed: u64, counts: &Counts) {
    let mut dice = Dice::new(seed);
    while let Ok(stream) = TcpStream::connect(address) {
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let (mut stream, mut is_kept) = (BufReader::new(stream), false);
        loop {
            match exchange(&mut stream, &dice.path()) {
                Ok(closes) => {
                    counts.answered(is_kept);
                    if closes {
                        break;
                    }
                }
                Err(error) => {
                    counts.failed(is_kept, &error);
                    break;
                }
            }
            is_kept = true;
            std::thread::sleep(dice.pause());
        }
    }
}

async fn http2_caller(address: SocketAddr, seed: u64, counts: &Counts) {
    let mut dice = Dice::new(seed);
    while let Ok(stream) = tokio::net::TcpStream::connect(address).await {
        let Ok((mut client, connection)) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await else {
            counts.failed(false, &"no handshake");
            continue;
        };
        let connection = tokio::spawn(connection);
        let mut is_kept = false;
        // A connection that was told to go away is no longer ready; nothing was written then.
        while client.ready().await.is_ok() {
            let request = Request::get(format!("http://x{}", dice.path())).body(Empty::<Bytes>::new()).unwrap();
            let answer = async {
                let response = client.send_request(request).await?;
                let status = response.status();
                response.into_body().collect().await.map(|_| status)
            };
            match answer.await {
                Ok(status) if status == 200 => counts.answered(is_kept),
                Ok(status) => counts.failed(is_kept, &status),
                // It was not sent, or came after the last one that the server accepted, as the server says.
                Err(error) if error.is_canceled() || is_told_to_go_away(&error) => break,
                Err(error) => {
                    counts.failed(is_kept, &format!("{error:?}"));
                    break;
                }
            }
            is_kept = true;
            tokio::time::sleep(dice.pause()).await;
        }
        connection.abort();
    }
}

/// A request that fails with this was not accepted, and may be sent elsewhere, whatever it is: the stream was not
/// opened, or its number is higher than the one in the frame.
fn is_told_to_go_away(error: &hyper::Error) -> bool {
    format!("{error:?}").contains("GoAway(b\"\", NO_ERROR, Remote)")
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Http1,
    Http2,
    HalfHeads,
}

async fn drill(kind: Kind, name: &str) {
    let seeds = std::env::var("DRILL_SEEDS").map_or(2, |text| text.parse().expect("DRILL_SEEDS is a number"));
    let counts = Arc::new(Counts::default());
    for seed in 0..seeds {
        let service = Service::start(&["--drain", &DRAIN.as_secs().to_string(), "--grace", "20"]);
        service.until_ready_is(200).await;
        let address: SocketAddr = service.url.strip_prefix("http://").unwrap().parse().unwrap();
        let mut callers = JoinSet::new();
        for caller in 0..CALLERS {
            let (seed, counts) = (seed * CALLERS + caller, Arc::clone(&counts));
            if kind == Kind::Http2 {
                callers.spawn(async move { http2_caller(address, seed, &counts).await });
            } else {
                callers.spawn_blocking(move || http1_caller(address, seed, &counts));
            }
        }
        let half = if kind == Kind::HalfHeads { 5 } else { 0 };
        let half: Vec<_> = (0..half)
            .map(|_| {
                let mut stream = TcpStream::connect(address).unwrap();
                stream.write_all(b"GET /hello HTTP/1.1\r\nhost: x\r\nx-ha").unwrap();
                stream
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(300 + Dice::new(seed).below(100))).await;
        service.signal("TERM");
        let begin = Instant::now();
        let (status, log) = service.end().await;
        let took = begin.elapsed();
        assert_eq!(status.code(), Some(0), "seed {seed}: {log}");
        assert!((DRAIN..DRAIN + Duration::from_secs(10)).contains(&took), "seed {seed}: it took {took:?}");
        callers.join_all().await;
        drop(half);
    }
    let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
    let (answered, kept, lost, late) = (&counts.answered, &counts.kept, &counts.lost, &counts.late);
    let (answered, kept, lost, late) = (read(answered), read(kept), read(lost), read(late));
    println!(
        "{name}: seeds = {seeds}, answered = {answered}, of these on kept connections = {kept}, late = {late}, lost = {lost}"
    );
    assert!(kept > seeds * CALLERS, "connections are kept");
    assert_eq!(lost, 0, "{name}");
}

/// HC-02, HC-03, HC-06: SIGTERM under the load of kept-alive callers loses no request that was written on a kept
/// connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drill_over_http1() {
    drill(Kind::Http1, "HTTP/1").await;
}

/// HC-06: the same over HTTP/2, whose clients are told to go away.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drill_over_http2() {
    drill(Kind::Http2, "HTTP/2").await;
}

/// HC-06: the same, with five clients that have sent half a head: they neither cost a request nor delay the end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drill_with_half_heads() {
    drill(Kind::HalfHeads, "HTTP/1 with five half heads").await;
}
