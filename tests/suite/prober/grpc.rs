//! Over real sockets, as HTTP/2, against servers written by hand; time is real where it is the prober's timeout.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use seaworthy::prober::{GrpcHealth, GrpcProbe, Probe, ProbeKind, ProbePolicy, ProbeSpec};
use seaworthy::{BoxError, Health, Phase, ProbeState};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::{error, prober, quick, until};
use crate::support::{MS, SECOND, now};

const SERVING: &[u8] = b"\0\0\0\0\x02\x08\x01";

async fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// The body of an answer: frames, and then perhaps an error or nothing for ever.
struct Frames(Vec<Option<Result<Frame<Bytes>, BoxError>>>);

impl Body for Frames {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.0.first() {
            None => Poll::Ready(None),
            Some(None) => Poll::Pending,
            Some(Some(_)) => Poll::Ready(self.0.remove(0)),
        }
    }
}

/// What a server answers: the head, then the frames.
#[derive(Clone, Default)]
struct Script {
    status: Option<u16>,
    headers: Vec<(&'static str, &'static str)>,
    data: Vec<&'static [u8]>,
    trailers: Option<Vec<(&'static str, &'static str)>>,
    resets: bool,
    stalls: bool,
}

fn grpc() -> Script {
    Script { headers: vec![("content-type", "application/grpc")], ..Script::default() }
}

fn answering(message: &'static [u8], trailers: &[(&'static str, &'static str)]) -> Script {
    Script { data: vec![message], trailers: Some(trailers.to_vec()), ..grpc() }
}

fn fields(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect::<HeaderMap>()
}

impl Script {
    fn response(&self) -> Response<Frames> {
        let mut frames: Vec<_> = self.data.iter().map(|data| Some(Ok(Frame::data(Bytes::from_static(data))))).collect();
        frames.extend(self.trailers.iter().map(|trailers| Some(Ok(Frame::trailers(fields(trailers))))));
        frames.extend(self.resets.then(|| Some(Err("reset".into()))));
        frames.extend(self.stalls.then_some(None));
        let mut response = Response::new(Frames(frames));
        *response.status_mut() = self.status.unwrap_or(200).try_into().unwrap();
        *response.headers_mut() = fields(&self.headers);
        response
    }
}

/// What a server has seen of a request.
type Seen = Arc<Mutex<Vec<(http::request::Parts, Bytes)>>>;

/// Serves connections until the test ends; says how each ended.
async fn server(script: Script) -> (u16, Seen, Arc<Mutex<Vec<Result<(), String>>>>) {
    let (listener, port) = listen().await;
    let (seen, ended) = (Seen::default(), Arc::<Mutex<Vec<Result<(), String>>>>::default());
    let (requests, ends) = (Arc::clone(&seen), Arc::clone(&ended));
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (script, requests, ends) = (script.clone(), Arc::clone(&requests), Arc::clone(&ends));
            let service = service_fn(move |request: Request<Incoming>| {
                let (script, requests) = (script.clone(), Arc::clone(&requests));
                async move {
                    let (head, body) = request.into_parts();
                    let body = body.collect().await.unwrap().to_bytes();
                    requests.lock().unwrap().push((head, body));
                    Ok::<_, Infallible>(script.response())
                }
            });
            tokio::spawn(async move {
                let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                let end = builder.serve_connection(TokioIo::new(stream), service).await;
                ends.lock().unwrap().push(end.map_err(|error| format!("{error:?}")));
            });
        }
    });
    (port, seen, ended)
}

async fn probe(script: Script) -> Result<(), String> {
    let (port, ..) = server(script).await;
    let probe = GrpcProbe::new(GrpcHealth::new(port)).unwrap();
    let verdict = timeout(5 * SECOND, probe.probe()).await.expect("it answers");
    verdict.map_err(|error| error.to_string())
}

