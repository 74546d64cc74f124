use super::classifier::GrpcClassifier;
use super::methods::GrpcMethods;
use super::replay::GrpcReplay;
use super::retry::GrpcRetry;
use crate::http::HttpPolicyLayer;
use crate::policy::handle::Policy;
use crate::policy::{Class, PolicyLayer, WithRetry};

/// A [`Policy`] around gRPC calls. Made by [`Policy::grpc_layer`].
pub type GrpcPolicyLayer =
    HttpPolicyLayer<PolicyLayer<GrpcClassifier, Class, WithRetry<GrpcRetry, GrpcReplay>>, GrpcClassifier>;

impl Policy {
    /// A layer that puts this policy around a gRPC client. The circuit breaker learns how a call went, and the bulkhead
    /// gets its permit back, with the status: with the head if that has one, otherwise with the trailers. If the policy
    /// retries, it repeats calls of these methods, and of those that its own settings name: see [`GrpcRetry`] and
    /// [`GrpcReplay`]. A timeout ends with the head.
    ///
    /// Otherwise it is as [`Policy::http_layer`] is.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use http::{Request, Response};
    /// use http_body_util::{BodyExt, Full};
    /// use seaworthy::http::ReplayBody;
    /// use seaworthy::http::grpc::GrpcMethods;
    /// use seaworthy::{BoxError, Policy};
    /// use tower::{ServiceBuilder, ServiceExt, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), BoxError> {
    /// let policy = Policy::builder("cart")
    ///     .circuit_breaker(|circuit_breaker| circuit_breaker.consecutive_failures(5))
    ///     .retry(|retry| retry)
    ///     .build()?;
    /// let methods = GrpcMethods::builder().idempotent("/shop.Cart/Get").build()?;
    /// // A stand-in for a client.
    /// let server = service_fn(async |_: Request<ReplayBody<Full<Bytes>>>| {
    ///     Ok::<_, BoxError>(Response::builder().header("grpc-status", "0").body(Full::<Bytes>::default())?)
    /// });
    /// let client = ServiceBuilder::new().layer(policy.grpc_layer(methods)).service(server);
    ///
    /// let request = Request::post("http://shop/shop.Cart/Get").body(Full::default())?;
    /// let response = client.oneshot(request).await?;
    /// assert_eq!(response.headers()["grpc-status"], "0");
    /// response.into_body().collect().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn grpc_layer(&self, methods: GrpcMethods) -> GrpcPolicyLayer {
        self.grpc_layer_with(methods, GrpcClassifier::new())
    }

    /// Like [`grpc_layer`](Self::grpc_layer), with failures of your own.
    ///
    /// ```
    /// use seaworthy::Policy;
    /// use seaworthy::http::grpc::{Code, GrpcClassifier, GrpcMethods};
    ///
    /// let policy = Policy::builder("cart").circuit_breaker(|circuit_breaker| circuit_breaker).build()?;
    /// let classifier = GrpcClassifier::new().failures(&[Code::Unavailable, Code::Internal]);
    /// let layer = policy.grpc_layer_with(GrpcMethods::new(), classifier);
    /// # let _ = layer;
    /// # Ok::<(), seaworthy::PolicyError>(())
    /// ```
    pub fn grpc_layer_with(&self, methods: GrpcMethods, classifier: GrpcClassifier) -> GrpcPolicyLayer {
        let retry = match self.retry_policy() {
            Some(policy) => GrpcRetry::of(methods, policy.grpc_rules()),
            None => GrpcRetry::new(methods),
        };
        let replay = retry.replay();
        let layer = self.http_layer().classify(classifier).retry_if_for(retry).replay(replay);
        layer.make_judge(classifier).until_body_end()
    }
}
