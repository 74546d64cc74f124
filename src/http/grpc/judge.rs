use http::HeaderMap;
use http::response::Parts;
use http_body::Frame;

use super::classifier::GrpcClassifier;
use super::status::{code_of_head, grpc_status};
use crate::circuit_breaker::handle::CircuitBreaker;
use crate::context::Deadline;
use crate::http::body_scope::{BodyCircuitBreakerLayer, BodyEnd, JudgeBody, MakeJudge};
use crate::machine::verdict::Verdict;

/// Judges a gRPC call by the `grpc-status` in the trailers of its response. A body that ends without one has broken
/// off, however well it ended.
///
/// Made by [`GrpcClassifier`], for responses whose heads say nothing.
#[derive(Clone, Copy, Debug)]
pub struct GrpcJudge {
    classifier: GrpcClassifier,
    /// The call's own. Nobody says it again to who reads the body.
    deadline: Deadline,
}

impl GrpcJudge {
    fn verdict(self, trailers: &HeaderMap) -> Verdict {
        let code = grpc_status(trailers);
        code.map_or(Verdict::Failure, |code| self.classifier.verdict(code, || Some(self.deadline)))
    }
}

impl<D> JudgeBody<D> for GrpcJudge {
    #[inline]
    fn frame(&mut self, _: &Frame<D>) {}

    fn end(self, end: BodyEnd<'_>, otherwise: Verdict) -> Verdict {
        match end {
            BodyEnd::Trailers(trailers) => self.verdict(trailers),
            BodyEnd::Complete => Verdict::Failure,
            BodyEnd::Error | BodyEnd::Dropped => otherwise,
        }
    }
}

/// There is no judge for a response whose head said everything.
impl MakeJudge for GrpcClassifier {
    type Judge = Option<GrpcJudge>;

    #[inline]
    fn make_judge(&self, head: &Parts, _: bool) -> Option<GrpcJudge> {
        if code_of_head(head.status, &head.headers).is_some() {
            return None;
        }
        Some(GrpcJudge { classifier: *self, deadline: Deadline::current().unwrap_or(Deadline::NEVER) })
    }
}

impl CircuitBreaker {
    /// A layer that puts the circuit breaker around a gRPC client or service, and settles each call when its status is
    /// there: with the head if that has one, otherwise with the trailers. See [`GrpcClassifier`] for the verdicts, and
    /// [`BodyCircuitBreakerLayer`] for streams.
    ///
    /// A response body that ends in an error, or without a status, is a failure. One that is dropped before its end
    /// counts as nothing, unless [`on_body_drop`](BodyCircuitBreakerLayer::on_body_drop) says otherwise.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use http::{HeaderMap, Request, Response};
    /// use http_body_util::{BodyExt, Full};
    /// use seaworthy::{BoxError, CircuitBreaker, State};
    /// use tower::{ServiceBuilder, ServiceExt, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), BoxError> {
    /// // A stand-in for a server that fails after a good head.
    /// let server = service_fn(async |_: Request<()>| {
    ///     let trailers = HeaderMap::from_iter([("grpc-status".parse()?, "13".parse()?)]);
    ///     let body = Full::new(Bytes::from("half of it")).with_trailers(std::future::ready(Some(Ok(trailers))));
    ///     Ok::<_, BoxError>(Response::new(body))
    /// });
    /// let circuit_breaker = CircuitBreaker::builder("cart").consecutive_failures(1).build()?;
    /// let client = ServiceBuilder::new().layer(circuit_breaker.grpc_layer()).service(server);
    ///
    /// let response = client.oneshot(Request::post("/shop.Cart/Get").body(())?).await?;
    /// assert_eq!(circuit_breaker.state(), State::Closed);
    /// response.into_body().collect().await?;
    /// assert_eq!(circuit_breaker.state(), State::Open);
    /// # Ok(())
    /// # }
    /// ```
    pub fn grpc_layer(&self) -> BodyCircuitBreakerLayer<GrpcClassifier, GrpcClassifier> {
        self.grpc_layer_with(GrpcClassifier::new())
    }

    /// Like [`grpc_layer`](Self::grpc_layer), with failures of your own.
    ///
    /// ```
    /// use seaworthy::CircuitBreaker;
    /// use seaworthy::http::grpc::{Code, GrpcClassifier};
    ///
    /// let circuit_breaker = CircuitBreaker::builder("cart").build()?;
    /// let layer = circuit_breaker.grpc_layer_with(GrpcClassifier::new().failures(&[Code::Unavailable]));
    /// # let _ = layer;
    /// # Ok::<(), seaworthy::ConfigError>(())
    /// ```
    pub fn grpc_layer_with(
        &self,
        classifier: GrpcClassifier,
    ) -> BodyCircuitBreakerLayer<GrpcClassifier, GrpcClassifier> {
        self.layer().classify(classifier).until_body_end().make_judge(classifier)
    }
}
