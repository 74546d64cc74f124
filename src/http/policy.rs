use super::{HttpClassifier, HttpReplay, HttpRetry};
use crate::Policy;
use crate::policy::{Again, Class, PolicyLayer};
use crate::retry::ByResult;

impl Policy {
    /// A layer that puts this policy around an HTTP service: the circuit learns from statuses, as [`HttpClassifier`]
    /// says, and if the policy retries, it retries requests which may be repeated, after responses and errors that may
    /// pass; see [`HttpReplay`] and [`HttpRetry`]. The inner service gets requests with a
    /// [`ReplayBody`](super::ReplayBody).
    ///
    /// ```
    /// use bytes::Bytes;
    /// use http::{Request, Response, StatusCode};
    /// use http_body_util::Empty;
    /// use seaworthy::http::ReplayBody;
    /// use seaworthy::{BoxError, Policy, State};
    /// use tower::{ServiceBuilder, ServiceExt, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), BoxError> {
    /// let policy = Policy::builder("backend").circuit(|circuit| circuit.consecutive_failures(1)).build()?;
    /// // In place of it: an HTTP client.
    /// let broken = service_fn(async |_: Request<ReplayBody<Empty<Bytes>>>| {
    ///     let mut response = Response::new(());
    ///     *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    ///     Ok::<_, BoxError>(response)
    /// });
    /// let client = ServiceBuilder::new().layer(policy.http_layer()).service(broken);
    ///
    /// let request = Request::get("http://backend/orders").body(Empty::new())?;
    /// assert_eq!(client.oneshot(request).await?.status(), StatusCode::INTERNAL_SERVER_ERROR);
    /// assert_eq!(policy.circuit().map(|circuit| circuit.state()), Some(State::Open));
    /// # Ok(())
    /// # }
    /// ```
    pub fn http_layer(&self) -> PolicyLayer<HttpClassifier, Class, Again<ByResult<HttpRetry>, HttpReplay>> {
        self.layer().classify(HttpClassifier).retry_if(HttpRetry).replay(HttpReplay::new())
    }
}
