//! A server that does with a call what no gRPC server should.

use std::time::Duration;

use bytes::Bytes;
use h2::server::{Connection, SendResponse};
use h2::{Reason, SendStream};
use http::{HeaderMap, Response, StatusCode};
use tokio::net::{TcpListener, TcpStream};

use super::Running;

type Http2 = Connection<TcpStream, Bytes>;

/// Long enough for what has been sent to arrive.
const FLUSH: Duration = Duration::from_millis(30);

/// The way in which a call goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// None: a message and status 0.
    None,
    /// This status in the trailers.
    Trailers(&'static str),
    /// The connection is cut before the head.
    CutBeforeHead,
    /// The stream is reset before the head.
    ResetBeforeHead(Reason),
    /// The connection is cut in the middle of a message.
    CutInBody,
    /// The stream is reset in the middle of a message.
    ResetInBody(Reason),
    /// The stream is reset after the whole message, in place of the trailers.
    ResetInTrailers(Reason),
    /// The connection is cut after the whole message, in place of the trailers.
    CutInTrailers,
    /// The body ends after the whole message, without trailers.
    NoTrailers,
    /// There are trailers, but no status in them.
    NoStatus,
    /// A head of 200 that ends the stream, without a status.
    EmptyHead,
    /// A head with this HTTP status and no other.
    Http(u16),
    /// A head with this status, which ends the stream.
    TrailersOnly(&'static str),
    /// Never a head.
    StallBeforeHead,
    /// A good head, and then nothing.
    StallInBody,
    /// GOAWAY in the middle of a message, and the connection is closed.
    GoAwayAndClose,
    /// GOAWAY in the middle of a message, which is sent to its end.
    GoAwayAndFinish,
}

/// A number in its frame: no compression, eight bytes.
fn message() -> Bytes {
    Bytes::from_static(&[0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 14])
}

fn half() -> Bytes {
    message().slice(..7)
}

fn trailers(status: &'static str) -> HeaderMap {
    let status = (http::HeaderName::from_static("grpc-status"), http::HeaderValue::from_static(status));
    HeaderMap::from_iter([status])
}

fn head() -> Response<()> {
    Response::builder().header("content-type", "application/grpc").body(()).expect("a head")
}

fn begin(mut respond: SendResponse<Bytes>, data: Bytes) -> SendStream<Bytes> {
    let mut stream = respond.send_response(head(), false).expect("a head is sent");
    stream.send_data(data, false).expect("data is sent");
    stream
}

fn only_head(mut respond: SendResponse<Bytes>, head: Response<()>) {
    respond.send_response(head, true).expect("a head is sent");
}

/// Lets the connection do its work for a while.
async fn flush(connection: &mut Http2) {
    let _late = tokio::time::timeout(FLUSH, connection.accept()).await;
}

/// Answers each call with this fault.
pub(crate) async fn faulty(fault: Fault) -> Running {
    Running::start(move |listener| serve(listener, fault)).await
}

async fn serve(listener: TcpListener, fault: Fault) {
    while let Ok((socket, _)) = listener.accept().await {
        tokio::spawn(async move {
            let Ok(mut connection) = h2::server::handshake(socket).await else { return };
            let mut stalled = Vec::new();
            while let Some(Ok((_, respond))) = connection.accept().await {
                if answer(&mut connection, respond, fault, &mut stalled).await.is_none() {
                    return;
                }
            }
        });
    }
}

/// What must not be dropped, because that would reset the stream.
enum Stalled {
    Head { _respond: SendResponse<Bytes> },
    Body { _stream: SendStream<Bytes> },
}

/// None if the connection is to be dropped.
async fn answer(
    connection: &mut Http2,
    mut respond: SendResponse<Bytes>,
    fault: Fault,
    stalled: &mut Vec<Stalled>,
) -> Option<()> {
    match fault {
        Fault::None => begin(respond, message()).send_trailers(trailers("0")).expect("sent"),
        Fault::Trailers(status) => begin(respond, message()).send_trailers(trailers(status)).expect("sent"),
        Fault::CutBeforeHead => return None,
        Fault::ResetBeforeHead(reason) => respond.send_reset(reason),
        Fault::CutInBody => {
            let _stream = begin(respond, half());
            flush(connection).await;
            return None;
        }
        Fault::CutInTrailers => {
            let _stream = begin(respond, message());
            flush(connection).await;
            return None;
        }
        Fault::ResetInBody(reason) => reset(connection, begin(respond, half()), reason).await,
        Fault::ResetInTrailers(reason) => reset(connection, begin(respond, message()), reason).await,
        Fault::NoTrailers => begin(respond, message()).send_data(Bytes::new(), true).expect("sent"),
        Fault::NoStatus => begin(respond, message()).send_trailers(HeaderMap::new()).expect("sent"),
        Fault::EmptyHead => only_head(respond, head()),
        Fault::Http(status) => {
            let status = StatusCode::from_u16(status).expect("a status");
            only_head(respond, Response::builder().status(status).body(()).expect("a head"));
        }
        Fault::TrailersOnly(status) => {
            let mut head = head();
            head.headers_mut().extend(trailers(status));
            only_head(respond, head);
        }
        Fault::StallBeforeHead => stalled.push(Stalled::Head { _respond: respond }),
        Fault::StallInBody => stalled.push(Stalled::Body { _stream: begin(respond, half()) }),
        Fault::GoAwayAndClose => {
            let _stream = begin(respond, half());
            flush(connection).await;
            connection.abrupt_shutdown(Reason::ENHANCE_YOUR_CALM);
            flush(connection).await;
            return None;
        }
        Fault::GoAwayAndFinish => {
            let mut stream = begin(respond, half());
            connection.graceful_shutdown();
            flush(connection).await;
            stream.send_data(message().slice(7..), false).expect("sent");
            stream.send_trailers(trailers("0")).expect("sent");
        }
    }
    Some(())
}

async fn reset(connection: &mut Http2, mut stream: SendStream<Bytes>, reason: Reason) {
    flush(connection).await;
    stream.send_reset(reason);
}