/// GR-16: `SERVING` is success, and everything else a failure with a reason.
#[tokio::test]
async fn what_is_well() {
    let ok = &[("grpc-status", "0")];
    assert_eq!(probe(answering(SERVING, ok)).await, Ok(()));
    // In pieces, and with a field that is not known.
    let pieces: Vec<&'static [u8]> = vec![b"\0\0", b"", b"\0\0\x05\x12\x01a\x08", b"\x01"];
    assert_eq!(probe(Script { data: pieces, trailers: Some(ok.to_vec()), ..grpc() }).await, Ok(()));
    let said = async |message, expected: &str| assert_eq!(probe(answering(message, ok)).await, Err(expected.into()));
    said(b"\0\0\0\0\x02\x08\x02", "NOT_SERVING").await;
    said(b"\0\0\0\0\x02\x08\x03", "SERVICE_UNKNOWN").await;
    said(b"\0\0\0\0\0", "UNKNOWN").await;
    said(b"\0\0\0\0\x02\x08\x07", "serving status 7, expected 1").await;
    said(b"\x01\0\0\0\x02\x08\x01", "the answer's message is compressed").await;
    said(b"\0\0\0\x20\0\x08\x01", "the answer's message is too long").await;
    for broken in [
        &b"\x02\0\0\0\x02\x08\x01"[..],
        b"\0\0\0\0\x03\x08\x01",
        b"\0\0\0\0\x01\x08",
        b"\0\0\0\0\x01\x08\x01",
        b"",
        b"\0\0",
    ] {
        said(broken, "the answer's message is missing or broken").await;
    }
}

/// GR-16: a server without the service, one that does not know the name, and any other status are failures, in the head
/// and in the trailers, whatever else is said.
#[tokio::test]
async fn statuses() {
    for (status, name) in
        [("5", "NOT_FOUND"), ("12", "UNIMPLEMENTED"), ("14", "UNAVAILABLE"), ("2", "UNKNOWN"), ("77", "UNKNOWN")]
    {
        let mut head = grpc();
        head.headers.push(("grpc-status", status));
        assert_eq!(probe(head.clone()).await, Err(name.into()), "{status}");
        head.headers.push(("grpc-message", "no such%20service%0a%F0%9F%9A%A2%"));
        assert_eq!(probe(head.clone()).await, Err(format!("{name}: no such service\n🚢%")), "{status}");
        // It wins over the HTTP status.
        head.status = Some(503);
        assert_eq!(probe(head).await, Err(format!("{name}: no such service\n🚢%")), "{status}");
        let trailers = answering(SERVING, &[("grpc-status", status), ("grpc-message", "")]);
        // A copy, because the status must not be lost where a message came before it.
        assert_eq!(probe(trailers).await, Err(name.into()), "{status}");
    }
    let mut empty = grpc();
    empty.headers.push(("grpc-status", "0"));
    assert_eq!(probe(empty).await, Err("the answer's message is missing or broken".into()));
}

/// GR-16: what is not gRPC, or ends without a status, is a failure.
#[tokio::test]
async fn what_is_not_grpc() {
    assert_eq!(
        probe(Script { data: vec![SERVING], ..grpc() }).await,
        Err("the answer ended without a grpc-status".into())
    );
    assert_eq!(probe(grpc()).await, Err("the answer ended without a grpc-status".into()));
    assert_eq!(probe(answering(SERVING, &[("x", "y")])).await, Err("the answer ended without a grpc-status".into()));
    assert_eq!(probe(Script { status: Some(503), ..grpc() }).await, Err("status 503, expected 200".into()));
    assert_eq!(probe(Script { status: Some(404), ..Script::default() }).await, Err("status 404, expected 200".into()));
    let html = Script { headers: vec![("content-type", "text/html")], ..answering(SERVING, &[("grpc-status", "0")]) };
    assert_eq!(probe(html).await, Err("content type \"text/html\" is not gRPC's".into()));
    assert_eq!(probe(Script::default()).await, Err("content type \"\" is not gRPC's".into()));
    let reset = probe(Script { data: vec![SERVING], resets: true, ..grpc() }).await.unwrap_err();
    assert!(reset.contains("error"), "{reset}");
}

