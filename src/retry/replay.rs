/// Makes the copies of a request that retries send.
///
/// By default, requests that are `Clone` are cloned. Any closure that takes `&Request` and returns an `Option<Request>`
/// will do as well; a request that cannot be copied is sent once, and the caller gets its result.
///
/// ```
/// use seaworthy::RetryPolicy;
///
/// struct Query { text: String, idempotent: bool }
///
/// let policy = RetryPolicy::builder("queries").build()?;
/// let layer = policy.layer().replay(|query: &Query| {
///     query.idempotent.then(|| Query { text: query.text.clone(), idempotent: true })
/// });
/// # let _ = layer;
/// # Ok::<(), seaworthy::ConfigError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot copy requests of type `{Request}`",
    label = "required by a retry",
    note = "make the request `Clone`, or say how to copy it: `.replay(|request: &{Request}| Some(..))`, or `None` to send it once",
    note = "over HTTP it is `http_layer()`, which keeps bodies; in a policy that never retries, `.layer().without_retry()`"
)]
pub trait Replay<Request> {
    /// What the inner service is called with.
    type Sent;

    /// What is kept during an attempt, to make the next one from.
    type Kept;

    /// Prepares the first attempt, and keeps what another would need; `None` if there can be no other.
    fn keep(&self, request: Request) -> (Self::Sent, Option<Self::Kept>);

    /// Prepares another attempt, if that is still possible. If it returns one, the attempt takes place.
    fn again(&self, kept: &Self::Kept) -> Option<Self::Sent>;

    /// Whether [`again`](Self::again) would return something, as far as that is known without side effects. Called
    /// before a token is spent on another attempt, which may still be refused.
    fn is_possible(&self, kept: &Self::Kept) -> bool {
        let _ = kept;
        true
    }

    /// Prepares an attempt that will be the only one, whatever its result.
    fn once(&self, request: Request) -> Self::Sent {
        self.keep(request).0
    }
}

#[diagnostic::do_not_recommend]
impl<F, Request> Replay<Request> for F
where
    F: Fn(&Request) -> Option<Request>,
{
    type Sent = Request;
    type Kept = Request;

    fn keep(&self, request: Request) -> (Request, Option<Request>) {
        let kept = self(&request);
        (request, kept)
    }

    fn again(&self, kept: &Request) -> Option<Request> {
        self(kept)
    }

    fn once(&self, request: Request) -> Request {
        request
    }
}

/// Clones each request. The default.
#[derive(Clone, Copy, Debug, Default)]
pub struct CloneReplay;

#[diagnostic::do_not_recommend]
impl<Request: Clone> Replay<Request> for CloneReplay {
    type Sent = Request;
    type Kept = Request;

    #[inline]
    fn keep(&self, request: Request) -> (Request, Option<Request>) {
        (request.clone(), Some(request))
    }

    fn again(&self, kept: &Request) -> Option<Request> {
        Some(kept.clone())
    }

    fn once(&self, request: Request) -> Request {
        request
    }
}
