use std::net::SocketAddr;

use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use seaworthy::{Error, WrapErrorLayer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tower::ServiceBuilder;

use super::*;

/// A server that answers each connection with these bytes and closes it.
async fn server(answer: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let mut request = [0; 1024];
            _ = connection.read(&mut request).await;
            _ = connection.write_all(answer).await;
        }
    });
    address
}

async fn lines(method: &str, answer: &'static [u8]) -> (Vec<Line>, Result<Bytes, hyper::Error>) {
    let (breaker, told) = plain();
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
    let stack = ServiceBuilder::new().layer(layer(&breaker)).layer(WrapErrorLayer::new()).service(client);
    let address = server(answer).await;
    let request = Request::builder().method(method).uri(format!("http://{address}/")).body(Empty::new()).unwrap();
    let response: Result<Response<JudgedBody<Incoming>>, Error<_>> = stack.oneshot(request).await;
    let body = response.unwrap().into_body().collect().await.map(|body| body.to_bytes());
    (told.take(), body)
}

/// BO-05: hyper reports a body that ends before its `content-length`, or within a chunk, as an error: a failure, where
/// the head alone was a success.
#[tokio::test]
async fn short_bodies() {
    for answer in [
        &b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc"[..],
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nabc",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n",
    ] {
        let (lines, body) = lines("GET", answer).await;
        assert!(body.is_err());
        assert_eq!(lines, [FAILURE]);
    }
}

/// BO-05: whole bodies are what their heads say; one that ends with the connection cannot be short.
#[tokio::test]
async fn whole_bodies() {
    for (method, answer, text) in [
        ("GET", &b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc"[..], "abc"),
        ("GET", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "abc"),
        ("GET", b"HTTP/1.0 200 OK\r\n\r\nabc", "abc"),
        ("GET", b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", ""),
        ("GET", b"HTTP/1.1 204 No Content\r\n\r\n", ""),
        ("HEAD", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", ""),
    ] {
        let (lines, body) = lines(method, answer).await;
        assert_eq!(body.unwrap(), text);
        assert_eq!(lines, [SUCCESS], "{method}");
    }
}
