//! Upgraded connections.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::get;
use hyper_util::rt::TokioIo;
use seaworthy::Shutdown;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::sleep;

use super::{MS, SECOND, Server, answer, closes_within, start};

/// Answers with an echo, until the client hangs up; or until the shutdown, if it listens to that.
fn echo(listens: Option<Shutdown>) -> Router {
    let upgrade = async move |request: Request| {
        let upgrade = hyper::upgrade::on(request);
        tokio::spawn(async move {
            let mut io = TokioIo::new(upgrade.await.unwrap());
            let echo = async move {
                let mut byte = [0];
                while io.read(&mut byte).await? == 1 {
                    io.write_all(&byte).await?;
                }
                Ok::<_, std::io::Error>(())
            };
            match listens {
                Some(shutdown) => drop(shutdown.until(echo).await),
                None => drop(echo.await),
            }
        });
        Response::builder()
            .status(101)
            .header("connection", "upgrade")
            .header("upgrade", "echo")
            .body(Body::empty())
            .unwrap()
    };
    Router::new().route("/", get(upgrade))
}

async fn upgraded(server: &Server) -> tokio::io::DuplexStream {
    let mut stream = server.connect();
    let request = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let (head, _) = answer(&mut stream).await;
    assert!(head.starts_with("http/1.1 101 ") && head.contains("connection: upgrade\r\n"), "{head}");
    stream.write_all(b"a").await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), b'a');
    stream
}

/// HC-06: an upgraded connection is awaited until it ends, and works until then; it may be silent for any time.
#[tokio::test(start_paused = true)]
async fn awaited() {
    let server = start(echo(None), |server| server);
    let mut stream = upgraded(&server).await;
    let caller = tokio::spawn(async move {
        sleep(60 * SECOND).await;
        stream.write_all(b"b").await.unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), b'b');
    });
    let took = server.end().await;
    assert_eq!(took.as_secs(), 60);
    caller.await.unwrap();
}

/// HC-06: one that listens ends with the token.
#[tokio::test(start_paused = true)]
async fn listening() {
    let (trigger, shutdown) = Shutdown::new();
    let server = start(echo(Some(shutdown)), |server| server);
    let mut stream = upgraded(&server).await;
    trigger.fire();
    assert!(server.end().await < SECOND);
    assert!(closes_within(&mut stream, MS).await);
}

/// HC-06: one that does not listen ends with the grace period, when the server is dropped.
#[tokio::test(start_paused = true)]
async fn cut() {
    let server = start(echo(None), |server| server);
    let mut stream = upgraded(&server).await;
    server.trigger.fire();
    assert!(!closes_within(&mut stream, 30 * SECOND).await, "it is waited for");
    server.run.abort();
    assert!(closes_within(&mut stream, MS).await);
}

/// HC-06: it counts as a connection while it lasts.
#[tokio::test(start_paused = true)]
async fn counted() {
    let server = start(echo(None), |server| server.max_connections(1));
    let stream = upgraded(&server).await;
    let second = async { upgraded(&server).await };
    tokio::pin!(second);
    assert!(tokio::time::timeout(60 * SECOND, &mut second).await.is_err());
    drop(stream);
    second.await;
}