/// GR-16: what does not speak HTTP/2, hangs up, or is not there is a failure with a reason.
#[tokio::test]
async fn other_servers() {
    for bytes in [&b""[..], b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n", b"220 mail.example ESMTP\r\n"] {
        let (listener, port) = listen().await;
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(bytes).await.unwrap();
        });
        let probe = GrpcProbe::new(GrpcHealth::new(port)).unwrap();
        let error = timeout(5 * SECOND, probe.probe()).await.expect("it sees that").unwrap_err();
        assert!(!error.to_string().is_empty());
    }
    let (listener, port) = listen().await;
    drop(listener);
    GrpcProbe::new(GrpcHealth::new(port)).unwrap().probe().await.unwrap_err();
}

/// GR-16: what is sent: one `Check`, with the name of the service; no deadline outside a prober.
#[tokio::test]
async fn what_is_sent() {
    let (port, seen, ended) = server(answering(SERVING, &[("grpc-status", "0")])).await;
    let target = GrpcHealth::new(port).host("localhost");
    for (target, message) in
        [(target.clone(), &b"\0\0\0\0\0"[..]), (target.service("shop.Cart"), b"\0\0\0\0\x0b\x0a\x09shop.Cart")]
    {
        GrpcProbe::new(target).unwrap().probe().await.unwrap();
        let (head, body) = seen.lock().unwrap().pop().unwrap();
        assert_eq!(
            (head.method, head.uri.to_string()),
            (http::Method::POST, format!("http://localhost:{port}/grpc.health.v1.Health/Check"))
        );
        let headers = fields(&[("te", "trailers"), ("content-type", "application/grpc")]);
        assert_eq!((head.headers, &*body), (headers, message));
    }
    assert!(seen.lock().unwrap().is_empty(), "one request for each probe");
    // It says goodbye, so that no server sees a broken connection.
    until("the connections are gone", || ended.lock().unwrap().len() == 2).await;
    assert_eq!(*ended.lock().unwrap(), [Ok(()), Ok(())]);
}

/// GR-16: our own server, with all that it says; and a prober that follows it.
#[tokio::test]
async fn our_own_server() {
    let health = Health::new();
    let service = health.grpc_service();
    let (listener, port) = listen().await;
    let served = TowerToHyperService::new(service.clone());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            tokio::spawn(builder.serve_connection(TokioIo::new(stream), served.clone()));
        }
    });
    let ask = async |name: &str| {
        let probe = GrpcProbe::new(GrpcHealth::new(port).service(name)).unwrap();
        probe.probe().await.map_err(|error| error.to_string())
    };
    assert_eq!(ask("").await, Err("NOT_SERVING".into()));
    health.advance(Phase::Serving);
    assert_eq!(ask("").await, Ok(()));
    assert_eq!(ask("shop.Cart").await, Err("NOT_FOUND: unknown service".into()));
    service.publish("shop.Cart", &[]).unwrap();
    assert_eq!(ask("shop.Cart").await, Ok(()));
    let long = "x".repeat(5000);
    assert_eq!(ask(&long).await, Err("RESOURCE_EXHAUSTED: the message is too long".into()));

    let prober = prober();
    let spec = ProbeSpec {
        kind: ProbeKind::Grpc(GrpcHealth::new(port).service("shop.Cart")),
        policy: quick().interval(10 * MS).timeout(2 * SECOND).failure_threshold(1).build().unwrap(),
    };
    let target = prober.add_spec("cart", spec).unwrap();
    let task = prober.spawn();
    until("healthy", || target.state() == ProbeState::Healthy).await;
    health.advance(Phase::Draining);
    until("unhealthy", || target.state() == ProbeState::Unhealthy).await;
    assert_eq!(error(&target).as_deref(), Some("NOT_SERVING"));
    assert!(task.stop().await.is_empty());
}

