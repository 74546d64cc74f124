//! What happens to connections when the server is told to finish.

use seaworthy::Runner;
use seaworthy::server::serve;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use super::{MS, SECOND, Server, answer, app, ask, closes, closes_within, request};

/// HC-06: it serves HTTP/1 and keeps connections; at the token, requests in flight are answered, with a note that they
/// were the last.
#[tokio::test(start_paused = true)]
async fn requests_in_flight_end() {
    let server = Server::usual();
    let mut stream = server.connect();
    for _ in 0..3 {
        let (head, body) = ask(&mut stream, "/hello").await;
        assert!(head.starts_with("http/1.1 200 ok") && !closes(&head), "{head}");
        assert_eq!(body, "hello");
    }
    stream.write_all(request("/slow").as_bytes()).await.unwrap();
    let mut other = server.connect();
    other.write_all(request("/slower").as_bytes()).await.unwrap();
    sleep(MS).await;
    let answers = tokio::spawn(async move {
        let (head, body) = answer(&mut stream).await;
        assert!(closes(&head) && body == "slow", "{head}");
        assert!(closes_within(&mut stream, MS).await);
        let (head, body) = answer(&mut other).await;
        assert!(closes(&head) && body == "slow", "{head}");
    });
    let took = server.end().await;
    assert!((4 * SECOND..=5 * SECOND).contains(&took), "{took:?}");
    answers.await.unwrap();
}

/// HC-06: a connection that has sent half a head, or nothing, or is idle between two requests, is closed at once,
/// however many there are.
#[tokio::test(start_paused = true)]
async fn the_others_are_cut() {
    let server = Server::usual();
    let mut streams = Vec::new();
    let starts: [&[u8]; 5] = [b"", b"G", b"GET /hello HTTP/1.1\r\nho", b"PRI * HTTP/2.0\r\n", b"PRI * HT"];
    for start in starts.iter().cycle().take(25) {
        let mut stream = server.connect();
        stream.write_all(start).await.unwrap();
        streams.push(stream);
    }
    // Kept, and kept with half of the next head.
    for more in [&b""[..], b"GET /he"] {
        let mut stream = server.connect();
        ask(&mut stream, "/hello").await;
        stream.write_all(more).await.unwrap();
        streams.push(stream);
        // In the same packet as the request before.
        let mut stream = server.connect();
        stream.write_all(&[request("/hello").as_bytes(), more].concat()).await.unwrap();
        answer(&mut stream).await;
        streams.push(stream);
    }
    sleep(MS).await;
    let took = server.end().await;
    assert!(took <= 60 * MS, "{took:?}");
    for mut stream in streams {
        assert!(closes_within(&mut stream, MS).await);
    }
}

/// HC-06: a request already sent when the token comes is served: on a kept connection, on a new one, on one that was
/// not accepted yet.
#[tokio::test(start_paused = true)]
async fn what_is_on_its_way() {
    let server = Server::usual();
    let (mut kept, mut new) = (server.connect(), server.connect());
    ask(&mut kept, "/hello").await;
    sleep(MS).await;
    let mut queued = server.connect();
    for stream in [&mut kept, &mut new, &mut queued] {
        stream.write_all(request("/slow").as_bytes()).await.unwrap();
    }
    let took = server.end().await;
    assert!((SECOND..2 * SECOND).contains(&took), "{took:?}");
    for stream in [&mut kept, &mut new, &mut queued] {
        let (head, body) = answer(stream).await;
        assert!(closes(&head) && body == "slow", "{head}");
    }
}

/// HC-06: a response whose body the client is slow to read is not an idle connection.
#[tokio::test(start_paused = true)]
async fn slow_readers() {
    let big = "x".repeat(1_000_000);
    let app = app().route("/big", axum::routing::get(async move || big));
    let server = super::start(app, |server| server);
    let mut stream = server.connect();
    stream.write_all(request("/big").as_bytes()).await.unwrap();
    sleep(MS).await;
    let reads = tokio::spawn(async move {
        sleep(10 * SECOND).await;
        answer(&mut stream).await.1.len()
    });
    let took = server.end().await;
    assert_eq!((took.as_secs(), reads.await.unwrap()), (10, 1_000_000));
}

/// HC-06: dropped, it cuts everything left, requests in flight included, and stops listening.
#[tokio::test(start_paused = true)]
async fn dropped() {
    let server = Server::usual();
    let mut streams = [server.connect(), server.connect()];
    streams[0].write_all(request("/slow").as_bytes()).await.unwrap();
    sleep(MS).await;
    server.run.abort();
    assert!(server.run.await.unwrap_err().is_cancelled());
    for stream in &mut streams {
        assert!(closes_within(stream, MS).await);
    }
    assert!(server.pipes.is_closed());
}

/// HC-06: a panic of one handler ends its connection, and no other.
#[tokio::test(start_paused = true)]
async fn a_panic() {
    let server = Server::usual();
    let (mut one, mut two) = (server.connect(), server.connect());
    two.write_all(request("/slow").as_bytes()).await.unwrap();
    one.write_all(request("/panic").as_bytes()).await.unwrap();
    assert!(closes_within(&mut one, MS).await);
    assert_eq!(answer(&mut two).await.1, "slow");
    assert_eq!(ask(&mut server.connect(), "/hello").await.1, "hello");
    assert!(server.end().await < SECOND);
}

/// HC-06: over sockets, as a task of a runner: five clients with half a head do not keep it from ending well, and at
/// once.
#[tokio::test]
async fn a_task_of_the_runner() {
    let runner = Runner::builder().signals([]).build().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = serve(listener, app()).health(runner.health());
    runner.task("http", |shutdown| server.run(shutdown)).unwrap();
    let handle = runner.handle();
    let run = tokio::spawn(runner.run());
    let mut streams = Vec::new();
    for _ in 0..5 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /hello HTTP/1.1\r\nhost: x\r\nx-hal").await.unwrap();
        streams.push(stream);
    }
    let mut good = TcpStream::connect(address).await.unwrap();
    good.write_all(b"GET /hello HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut text = String::new();
    good.read_to_string(&mut text).await.unwrap();
    assert!(text.ends_with("hello"), "{text}");
    let begin = std::time::Instant::now();
    handle.stop();
    run.await.unwrap().unwrap();
    assert!(begin.elapsed() < 5 * SECOND, "{:?}", begin.elapsed());
    for stream in &mut streams {
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
    }
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}
