use http::{Response, StatusCode};

use super::replay::HttpReplay;
use super::retry_after::retry_after;
use crate::error::StackError;
use crate::retry::decide::RetryIf;
use crate::retry::policy::RetryPolicy;
use crate::retry::{ByResult, Decision, RetryErrors, RetryLayer};

/// Retries a response by its status: 429, 502, 503 and 504 are retried, and so is every error that [`RetryErrors`]
/// would retry. Any other result goes to the caller, and so does the last response, with its body untouched. The body
/// of a response that is retried is dropped unread, before the wait.
///
/// If such a response has a `Retry-After`, the wait is the time it asks for plus the backoff's own jittered delay, so
/// that clients that were given the same time do not come back at the same instant. A response that asks for more than
/// the policy's [`max_retry_after`](crate::retry::RetryBuilder::max_retry_after) goes to the caller at once. A date is
/// compared with the response's own `Date` if it has one; a past date or an unreadable value asks for nothing: see
/// [`retry_after`].
///
/// It looks only at results. Which requests may be repeated at all is up to [`HttpReplay`]; [`RetryPolicy::http_layer`]
/// has both.
#[derive(Clone, Copy, Debug, Default)]
pub struct HttpRetry;

impl<B, E: StackError> RetryIf<Response<B>, E> for HttpRetry {
    fn retry_if(&self, result: &Result<Response<B>, E>) -> Decision {
        let Ok(response) = result else {
            return RetryErrors.retry_if(result);
        };
        match response.status() {
            StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => {
                retry_after(response.headers()).map_or(Decision::Retry, Decision::RetryAfter)
            }
            _ => Decision::Stop,
        }
    }
}

impl RetryPolicy {
    /// A layer that retries HTTP requests that may be repeated, after responses and errors that may be transient: see
    /// [`HttpReplay`] and [`HttpRetry`]. The inner service gets requests with a [`ReplayBody`](super::ReplayBody).
    ///
    /// ```
    /// use bytes::Bytes;
    /// use http_body_util::{BodyExt, Full};
    /// use http::{Request, Response};
    /// use seaworthy::http::ReplayBody;
    /// use seaworthy::{BoxError, RetryPolicy};
    /// use tower::{ServiceBuilder, ServiceExt, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    /// // A stand-in for an HTTP client.
    /// let echo = service_fn(async |request: Request<ReplayBody<Full<Bytes>>>| {
    ///     Ok::<_, BoxError>(Response::new(request.into_body().collect().await?.to_bytes()))
    /// });
    /// let policy = RetryPolicy::builder("backend").build()?;
    /// let client = ServiceBuilder::new().layer(policy.http_layer()).service(echo);
    ///
    /// let request = Request::put("http://backend/orders/7").body(Full::from("two boxes"))?;
    /// assert_eq!(client.oneshot(request).await?.into_body(), "two boxes");
    /// # Ok(())
    /// # }
    /// ```
    pub fn http_layer(&self) -> RetryLayer<ByResult<HttpRetry>, HttpReplay> {
        self.layer().retry_if(HttpRetry).replay(HttpReplay::new())
    }
}
