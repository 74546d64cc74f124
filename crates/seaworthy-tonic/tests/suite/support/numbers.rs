//! `test.Numbers`: a service of numbers with each of the four kinds of calls. What becomes of a call is said in its
//! metadata, under `then`: a code, `hold`, or nothing, which is a good end.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, BufMut};
use http::uri::PathAndQuery;
use tokio_stream::{Stream, StreamExt};
use tonic::body::Body;
use tonic::client::GrpcService;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::metadata::MetadataMap;
use tonic::server::NamedService;
use tonic::{Code, Request, Response, Status, Streaming};
use tower::Service;

pub(crate) const UNARY: &str = "/test.Numbers/Double";
pub(crate) const SERVER_STREAM: &str = "/test.Numbers/CountTo";
pub(crate) const CLIENT_STREAM: &str = "/test.Numbers/Sum";
pub(crate) const BIDI: &str = "/test.Numbers/DoubleEach";

/// A number, in eight bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct NumberCodec;

impl Codec for NumberCodec {
    type Encode = u64;
    type Decode = u64;
    type Encoder = NumberCodec;
    type Decoder = NumberCodec;

    fn encoder(&mut self) -> NumberCodec {
        NumberCodec
    }

    fn decoder(&mut self) -> NumberCodec {
        NumberCodec
    }
}

impl Encoder for NumberCodec {
    type Item = u64;
    type Error = Status;

    fn encode(&mut self, number: u64, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        into.put_u64(number);
        Ok(())
    }
}

impl Decoder for NumberCodec {
    type Item = u64;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<u64>, Status> {
        from.try_get_u64().map(Some).map_err(|_| Status::internal("not a number"))
    }
}

type Numbers = Pin<Box<dyn Stream<Item = Result<u64, Status>> + Send>>;
type Answering<T> = Pin<Box<dyn Future<Output = Result<Response<T>, Status>> + Send>>;

/// The service. Clones are the same.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct NumbersServer;

impl NamedService for NumbersServer {
    const NAME: &'static str = "test.Numbers";
}

impl Service<http::Request<Body>> for NumbersServer {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<http::Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move {
            let mut grpc = tonic::server::Grpc::new(NumberCodec);
            Ok(match request.uri().path() {
                UNARY => grpc.unary(Double, request).await,
                SERVER_STREAM => grpc.server_streaming(CountTo, request).await,
                CLIENT_STREAM => grpc.client_streaming(Sum, request).await,
                BIDI => grpc.streaming(DoubleEach, request).await,
                _ => Status::unimplemented("no such method").into_http(),
            })
        })
    }
}

/// What the caller asked to become of the call.
async fn end_of(metadata: &MetadataMap) -> Result<(), Status> {
    match metadata.get("then").map(|then| then.to_str().expect("text")) {
        None => Ok(()),
        Some("hold") => std::future::pending().await,
        Some(code) => Err(Status::new(Code::from_bytes(code.as_bytes()), "as you asked")),
    }
}

/// These, and then what the caller asked for.
fn ending(numbers: impl Stream<Item = Result<u64, Status>> + Send + 'static, metadata: MetadataMap) -> Numbers {
    let end = async move { end_of(&metadata).await };
    let end = futures_util::stream::once(end).filter_map(|end| end.err().map(Err));
    Box::pin(numbers.chain(end))
}

macro_rules! method {
    ($name:ident: $request:ty => $response:ty, $answer:expr) => {
        #[derive(Clone, Copy)]
        struct $name;

        impl Service<Request<$request>> for $name {
            type Response = Response<$response>;
            type Error = Status;
            type Future = Answering<$response>;

            fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
                Poll::Ready(Ok(()))
            }

            fn call(&mut self, request: Request<$request>) -> Self::Future {
                let (metadata, _, message) = request.into_parts();
                let answer: fn(MetadataMap, $request) -> Answering<$response> = $answer;
                answer(metadata, message)
            }
        }
    };
}

method!(Double: u64 => u64, |metadata, number| Box::pin(async move {
    end_of(&metadata).await?;
    Ok(Response::new(number * 2))
}));

method!(CountTo: u64 => Numbers, |metadata, number| Box::pin(async move {
    Ok(Response::new(ending(tokio_stream::iter((1..=number).map(Ok)), metadata)))
}));

method!(Sum: Streaming<u64> => u64, |metadata, mut numbers| Box::pin(async move {
    let mut sum = 0;
    while let Some(number) = numbers.message().await? {
        sum += number;
    }
    end_of(&metadata).await?;
    Ok(Response::new(sum))
}));

method!(DoubleEach: Streaming<u64> => Numbers, |metadata, numbers| Box::pin(async move {
    Ok(Response::new(ending(numbers.map(|number| Ok(number? * 2)), metadata)))
}));

/// The client, over any stack: what a generated one asks of it is asked here.
#[derive(Clone)]
pub(crate) struct NumbersClient<T>(T);

impl<T> NumbersClient<T>
where
    T: GrpcService<Body> + Clone,
    T::ResponseBody: http_body::Body<Data = bytes::Bytes> + Send + 'static,
    <T::ResponseBody as http_body::Body>::Error: Into<seaworthy::BoxError> + Send,
{
    pub(crate) fn new(stack: T) -> NumbersClient<T> {
        NumbersClient(stack)
    }

    async fn ready(&self) -> Result<tonic::client::Grpc<T>, Status> {
        let origin = http::Uri::from_static("http://numbers");
        let mut grpc = tonic::client::Grpc::with_origin(self.0.clone(), origin);
        grpc.ready().await.map_err(|error| Status::from_error(error.into()))?;
        Ok(grpc)
    }

    pub(crate) async fn double(&self, request: Request<u64>) -> Result<Response<u64>, Status> {
        self.ready().await?.unary(request, PathAndQuery::from_static(UNARY), NumberCodec).await
    }

    pub(crate) async fn count_to(&self, request: Request<u64>) -> Result<Response<Streaming<u64>>, Status> {
        self.ready().await?.server_streaming(request, PathAndQuery::from_static(SERVER_STREAM), NumberCodec).await
    }

    pub(crate) async fn sum(&self, numbers: Vec<u64>, then: Option<&'static str>) -> Result<Response<u64>, Status> {
        let request = asking(tokio_stream::iter(numbers), then);
        self.ready().await?.client_streaming(request, PathAndQuery::from_static(CLIENT_STREAM), NumberCodec).await
    }

    pub(crate) async fn double_each<S>(&self, request: Request<S>) -> Result<Response<Streaming<u64>>, Status>
    where
        S: Stream<Item = u64> + Send + 'static,
    {
        self.ready().await?.streaming(request, PathAndQuery::from_static(BIDI), NumberCodec).await
    }
}

/// A request that says what is to become of it.
pub(crate) fn asking<T>(message: T, then: impl Into<Option<&'static str>>) -> Request<T> {
    let mut request = Request::new(message);
    if let Some(then) = then.into() {
        request.metadata_mut().insert("then", then.parse().expect("metadata"));
    }
    request
}

/// All that comes of a stream: its messages, and how it ends.
pub(crate) async fn all(stream: Result<Response<Streaming<u64>>, Status>) -> (Vec<u64>, Result<(), Status>) {
    let mut stream = match stream {
        Ok(response) => response.into_inner(),
        Err(status) => return (Vec::new(), Err(status)),
    };
    let mut numbers = Vec::new();
    loop {
        match stream.message().await {
            Ok(Some(number)) => numbers.push(number),
            Ok(None) => return (numbers, Ok(())),
            Err(status) => return (numbers, Err(status)),
        }
    }
}