/// GR-16: a prober's timeout is sent, never more than is left; a server that stalls, in the head or in the answer, is a
/// failure when it is over, and the connection is gone with it.
#[tokio::test]
async fn the_deadline_is_sent_and_kept() {
    for script in [Script { data: vec![SERVING], stalls: true, ..grpc() }, Script { stalls: true, ..grpc() }] {
        let (port, seen, ended) = server(script).await;
        let prober = prober();
        let policy = quick().interval(60 * SECOND).timeout(300 * MS).build().unwrap();
        let target = prober.add("a", policy, GrpcProbe::new(GrpcHealth::new(port)).unwrap()).unwrap();
        let start = now();
        let task = prober.spawn();
        until("the timeout", || target.status().unwrap().failures == 1).await;
        assert!(now() - start >= 300 * MS);
        assert_eq!(error(&target).as_deref(), Some("timed out after 300ms"));
        let sent = seen.lock().unwrap()[0].0.headers["grpc-timeout"].to_str().unwrap().to_owned();
        let left: u64 = sent.strip_suffix('u').expect(&sent).parse().unwrap();
        assert!((1..=300_000).contains(&left), "{sent}");
        until("the connection is gone", || ended.lock().unwrap().len() == 1).await;
        assert!(task.stop().await.is_empty(), "nothing is left running");
    }
}

/// GR-16: a connection that is accepted and never answered ends with the prober, too.
#[tokio::test]
async fn a_silent_server() {
    let (listener, port) = listen().await;
    let prober = prober();
    let target =
        prober.add("a", quick().timeout(SECOND).build().unwrap(), GrpcProbe::new(GrpcHealth::new(port)).unwrap());
    let task = prober.spawn();
    let (mut stream, _): (TcpStream, _) = timeout(5 * SECOND, listener.accept()).await.unwrap().unwrap();
    let mut preface = [0; 24];
    stream.read_exact(&mut preface).await.unwrap();
    assert_eq!(&preface, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    assert!(task.stop().await.is_empty());
    let mut rest = Vec::new();
    let _end_or_reset = timeout(5 * SECOND, stream.read_to_end(&mut rest)).await.expect("it is closed");
    drop(target);
}

/// GR-16: settings that cannot be used, with field and rule.
#[test]
fn from_code() {
    for (target, text) in [
        (GrpcHealth::new(0), "probe: port is 0, must be from 1 to 65535"),
        (GrpcHealth::new(1).host(""), "probe: host is \"\", must not be empty"),
        (GrpcHealth::new(1).host("a:1"), "probe: host is \"a:1\", must be a name or an address"),
    ] {
        assert_eq!(GrpcProbe::new(target).unwrap_err().to_string(), text);
    }
    for host in ["::1", "[::1]", "fe80::1%1", "db-1.example"] {
        GrpcProbe::new(GrpcHealth::new(65_535).host(host).service("ä b")).unwrap();
    }
    let spec = ProbeSpec { kind: ProbeKind::Grpc(GrpcHealth::new(0)), policy: ProbePolicy::default() };
    assert_eq!(prober().add_spec("a", spec).unwrap_err().field(), "port");
}

/// GR-16, PB-08: no local port stays in `TIME_WAIT`.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn no_port_is_left_waiting() {
    let (port, _, ended) = server(answering(SERVING, &[("grpc-status", "0")])).await;
    // local_address rem_address st: 06 is TIME_WAIT.
    let there = format!("0100007F:{port:04X}");
    let waiting = || {
        let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let waits = |line: &&str| {
            let fields: Vec<_> = line.split_whitespace().collect();
            fields.get(2) == Some(&&*there) && fields.get(3) == Some(&"06")
        };
        table.lines().filter(waits).count()
    };
    // The port may have been another server's a moment ago.
    let before = waiting();
    let probe = GrpcProbe::new(GrpcHealth::new(port)).unwrap();
    for _ in 0..20 {
        probe.probe().await.unwrap();
    }
    until("the connections are gone", || ended.lock().unwrap().len() == 20).await;
    super::sleep(Duration::from_millis(50)).await;
    assert_eq!(waiting(), before);
}
