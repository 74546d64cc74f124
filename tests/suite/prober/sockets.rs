//! Real sockets on loopback; time is real, too, and where it matters it is the prober's timeout.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use http::{Request, Response};
use seaworthy::ProbeState;
use seaworthy::prober::{HttpGet, HttpProbe, Probe, Scheme, TcpConnect, TcpProbe};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tower::service_fn;

use super::{error, prober, quick, until};
use crate::support::MS;

/// What a server does with a connection, once it has read the head of the request.
#[derive(Clone, Copy)]
enum Manner {
    Answer(&'static str),
    Hang,
    /// Hangs up in the middle of its response, or before.
    HangUp(&'static str),
    /// Resets the connection.
    Reset,
    /// A byte of the head now and then, for ever.
    Drip,
}

struct Server {
    port: u16,
    heads: Arc<Mutex<Vec<String>>>,
    /// Connections that the peer has not closed.
    open: Arc<Mutex<usize>>,
}

async fn server(manner: Manner) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = Server { port, heads: Arc::default(), open: Arc::default() };
    let (heads, open) = (server.heads.clone(), server.open.clone());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (heads, open) = (heads.clone(), open.clone());
            *open.lock().unwrap() += 1;
            tokio::spawn(async move {
                serve(stream, manner, &heads).await;
                *open.lock().unwrap() -= 1;
            });
        }
    });
    server
}

async fn serve(mut stream: TcpStream, manner: Manner, heads: &Mutex<Vec<String>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    heads.lock().unwrap().push(String::from_utf8(head).unwrap());
    match manner {
        Manner::Answer(text) => stream.write_all(text.as_bytes()).await.unwrap(),
        Manner::HangUp(text) => {
            stream.write_all(text.as_bytes()).await.unwrap();
            return;
        }
        Manner::Reset => {
            stream.set_zero_linger().unwrap();
            return;
        }
        Manner::Hang => {}
        Manner::Drip => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nx-slow: ").await.unwrap();
            while stream.write_all(b"a").await.is_ok() {
                super::sleep(5 * MS).await;
            }
        }
    }
    // Until the peer goes away.
    while stream.read(&mut [0; 64]).await.is_ok_and(|read| read > 0) {}
}

async fn get(manner: Manner, change: impl FnOnce(HttpGet) -> HttpGet) -> Result<(), String> {
    let server = server(manner).await;
    let probe = HttpProbe::new(change(HttpGet::new(server.port))).unwrap();
    let result = probe.probe().await.map_err(|error| error.to_string());
    until("the connection is gone", || *server.open.lock().unwrap() == 0).await;
    result
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
const FOUND: &str = "HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n";
/// A body that never comes.
const ENDLESS: &str = "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n";

/// PR-01: the status has to be the expected one; no redirect is followed; a body is not waited for.
#[tokio::test]
async fn http_status() {
    let same = |get: HttpGet| get;
    assert_eq!(get(Manner::Answer(OK), same).await, Ok(()));
    assert_eq!(get(Manner::Answer(ENDLESS), same).await, Ok(()));
    assert_eq!(get(Manner::Answer(OK), |get| get.status(204)).await, Err("status 200, expected 204".into()));
    assert_eq!(get(Manner::Answer(FOUND), same).await, Err("status 302, expected 200".into()));
    assert_eq!(get(Manner::Answer(FOUND), |get| get.status(302)).await, Ok(()));
    let sick = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";
    assert_eq!(get(Manner::Answer(sick), same).await, Err("status 503, expected 200".into()));
    assert_eq!(get(Manner::Answer(sick), |get| get.status(503)).await, Ok(()));
}

/// PR-01: what is sent: one `GET` with the given path and query.
#[tokio::test]
async fn http_request() {
    let server = server(Manner::Answer(FOUND)).await;
    let path = "/health/live?full=1&q=a%20b";
    let probe = HttpProbe::new(HttpGet::new(server.port).path(path).host("localhost")).unwrap();
    let refused = probe.probe().await.unwrap_err().to_string();
    assert_eq!(refused, "status 302, expected 200");
    let heads = server.heads.lock().unwrap().clone();
    assert_eq!(heads.len(), 1, "nobody went elsewhere");
    let expected = format!("GET {path} HTTP/1.1\r\nhost: localhost:{}\r\nconnection: close\r\n\r\n", server.port);
    assert_eq!(heads[0], expected);
}

/// PB-07: method, headers and statuses are as configured; a `Host` replaces the address.
#[tokio::test]
async fn http_method_headers_and_statuses() {
    let server = server(Manner::Answer(FOUND)).await;
    let get = HttpGet::new(server.port).method("POST").header("Host", "shop.example").header("x-probe", "yes");
    HttpProbe::new(get.clone().statuses([200..=299, 302..=302])).unwrap().probe().await.unwrap();
    let error = HttpProbe::new(get.statuses([200..=299, 304..=304])).unwrap().probe().await.unwrap_err();
    assert_eq!(error.to_string(), "status 302, expected 200-299 or 304");
    let head = server.heads.lock().unwrap()[0].clone();
    assert!(head.starts_with("POST / HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("host: shop.example\r\n") && head.contains("x-probe: yes\r\n"), "{head}");
    assert!(!head.contains("127.0.0.1"), "{head}");
}

/// PR-01: a response that is not HTTP, or ends too early, is a failure.
#[tokio::test]
async fn http_broken() {
    let same = |get: HttpGet| get;
    for manner in [
        Manner::HangUp(""),
        Manner::HangUp("HTTP/1.1 200"),
        Manner::HangUp("220 mail.example ESMTP\r\n\r\n"),
        Manner::Answer("\0\0\0\0\r\n\r\n"),
        Manner::Reset,
    ] {
        let error = get(manner, same).await.unwrap_err();
        assert!(!error.is_empty());
    }
}

/// A loopback port on which nothing listens.
async fn closed_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}

/// PR-01: a port on which nothing listens.
#[tokio::test]
async fn refused() {
    let port = closed_port().await;
    let http = HttpProbe::new(HttpGet::new(port)).unwrap().probe().await.unwrap_err();
    assert!(http.to_string().contains("refused"), "{http}");
    let tcp = TcpProbe::new(TcpConnect::new(port)).unwrap().probe().await.unwrap_err();
    assert!(tcp.to_string().contains("refused"), "{tcp}");
}

/// PR-01: a connection that is accepted is all that a TCP probe needs; it closes it at once.
#[tokio::test]
async fn tcp() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    for host in ["127.0.0.1", "localhost"] {
        TcpProbe::new(TcpConnect::new(port).host(host)).unwrap().probe().await.unwrap();
        let (mut stream, _) = listener.accept().await.unwrap();
        assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 0);
    }
}

