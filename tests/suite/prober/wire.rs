//! What the peer of a probe sees.

use std::time::Duration;

use seaworthy::prober::{HttpGet, HttpProbe, Probe, Scheme, TcpConnect, TcpProbe};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::{error, prober, quick, until};
use crate::support::{MS, SECOND, now};

fn in_short(error: &seaworthy::ConfigError) -> String {
    format!("{}: {}", error.field(), error.rule())
}

async fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

/// PB-04: the verdict comes with the head; then the body is read, so that the server can write it and sees an end.
#[tokio::test]
async fn the_body_is_read_after_the_verdict() {
    for status in ["200 OK", "503 Service Unavailable"] {
        let (listener, port) = listen().await;
        let (go_on, may_go_on) = oneshot::channel();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            head(&mut stream).await;
            let head = format!("HTTP/1.1 {status}\r\ncontent-length: 60000\r\n\r\n");
            stream.write_all(head.as_bytes()).await.unwrap();
            may_go_on.await.unwrap();
            for _ in 0..60 {
                super::sleep(MS).await;
                stream.write_all(&[b'x'; 1000]).await.unwrap();
            }
            // An end, and no reset.
            stream.read(&mut [0; 8]).await.unwrap()
        });
        let verdict = HttpProbe::new(HttpGet::new(port)).unwrap().probe().await;
        assert_eq!(verdict.is_ok(), status == "200 OK");
        // The body has not begun.
        go_on.send(()).unwrap();
        assert_eq!(timeout(5 * SECOND, server).await.unwrap().unwrap(), 0);
    }
}

/// PB-04: an infinite body ends the connection: after 64 KiB, and after a second if it drips.
#[tokio::test]
async fn an_endless_body_is_not_read_for_ever() {
    for pause in [Duration::ZERO, 50 * MS] {
        let (listener, port) = listen().await;
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            head(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await.unwrap();
            let (start, mut written) = (now(), 0);
            while stream.write_all(b"4\r\nlife\r\n").await.is_ok() {
                written += 1;
                if !pause.is_zero() {
                    super::sleep(pause).await;
                }
            }
            (written, now() - start)
        });
        HttpProbe::new(HttpGet::new(port)).unwrap().probe().await.unwrap();
        let (written, took) = timeout(10 * SECOND, server).await.unwrap().unwrap();
        assert!(took < 3 * SECOND, "{took:?}");
        if !pause.is_zero() {
            assert!(written > 5 && took > 500 * MS, "{written} {took:?}");
        }
    }
}

/// PB-04: a connection that is being read to its end counts as its target's probe, and ends with the run.
#[tokio::test]
async fn reading_out_ends_with_the_run() {
    let (listener, port) = listen().await;
    let (hung_up, told) = oneshot::channel();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n").await.unwrap();
        let _ = stream.read(&mut [0; 8]).await;
        hung_up.send(now()).unwrap();
        // No second connection may come before that.
        let _second = listener.accept().await;
        unreachable!("it was probed again");
    });
    let prober = prober();
    let policy = quick().interval(10 * MS).build().unwrap();
    let target = prober.add("a", policy, HttpProbe::new(HttpGet::new(port)).unwrap()).unwrap();
    let task = prober.spawn();
    until("the verdict", || target.status().unwrap().successes == 1).await;
    super::sleep(100 * MS).await;
    let stopped = now();
    assert!(task.stop().await.is_empty());
    let at = timeout(5 * SECOND, told).await.unwrap().unwrap();
    assert!(at - stopped < 500 * MS, "{:?}", at - stopped);
}

