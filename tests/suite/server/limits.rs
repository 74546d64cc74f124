//! Times, numbers, and what a listener can do wrong.

use std::io;
use std::io::ErrorKind;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::time::sleep;

use super::{MS, SECOND, Server, answer, app, ask, closes_within, request, start};

/// HC-06: a head has 10 s, from its first byte, and on a new connection from the beginning; a connection may be idle
/// between two requests, and a body may take its time.
#[tokio::test(start_paused = true)]
async fn the_time_for_a_head() {
    let server = Server::usual();
    let (mut silent, mut half, mut slow) = (server.connect(), server.connect(), server.connect());
    half.write_all(b"GET /hello HTTP/1.1\r\n").await.unwrap();
    assert!(!closes_within(&mut silent, 9_900 * MS).await);
    // Another byte does not extend the time.
    half.write_all(b"x").await.unwrap();
    slow.write_all(request("/hello").as_bytes()).await.unwrap();
    assert!(closes_within(&mut silent, 200 * MS).await && closes_within(&mut half, MS).await);

    assert_eq!(answer(&mut slow).await.1, "hello");
    sleep(60 * SECOND).await;
    assert_eq!(ask(&mut slow, "/hello").await.1, "hello", "it was idle, and still is there");
    slow.write_all(b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\n").await.unwrap();
    sleep(60 * SECOND).await;
    slow.write_all(b"body").await.unwrap();
    assert_eq!(answer(&mut slow).await.1, "body");
    // The next head's time starts over.
    slow.write_all(b"GET /he").await.unwrap();
    assert!(!closes_within(&mut slow, 9_900 * MS).await);
    assert!(closes_within(&mut slow, 200 * MS).await);
    assert!(server.end().await < SECOND);
}

/// HC-06: the time is the one that was set.
#[tokio::test(start_paused = true)]
async fn another_time_for_a_head() {
    for (set, closed) in [(2 * SECOND, true), (Duration::MAX, false)] {
        let server = start(app(), |server| server.header_read_timeout(set));
        let mut half = server.connect();
        half.write_all(b"PRI * HTTP/2.0\r\n").await.unwrap();
        assert!(!closes_within(&mut half, 1_900 * MS).await);
        assert_eq!(closes_within(&mut half, 200 * MS).await, closed);
        if !closed {
            assert!(!closes_within(&mut half, 3_600 * SECOND).await);
        }
    }
}

/// HC-06: this many connections at a time; one more waits until another has ended, and is served then.
#[tokio::test(start_paused = true)]
async fn the_number_of_connections() {
    let server = start(app(), |server| server.max_connections(2));
    let (mut one, mut two, mut three) = (server.connect(), server.connect(), server.connect());
    ask(&mut one, "/hello").await;
    ask(&mut two, "/hello").await;
    three.write_all(request("/hello").as_bytes()).await.unwrap();
    assert!(tokio::time::timeout(5 * SECOND, answer(&mut three)).await.is_err());
    drop(one);
    assert_eq!(answer(&mut three).await.1, "hello");
    // Told to finish, it does not wait for room.
    let mut four = server.connect();
    four.write_all(request("/hello").as_bytes()).await.unwrap();
    sleep(MS).await;
    assert!(server.end().await < SECOND);
    assert!(closes_within(&mut four, MS).await);
}

/// HC-06: by default there is no limit.
#[tokio::test(start_paused = true)]
async fn any_number_of_connections() {
    let server = Server::usual();
    let mut streams: Vec<_> = (0..500).map(|_| server.connect()).collect();
    for stream in &mut streams {
        assert_eq!(ask(stream, "/hello").await.1, "hello");
    }
    assert!(server.end().await < SECOND);
}

/// HC-06: errors of the listener do not end it: after one that concerns a single connection it goes on, after others it
/// waits.
#[tokio::test(start_paused = true)]
async fn errors_of_the_listener() {
    let server = Server::usual();
    let begin = tokio::time::Instant::now();
    for kind in [ErrorKind::ConnectionAborted, ErrorKind::ConnectionReset, ErrorKind::Interrupted] {
        server.pipes.send(Err(kind.into())).unwrap();
    }
    assert_eq!(ask(&mut server.connect(), "/hello").await.1, "hello");
    assert_eq!(begin.elapsed(), Duration::ZERO);
    // Too many open files.
    for _ in 0..3 {
        server.pipes.send(Err(io::Error::from_raw_os_error(24))).unwrap();
    }
    assert_eq!(ask(&mut server.connect(), "/hello").await.1, "hello");
    let took = begin.elapsed();
    assert!((300 * MS..400 * MS).contains(&took), "{took:?}");
    // Nor does it wait when it is told to finish.
    server.pipes.send(Err(io::Error::from_raw_os_error(24))).unwrap();
    sleep(MS).await;
    assert!(server.end().await < 100 * MS);
}

/// HC-06: a setting that cannot be used is named, and nothing is accepted.
#[tokio::test(start_paused = true)]
async fn bad_settings() {
    let server = start(app(), |server| server.max_connections(0));
    assert_eq!(server.run.await.unwrap().unwrap_err().field(), "max_connections");
    assert!(server.pipes.is_closed());
    let server = start(app(), |server| server.header_read_timeout(Duration::ZERO));
    assert_eq!(server.run.await.unwrap().unwrap_err().field(), "header_read_timeout");
    let server = start(app(), |server| server.max_connections(u32::MAX).header_read_timeout(Duration::from_nanos(1)));
    server.end().await;
}

/// HC-06: TCP connections have no delay.
#[tokio::test]
async fn tcp_no_delay() {
    use seaworthy::server::Listener;
    let mut listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let _client = tokio::net::TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let accepted = std::future::poll_fn(|cx| Listener::poll_accept(&mut listener, cx)).await.unwrap();
    assert!(accepted.nodelay().unwrap());
}