/// PR-01, PR-07: whatever a server fails to do, the probe ends with its timeout, and its connection with it.
#[tokio::test]
async fn timeouts() {
    for manner in [Manner::Hang, Manner::Drip] {
        let before = Handle::current().metrics().num_alive_tasks();
        let server = server(manner).await;
        let prober = prober();
        let policy = quick().timeout(60 * MS).build().unwrap();
        let probe = HttpProbe::new(HttpGet::new(server.port)).unwrap();
        let target = prober.add("a", policy, probe).unwrap();
        let task = prober.spawn();
        until("a failure", || target.status().unwrap().failures == 1).await;
        assert_eq!(error(&target).as_deref(), Some("timed out after 60ms"));
        until("the connection is gone", || *server.open.lock().unwrap() == 0).await;
        assert_eq!(server.heads.lock().unwrap().len(), 1);
        task.stop().await;
        // The server's.
        until("no task is left", || Handle::current().metrics().num_alive_tasks() == before + 1).await;
    }
}

/// PR-01: a target that becomes unhealthy and recovers, seen through a connection.
#[tokio::test]
async fn a_port_that_closes_and_opens_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let prober = prober();
    let policy = quick().interval(10 * MS).failure_threshold(2).build().unwrap();
    let target = prober.add("a", policy, TcpProbe::new(TcpConnect::new(address.port())).unwrap()).unwrap();
    let task = prober.spawn();
    until("healthy", || target.state() == ProbeState::Healthy).await;
    drop(listener);
    until("unhealthy", || target.state() == ProbeState::Unhealthy).await;
    // Another test on this machine may have taken the port.
    if let Ok(_listener) = TcpListener::bind(address).await {
        until("healthy again", || target.state() == ProbeState::Healthy).await;
    }
    task.stop().await;
}

/// PR-01: a custom client gets the whole URI, and its error is the probe's.
#[tokio::test]
async fn a_client_of_ones_own() {
    let seen = Arc::new(Mutex::new(None));
    let note = seen.clone();
    let client = service_fn(move |request: Request<String>| {
        *note.lock().unwrap() = Some((request.method().clone(), request.uri().to_string()));
        async { Ok::<_, Infallible>(Response::builder().status(204).body(()).unwrap()) }
    });
    let get = HttpGet::new(8443).scheme(Scheme::Https).host("::1").path("/a?b=c").status(204);
    HttpProbe::with_client(get.clone(), client).unwrap().probe().await.unwrap();
    let expected = (http::Method::GET, "https://[::1]:8443/a?b=c".to_owned());
    assert_eq!(*seen.lock().unwrap(), Some(expected));

    let broken = service_fn(|_: Request<String>| async { Err::<Response<()>, _>("no route") });
    let error = HttpProbe::with_client(get, broken).unwrap().probe().await.unwrap_err();
    assert_eq!(error.to_string(), "no route");
    assert!(HttpProbe::with_client(HttpGet::new(0), broken).is_err());
}
