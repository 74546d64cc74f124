use http::{Response, StatusCode};

use super::replay::HttpReplay;
use super::retry_after::retry_after;
use crate::error::StackError;
use crate::retry::{ByResult, Decision, RetryErrors, RetryIf, RetryLayer, RetryPolicy};

/// Retries a response by its status: 429, 502, 503 and 504 are tried again, and so is every error that [`RetryErrors`]
/// would. Everything else is the caller's, and so is the last response, with its body as it is. The body of a response
/// that is tried again is dropped unread, before the wait.
///
/// Where such a response has a `Retry-After`, the wait is what it asks for and the backoff's own jittered delay on top, so
/// that clients who were told the same do not come back in the same instant. One that asks for more than the policy's
/// [`max_retry_after`](crate::retry::RetryBuilder::max_retry_after) is the caller's at once. A date is held against
/// the response's own `Date` if it has one; a past date, and a value that nobody can read, ask for nothing: see
/// [`retry_after`].
///
/// It looks at results only. Which requests may be repeated at all is for [`HttpReplay`] to say:
/// [`RetryPolicy::http_layer`] has both.
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
    /// A layer that retries HTTP requests which may be repeated, after responses and errors that may pass: see
    /// [`HttpReplay`] and [`HttpRetry`]. The inner service gets requests with a
    /// [`ReplayBody`](super::ReplayBody).
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
    /// // In place of it: an HTTP client.
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