/// PB-05: a zone is used to connect and never sent.
#[tokio::test]
async fn a_zone_is_not_sent() {
    let Ok(listener) = TcpListener::bind("[::1]:0").await else { return };
    let port = listener.local_addr().unwrap().port();
    for host in ["::1", "[::1]", "::1%1", "[::1%1]", "0:0::1"] {
        let probe = HttpProbe::new(HttpGet::new(port).host(host)).unwrap();
        let server = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let head = head(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
            head
        };
        let (head, verdict) = timeout(5 * SECOND, async { tokio::join!(server, probe.probe()) }).await.unwrap();
        verdict.unwrap();
        assert!(head.contains(&format!("host: [::1]:{port}\r\n")), "{host}: {head}");
        assert!(!format!("{probe:?}").contains('%'));
    }
    let client = tower::service_fn(|_: http::Request<String>| async {
        Ok::<_, std::convert::Infallible>(http::Response::new(()))
    });
    let zoned = HttpGet::new(1).scheme(Scheme::Https).host("fe80::1%eth0");
    let error = HttpProbe::with_client(zoned, client).unwrap_err();
    assert_eq!(in_short(&error), "host: must not have a zone, which only the ready-made client can use");
}

/// PB-05: zones are validated like hosts.
#[test]
fn zones_are_checked() {
    let tcp = |host: &str| TcpProbe::new(TcpConnect::new(1).host(host)).map(drop).map_err(|error| in_short(&error));
    let http = |host: &str| HttpProbe::new(HttpGet::new(1).host(host)).map(drop).map_err(|error| in_short(&error));
    for host in
        ["fe80::1%", "[fe80::1%]", "fe80::1%a b", "fe80::1%eth0\r\nx: y", "fe80::1%a%b", "fe80::1%[", "[::1", "1::2::3"]
    {
        let expected = Err("host: must be a name or an address".to_owned());
        assert_eq!((tcp(host), http(host)), (expected.clone(), expected), "{host:?}");
    }
    for host in ["fe80::1%eth0", "[fe80::1%2]", "fe80::1%br-lan.4_x"] {
        assert_eq!((tcp(host), http(host)), (Ok(()), Ok(())), "{host}");
    }
}

/// PB-05: a server that keeps saying `100 Continue` is a failure when the time is over.
#[tokio::test]
async fn endless_continues_end_in_time() {
    let (listener, port) = listen().await;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        head(&mut stream).await;
        let many = "HTTP/1.1 100 Continue\r\n\r\n".repeat(4000);
        while stream.write_all(many.as_bytes()).await.is_ok() {}
    });
    let prober = prober();
    let policy = quick().interval(60 * SECOND).timeout(500 * MS).build().unwrap();
    let target = prober.add("a", policy, HttpProbe::new(HttpGet::new(port)).unwrap()).unwrap();
    let start = now();
    let task = prober.spawn();
    until("the timeout", || target.status().unwrap().failures == 1).await;
    let took = now() - start;
    assert_eq!(error(&target).as_deref(), Some("timed out after 500ms"));
    assert!(took < 800 * MS, "{took:?}");
    task.stop().await;
}

/// PB-08: a TCP probe leaves no local port in `TIME_WAIT`, and the peer sees an end.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn no_port_is_left_waiting() {
    let (listener, port) = listen().await;
    let probe = TcpProbe::new(TcpConnect::new(port)).unwrap();
    for accepted_first in [true, false] {
        let mut early = None;
        if accepted_first {
            let (verdict, accepted) = tokio::join!(probe.probe(), listener.accept());
            verdict.unwrap();
            early = Some(accepted.unwrap().0);
        } else {
            probe.probe().await.unwrap();
        }
        let mut stream = match early {
            Some(stream) => stream,
            None => listener.accept().await.unwrap().0,
        };
        assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 0);
        drop(stream);
    }
    for _ in 0..20 {
        let (verdict, accepted) = tokio::join!(probe.probe(), listener.accept());
        verdict.unwrap();
        drop(accepted);
    }
    super::sleep(50 * MS).await;
    // local_address rem_address st: 06 is TIME_WAIT.
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let there = format!("0100007F:{port:04X}");
    let waiting = table.lines().filter(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        fields.get(2) == Some(&&*there) && fields.get(3) == Some(&"06")
    });
    assert_eq!(waiting.count(), 0);
}
