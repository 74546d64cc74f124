/// Makes the copies of a request that are sent again.
///
/// Requests that are `Clone` are cloned by default. Any closure that takes `&Request` and gives an `Option<Request>`
/// will do, too; a request of which there is no copy is sent once, and its result is the caller's.
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
    label = "asked for by a retry",
    note = "make the request `Clone`, or say how it is copied: `.replay(|request: &{Request}| Some(..))`, or `None` to send it once",
    note = "over HTTP it is `http_layer()`, which keeps bodies; in a policy that never retries, `.layer().without_retry()`"
)]
pub trait Replay<Request> {
    /// What the inner service is called with.
    type Sent;

    /// What is kept while an attempt is under way, to make the next one of.
    type Kept;

    /// Prepares the first attempt, and keeps what another would need; `None` if there can be no other.
    fn keep(&self, request: Request) -> (Self::Sent, Option<Self::Kept>);

    /// Prepares another attempt, if that is still possible. It will take place.
    fn again(&self, kept: &Self::Kept) -> Option<Self::Sent>;

    /// Whether [`again`](Self::again) would give something, as far as that can be told without side effects. Asked
    /// before a token is spent on another attempt, which may yet be refused.
    fn is_possible(&self, kept: &Self::Kept) -> bool {
        let _ = kept;
        true
    }

    /// Prepares an attempt that is the only one, whatever comes of it.
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
