//! `shop.Stock`, which a `.proto` file and tonic-prost-build would write: one method, from a number to a number.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes};
use http::uri::PathAndQuery;
use seaworthy::BoxError;
use tonic::body::Body;
use tonic::client::GrpcService;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::server::NamedService;
use tonic::{Request, Response, Status};
use tower::Service;

pub(crate) const COUNT: &str = "/shop.Stock/Count";

#[derive(Clone, Copy, Default)]
struct NumberCodec;

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

/// The database behind the service, which can be lost.
#[derive(Clone, Default)]
pub(crate) struct Database {
    is_lost: Arc<AtomicBool>,
    asked: Arc<AtomicU32>,
}

impl Database {
    pub(crate) fn lose(&self, is_lost: bool) {
        self.is_lost.store(is_lost, Ordering::Relaxed);
    }

    /// How often it was asked since the last time.
    pub(crate) fn asked(&self) -> u32 {
        self.asked.swap(0, Ordering::Relaxed)
    }

    async fn count(&self, item: u64) -> Result<u64, Status> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(5)).await;
        if self.is_lost.load(Ordering::Relaxed) { Err(Status::unavailable("no database")) } else { Ok(item * 2) }
    }
}

#[derive(Clone)]
pub(crate) struct StockServer(pub(crate) Database);

impl NamedService for StockServer {
    const NAME: &'static str = "shop.Stock";
}

impl Service<http::Request<Body>> for StockServer {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<http::Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let database = self.0.clone();
        let count = tower::service_fn(move |request: Request<u64>| {
            let database = database.clone();
            async move { database.count(request.into_inner()).await.map(Response::new) }
        });
        Box::pin(async move {
            match request.uri().path() {
                COUNT => Ok(tonic::server::Grpc::new(NumberCodec).unary(count, request).await),
                _ => Ok(Status::unimplemented("no such method").into_http()),
            }
        })
    }
}

/// Any stack that a generated client would take.
#[derive(Clone)]
pub(crate) struct StockClient<T>(pub(crate) T);

impl<T> StockClient<T>
where
    T: GrpcService<Body> + Clone,
    T::ResponseBody: http_body::Body<Data = Bytes> + Send + 'static,
    <T::ResponseBody as http_body::Body>::Error: Into<BoxError>,
{
    pub(crate) async fn count(&self, item: u64) -> Result<u64, Status> {
        let mut grpc = tonic::client::Grpc::new(self.0.clone());
        grpc.ready().await.map_err(|error| Status::from_error(error.into()))?;
        let answer = grpc.unary(Request::new(item), PathAndQuery::from_static(COUNT), NumberCodec).await?;
        Ok(answer.into_inner())
    }
}
