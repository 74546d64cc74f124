use std::time::Duration;

use crate::machine::retry::attempts::DEFAULT_CAP;
use crate::machine::retry::backoff::{Backoff, Jitter};
use crate::name::Name;
use crate::policy::PolicyBuilder;
use crate::policy::handle::Policy;
use crate::retry::budget::RetryBudget;

const ATTEMPT: Duration = Duration::from_secs(10);
const TOTAL: Duration = Duration::from_secs(30);
const BODY_IDLE: Duration = Duration::from_secs(30);
const WINDOW: Duration = Duration::from_secs(10);
const FIRST_WAIT: Duration = Duration::from_millis(500);

impl Policy {
    /// Sound settings for an HTTP client, each of which can be changed afterwards. For use with [`Policy::http_layer`],
    /// which judges calls by their status and repeats what may be repeated in HTTP.
    ///
    /// | setting | value | changed by |
    /// |---|---|---|
    /// | the whole call, up to the response head | 30 s | [`total_timeout`](PolicyBuilder::total_timeout) |
    /// | attempts | 3 | [`retry`](PolicyBuilder::retry)`(\|retry\| retry.attempts(..))` |
    /// | the wait between them | up to 500 ms, then up to 1 s, with full jitter | `retry.backoff(..)` |
    /// | the retry budget | 20 % of the requests, and 10 in reserve | `retry.budget(..)` |
    /// | the circuit opens | at half failed of at least 20 in 10 s | `failure_rate`, `minimum_calls`, `time_window` |
    /// | it rejects | for 30 s, then one probe decides | `open_for` |
    /// | an attempt | 10 s | [`timeout`](PolicyBuilder::timeout) |
    /// | the next frame of a body | 30 s | [`body_idle_timeout`](PolicyBuilder::body_idle_timeout) |
    /// | a whole body | no limit | [`body_timeout`](PolicyBuilder::body_timeout) |
    /// | calls at a time | no limit | [`bulkhead`](PolicyBuilder::bulkhead) |
    ///
    /// What opens the circuit and for how long is set in [`circuit_breaker`](PolicyBuilder::circuit_breaker).
    ///
    /// ```
    /// use bytes::Bytes;
    /// use http::{Request, Response};
    /// use http_body_util::{BodyExt, Empty, Full};
    /// use seaworthy::http::ReplayBody;
    /// use seaworthy::{BoxError, Policy};
    /// use std::time::Duration;
    /// use tower::{ServiceBuilder, ServiceExt, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), BoxError> {
    /// let policy = Policy::standard_http_client("orders")
    ///     .timeout(Duration::from_secs(5))
    ///     .retry(|retry| retry.attempts(2))
    ///     .build()?;
    /// // A stand-in for an HTTP client.
    /// let backend = service_fn(async |_: Request<ReplayBody<Empty<Bytes>>>| {
    ///     Ok::<_, BoxError>(Response::new(Full::new(Bytes::from("seven"))))
    /// });
    /// let client = ServiceBuilder::new().layer(policy.http_layer()).service(backend);
    ///
    /// let response = client.oneshot(Request::get("http://orders/7").body(Empty::new())?).await?;
    /// assert_eq!(response.into_body().collect().await?.to_bytes(), "seven");
    /// # Ok(())
    /// # }
    /// ```
    pub fn standard_http_client(name: impl Into<Name>) -> PolicyBuilder {
        Policy::builder(name)
            .total_timeout(TOTAL)
            .retry(|retry| {
                let backoff = Backoff::exponential(FIRST_WAIT, DEFAULT_CAP).jitter(Jitter::Full);
                retry.attempts(3).backoff(backoff).own_budget(RetryBudget::builder().ratio(0.2))
            })
            .circuit_breaker(|circuit_breaker| circuit_breaker.failure_rate(0.5).time_window(WINDOW).minimum_calls(20))
            .timeout(ATTEMPT)
            .body_idle_timeout(BODY_IDLE)
    }
}
