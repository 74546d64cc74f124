use http::{Request, Response};

use super::methods::GrpcMethods;
use super::pushback::grpc_pushback;
use super::replay::GrpcReplay;
use super::status::grpc_status;
use crate::error::StackError;
use crate::grpc::code::{Code, CodeSet};
use crate::retry::decide::RetryIf;
use crate::retry::grpc_rules::GrpcRules;
use crate::retry::policy::RetryPolicy;
use crate::retry::{Decision, RetryBuilder, RetryErrors, RetryIfFor, RetryLayer};

/// Retries gRPC calls of methods that are named, if the head of the response carries the code 14 UNAVAILABLE, or one of
/// those that were set; and if there is no response, after every error that [`RetryErrors`] would retry. Once a
/// response has begun, its trailers do not matter: the caller has its head.
///
/// A server may ask for a wait, or for no retry, with `grpc-retry-pushback-ms`: see
/// [`grpc_pushback`](super::grpc_pushback). If it asks for a wait, 8 RESOURCE_EXHAUSTED is retried, too. The wait is
/// the time it asks for plus the backoff's own delay; more than the policy's
/// [`max_retry_after`](crate::retry::RetryBuilder::max_retry_after) is not waited for.
///
/// How requests are repeated is up to [`GrpcReplay`]; [`RetryPolicy::grpc_layer`] has both.
///
/// # Clone
/// Costs a reference count, if any method is named.
#[derive(Clone, Debug)]
pub struct GrpcRetry {
    methods: GrpcMethods,
    /// None if they were not set.
    codes: Option<CodeSet>,
}

const CODES: CodeSet = CodeSet::of(&[Code::Unavailable]);

impl GrpcRetry {
    /// Retries calls of these methods.
    #[must_use]
    pub const fn new(methods: GrpcMethods) -> GrpcRetry {
        GrpcRetry { methods, codes: None }
    }

    /// Retries after these codes, instead of 14 UNAVAILABLE alone. `OK` is never retried.
    ///
    /// ```
    /// use seaworthy::http::grpc::{Code, GrpcMethods, GrpcRetry};
    ///
    /// let methods = GrpcMethods::builder().idempotent("/shop.Cart/Get").build()?;
    /// let retry = GrpcRetry::new(methods).codes(&[Code::Unavailable, Code::Aborted]);
    /// # let _ = retry;
    /// # Ok::<(), seaworthy::ConfigError>(())
    /// ```
    #[must_use]
    pub const fn codes(mut self, codes: &[Code]) -> GrpcRetry {
        self.codes = Some(CodeSet::of(codes));
        self
    }

    /// These methods, and what the policy's own settings add.
    pub(super) fn of(methods: GrpcMethods, rules: &GrpcRules) -> GrpcRetry {
        GrpcRetry { methods: methods.and(&rules.paths), codes: rules.codes.map(CodeSet::from_bits) }
    }

    pub(super) fn replay(&self) -> GrpcReplay {
        GrpcReplay::new(self.methods.clone())
    }
}

impl<B, T, E: StackError> RetryIfFor<Request<B>, Response<T>, E> for GrpcRetry {
    type Decider = GrpcDecider;

    fn decider(&self, request: &Request<B>) -> GrpcDecider {
        let is_named = self.methods.contains(request.uri().path());
        GrpcDecider { codes: is_named.then(|| self.codes.unwrap_or(CODES)) }
    }
}

/// Decides about the results of one call: see [`GrpcRetry`].
#[derive(Clone, Copy, Debug)]
pub struct GrpcDecider {
    /// None if its method is not named.
    codes: Option<CodeSet>,
}

impl<T, E: StackError> RetryIf<Response<T>, E> for GrpcDecider {
    fn retry_if(&self, result: &Result<Response<T>, E>) -> Decision {
        let Some(codes) = self.codes else { return Decision::Stop };
        let Ok(response) = result else { return RetryErrors.retry_if(result) };
        let code = grpc_status(response.headers()).filter(|code| *code != Code::Ok);
        let Some(code) = code else { return Decision::Stop };
        match grpc_pushback(response.headers()) {
            None => codes.contains(code).into(),
            Some(Decision::RetryAfter(_)) if !codes.contains(code) && code != Code::ResourceExhausted => Decision::Stop,
            Some(asked) => asked,
        }
    }
}

impl RetryPolicy {
    /// A layer that retries gRPC calls of these methods, and of those that the policy's own settings name: see
    /// [`GrpcRetry`] and [`GrpcReplay`]. The inner service gets requests with a
    /// [`ReplayBody`](crate::http::ReplayBody).
    ///
    /// ```
    /// use bytes::Bytes;
    /// use http::{Request, Response};
    /// use http_body_util::Full;
    /// use seaworthy::http::ReplayBody;
    /// use seaworthy::http::grpc::GrpcMethods;
    /// use seaworthy::{Backoff, BoxError, RetryPolicy};
    /// use tower::{ServiceBuilder, ServiceExt, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    /// // A stand-in for a server that is not there at first.
    /// let codes = std::sync::Arc::new(std::sync::Mutex::new(vec!["0", "14"]));
    /// let server = service_fn(move |_: Request<ReplayBody<Full<Bytes>>>| {
    ///     let code = codes.lock().ok().and_then(|mut codes| codes.pop()).unwrap_or("2");
    ///     std::future::ready(Response::builder().header("grpc-status", code).body(()).map_err(BoxError::from))
    /// });
    /// let policy = RetryPolicy::builder("cart").backoff(Backoff::constant(std::time::Duration::ZERO)).build()?;
    /// let methods = GrpcMethods::builder().idempotent("/shop.Cart/Get").build()?;
    /// let client = ServiceBuilder::new().layer(policy.grpc_layer(methods)).service(server);
    ///
    /// let request = Request::post("http://shop/shop.Cart/Get").body(Full::default())?;
    /// assert_eq!(client.oneshot(request).await?.headers()["grpc-status"], "0");
    /// # Ok(())
    /// # }
    /// ```
    pub fn grpc_layer(&self, methods: GrpcMethods) -> RetryLayer<GrpcRetry, GrpcReplay> {
        let retry = GrpcRetry::of(methods, self.grpc_rules());
        let replay = retry.replay();
        self.layer().retry_if_for(retry).replay(replay)
    }
}

impl RetryBuilder {
    /// Says in the policy itself which gRPC calls are retried; layers made by [`RetryPolicy::grpc_layer`] and
    /// [`Policy::grpc_layer`](crate::Policy::grpc_layer) obey it, and no others do. From data it is `retry.grpc`.
    ///
    /// ```
    /// use seaworthy::RetryPolicy;
    /// use seaworthy::http::grpc::{Code, GrpcMethods, GrpcRetry};
    ///
    /// let methods = GrpcMethods::builder().idempotent_service("shop.Catalogue").build()?;
    /// let grpc = GrpcRetry::new(methods).codes(&[Code::Unavailable, Code::Aborted]);
    /// let policy = RetryPolicy::builder("shop").grpc(grpc).build()?;
    /// let layer = policy.grpc_layer(GrpcMethods::new());
    /// # let _ = layer;
    /// # Ok::<(), seaworthy::ConfigError>(())
    /// ```
    pub fn grpc(mut self, retry: GrpcRetry) -> RetryBuilder {
        self.grpc = GrpcRules { codes: retry.codes.map(CodeSet::bits), paths: retry.methods.paths().to_vec() };
        self
    }
}
