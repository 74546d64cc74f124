//! HTTP/2, by prior knowledge.

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use seaworthy::{Health, Phase};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::{MS, SECOND, Server, app, start};

type Client = SendRequest<Empty<Bytes>>;

async fn client(server: &Server) -> (Client, JoinHandle<hyper::Result<()>>) {
    let (client, connection) = handshake(TokioExecutor::new(), TokioIo::new(server.connect())).await.unwrap();
    (client, tokio::spawn(connection))
}

async fn get(client: &mut Client, path: &str) -> hyper::Result<(http::response::Parts, Bytes)> {
    client.ready().await?;
    let request = Request::get(format!("http://x{path}")).body(Empty::new()).unwrap();
    let (head, body) = client.send_request(request).await?.into_parts();
    Ok((head, body.collect().await?.to_bytes()))
}

/// HC-06, HC-02: HTTP/2 clients are told to go away at the token, and not before; requests in flight are answered, even
/// on a connection where one of them panicked. Nothing says `Connection: close` there.
#[tokio::test(start_paused = true)]
async fn told_to_go_away() {
    let health = Health::new();
    health.advance(Phase::Serving);
    let server = start(app().layer(health.drain_layer()), |server| server.health(&health));
    let (mut one, connection) = client(&server).await;
    assert_eq!(get(&mut one, "/hello").await.unwrap().1, "hello");
    assert!(get(&mut one, "/panic").await.is_err());
    health.advance(Phase::Draining);
    let (head, body) = get(&mut one, "/hello").await.unwrap();
    assert!(head.version == http::Version::HTTP_2 && !head.headers.contains_key("connection"));
    assert_eq!(body, "hello", "it still is served");

    let mut other = one.clone();
    let slow = tokio::spawn(async move { get(&mut other, "/slow").await });
    let (mut idle, idle_connection) = client(&server).await;
    get(&mut idle, "/hello").await.unwrap();
    sleep(MS).await;
    let took = server.end().await;
    assert!((900 * MS..2 * SECOND).contains(&took), "{took:?}");
    assert_eq!(slow.await.unwrap().unwrap().1, "slow");
    connection.await.unwrap().unwrap();
    idle_connection.await.unwrap().unwrap();
    let error = get(&mut one, "/hello").await.unwrap_err();
    assert!(error.is_canceled() || error.is_closed(), "it is not even sent: {error:?}");
}

/// HC-06: an HTTP/2 client that never answers is not waited for: not long if it sent no request, and a little longer if
/// the end of a response may still be on its way.
#[tokio::test(start_paused = true)]
async fn who_does_not_answer() {
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    // A head that claims to be longer than it is.
    let half = [0, 0, 100, 1, 4, 0, 0, 0, 1, 0x82, 0x86];
    // `GET http://x/hello`: two fields from the table, two literal ones; the head and the stream end with it.
    let whole = [&[0, 0, 13, 1, 5, 0, 0, 0, 1][..], b"\x82\x86\x04\x06/hello\x41\x01x"].concat();
    for (more, seconds) in [(&b""[..], 1), (&half, 1), (&whole, 5)] {
        let server = Server::usual();
        let mut stream = server.connect();
        stream.write_all(&[&preface[..], &settings, more].concat()).await.unwrap();
        sleep(MS).await;
        let took = server.end().await;
        assert_eq!(took.as_secs(), seconds, "{took:?}");
        let mut said = Vec::new();
        stream.read_to_end(&mut said).await.unwrap();
        // A frame of type 7 on stream 0.
        let goes_away = said.windows(9).any(|head| head[3] == 7 && head[5..] == [0; 4]);
        assert!(goes_away, "{said:?}");
    }
}

/// HC-06: a client that is slow to read a response gets all of it, and is waited for.
#[tokio::test(start_paused = true)]
async fn a_slow_reader() {
    let big = "x".repeat(3_000_000);
    let app = app().route("/big", axum::routing::get(async move || big));
    let server = start(app, |server| server);
    let (mut one, _connection) = client(&server).await;
    one.ready().await.unwrap();
    let response = one.send_request(Request::get("http://x/big").body(Empty::new()).unwrap()).await.unwrap();
    let reads = tokio::spawn(async move {
        let (mut body, mut length) = (response.into_body(), 0);
        while let Some(frame) = body.frame().await {
            length += frame.unwrap().into_data().unwrap().len();
            sleep(SECOND).await;
        }
        length
    });
    let took = server.end().await;
    assert!(took > 10 * SECOND, "{took:?}");
    assert_eq!(reads.await.unwrap(), 3_000_000);
}
