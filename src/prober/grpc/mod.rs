mod connection;
mod health;

use std::future::poll_fn;
use std::pin::Pin;

use bytes::Bytes;
use connection::OneConnection;
pub use health::GrpcHealth;
use health::GrpcQuestion;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue, TE};
use http::{Method, Request, Response, StatusCode, Uri};
use http_body::Body;
use hyper::body::Incoming;

use super::address::Address;
use super::probe::Probe;
use super::under_way::given_up_at;
use crate::error::{BoxError, ConfigError};
use crate::grpc::code::Code;
use crate::http::grpc::grpc_status;
use crate::http::grpc::health::{MessageError, MessageReader, grpc_message, status_in};
use crate::http::timeout_headers::{GRPC_TIMEOUT, header_value};
use crate::http::wire_timeout::Notation;
use crate::machine::timestamp::Timestamp;
use crate::rt::time;

/// Asks a server whether it is well, in gRPC's health protocol: well is what says `SERVING`.
///
/// | the answer | the reason of the failure |
/// |---|---|
/// | `NOT_SERVING`, `SERVICE_UNKNOWN`, `UNKNOWN` | that word |
/// | a status other than 0: 5 for an unknown service, 12 where health is not served | its name, and the message |
/// | no status, no message, or a broken one | what is missing |
/// | an HTTP status other than 200, or another content type | the status, or the type |
///
/// It speaks HTTP/2 with prior knowledge, in plain text, over a new connection for each probe, which is closed once the
/// answer is read; nothing is spawned. The time that a [`Prober`](super::Prober) leaves to the probe, or the current
/// [`Deadline`](crate::Deadline) if that is earlier, is sent as `grpc-timeout`, rounded down. A name is looked up every
/// time: see [`Resolver`](super::Resolver).
///
/// ```
/// use seaworthy::prober::{GrpcHealth, GrpcProbe, ProbePolicy, Prober};
///
/// let prober = Prober::builder().build()?;
/// let probe = GrpcProbe::new(GrpcHealth::new(50051).host("cart.internal").service("shop.Cart"))?;
/// let target = prober.add("cart", ProbePolicy::default(), probe)?;
/// # assert_eq!(target.name(), "cart");
/// # Ok::<(), seaworthy::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct GrpcProbe {
    address: Address,
    uri: Uri,
    message: Bytes,
}

impl GrpcProbe {
    /// A probe of `target`.
    ///
    /// # Errors
    /// The first setting that breaks a rule, and the rule.
    pub fn new(target: GrpcHealth) -> Result<GrpcProbe, ConfigError> {
        let GrpcQuestion { host, uri, message } = target.check()?;
        Ok(GrpcProbe { address: Address::new(host, target.port), uri, message })
    }

    fn request(&self) -> Result<Request<Bytes>, BoxError> {
        let mut request = Request::new(self.message.clone());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        let headers = request.headers_mut();
        headers.insert(TE, HeaderValue::from_static("trailers"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        let until = given_up_at();
        if until != Timestamp::NEVER {
            let left = until.since(time::now());
            headers.insert(GRPC_TIMEOUT, header_value(Notation::Grpc, left).ok_or("no time is left")?);
        }
        Ok(request)
    }
}

impl Probe for GrpcProbe {
    async fn probe(&self) -> Result<(), BoxError> {
        let connection = OneConnection::new(self.address.connect().await?).await?;
        connection.ask(self.request()?, judge).await
    }
}

/// Whether an answer says that the target is well.
async fn judge(response: Response<Incoming>) -> Result<(), BoxError> {
    let (head, mut body) = response.into_parts();
    if let Some(code) = grpc_status(&head.headers) {
        return judge_status(code, &head.headers, &MessageReader::default());
    }
    if head.status != StatusCode::OK {
        return Err(format!("status {}, expected 200", head.status.as_u16()).into());
    }
    if !crate::http::is_grpc(&head.headers) {
        let content_type = head.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
        return Err(format!("content type {:?} is not gRPC's", String::from_utf8_lossy(content_type)).into());
    }
    let mut reader = MessageReader::default();
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        match frame?.into_data() {
            Ok(data) => reader.push(data).map_err(told)?,
            Err(frame) => {
                let Ok(trailers) = frame.into_trailers() else { continue };
                let code = grpc_status(&trailers).ok_or(NO_STATUS)?;
                return judge_status(code, &trailers, &reader);
            }
        }
    }
    Err(NO_STATUS.into())
}

const NO_STATUS: &str = "the answer ended without a grpc-status";

fn judge_status(code: Code, headers: &HeaderMap, reader: &MessageReader) -> Result<(), BoxError> {
    if code != Code::Ok {
        return Err(match grpc_message(headers) {
            Some(message) => format!("{code}: {message}").into(),
            None => code.name().into(),
        });
    }
    let status = status_in(reader.message().map_err(told)?).map_err(|_| told(MessageError::Broken))?;
    Err(match status {
        1 => return Ok(()),
        0 => "UNKNOWN".into(),
        2 => "NOT_SERVING".into(),
        3 => "SERVICE_UNKNOWN".into(),
        other => format!("serving status {other}, expected 1").into(),
    })
}

fn told(error: MessageError) -> &'static str {
    match error {
        MessageError::Compressed => "the answer's message is compressed",
        MessageError::TooLong => "the answer's message is too long",
        MessageError::Broken => "the answer's message is missing or broken",
    }
}
