use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, Method, Request};
use http_body::Body;

use super::replay_body::{KeptBody, ReplayBody};
use super::replay_store::FRAME_COST;
use crate::error::BoxError;
use crate::retry::Replay;

/// Allows a retry for HTTP requests with an idempotent method (GET, HEAD, OPTIONS, TRACE, PUT, DELETE), with a method
/// that was listed, or with an `Idempotency-Key`, and sends all others once.
///
/// A body is not read ahead: a copy is kept while the first attempt sends it, up to a cap of 64 KiB unless set
/// otherwise. If an attempt ends halfway, the next one gets what was kept, and then the rest. A request whose body is
/// larger, or whose body failed, is not repeated; the attempt under way goes on undisturbed.
///
/// Headers, extensions and the method are cloned. A body known to be empty, or one of a request that is sent only once,
/// costs nothing; any other costs one allocation and a list of its frames. Frames without data are passed on and not
/// kept.
///
/// # Clone
/// Costs a reference count if something was set; otherwise nothing.
#[derive(Clone, Debug)]
pub struct HttpReplay {
    /// None if nothing was set, because every call holds a copy.
    settings: Option<Arc<ReplaySettings>>,
}

#[derive(Clone, Debug)]
struct ReplaySettings {
    max_body: u64,
    /// In addition to the idempotent ones.
    methods: Vec<Method>,
}

/// The cap of a body that is kept, unless another is set.
pub(super) const DEFAULT_MAX_BODY: u64 = 64 * 1024;

static DEFAULT: ReplaySettings = ReplaySettings { max_body: DEFAULT_MAX_BODY, methods: Vec::new() };

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

impl HttpReplay {
    /// Repeats requests with idempotent methods, and keeps up to 64 KiB of a body.
    #[must_use]
    pub const fn new() -> HttpReplay {
        HttpReplay { settings: None }
    }

    /// Keeps up to this many bytes of a body, trailers included. Each frame counts for 64 bytes on top of its data, and
    /// so does each field of the trailers, because that is what keeping it costs. At zero, only requests without a body
    /// are repeated.
    #[must_use]
    pub fn max_body(self, bytes: u64) -> HttpReplay {
        self.set(|settings| settings.max_body = bytes)
    }

    /// Also repeats requests with this method. Only for backends where two such requests have the same effect as one.
    ///
    /// ```
    /// use http::Method;
    /// use seaworthy::RetryPolicy;
    /// use seaworthy::http::HttpReplay;
    ///
    /// let policy = RetryPolicy::builder("search").build()?;
    /// // Its queries are sent as POST, and change nothing.
    /// let layer = policy.http_layer().replay(HttpReplay::new().also(Method::POST));
    /// # let _ = layer;
    /// # Ok::<(), seaworthy::ConfigError>(())
    /// ```
    #[must_use]
    pub fn also(self, method: Method) -> HttpReplay {
        self.set(|settings| settings.methods.push(method))
    }

    fn set(self, change: impl FnOnce(&mut ReplaySettings)) -> HttpReplay {
        let mut settings = self.settings.unwrap_or_else(|| Arc::new(DEFAULT.clone()));
        change(Arc::make_mut(&mut settings));
        HttpReplay { settings: Some(settings) }
    }

    fn settings(&self) -> &ReplaySettings {
        self.settings.as_deref().unwrap_or(&DEFAULT)
    }
}

impl Default for HttpReplay {
    fn default() -> HttpReplay {
        HttpReplay::new()
    }
}

/// The part of a request that is kept to send it again.
#[derive(Debug)]
pub struct KeptRequest<B> {
    head: Parts,
    /// None if it was empty.
    body: Option<KeptBody<B>>,
}

impl<B> KeptRequest<B> {
    /// What is sent first, and what is kept to send it again, if that may be done.
    pub(super) fn of(
        request: Request<B>,
        max_body: u64,
        may_be_repeated: impl FnOnce(&Parts) -> bool,
    ) -> (Request<ReplayBody<B>>, Option<KeptRequest<B>>)
    where
        B: Body,
    {
        let (head, body) = request.into_parts();
        let least_cost = |bytes: u64| if bytes == 0 { 0 } else { bytes.saturating_add(FRAME_COST) };
        if !may_be_repeated(&head) || least_cost(body.size_hint().lower()) > max_body {
            return (Request::from_parts(head, ReplayBody::once(body)), None);
        }
        let (body, kept) = if body.is_end_stream() {
            (ReplayBody::empty(), None)
        } else {
            let (body, kept) = ReplayBody::keep(body, max_body);
            (body, Some(kept))
        };
        let kept = KeptRequest { head: head.clone(), body: kept };
        (Request::from_parts(head, body), Some(kept))
    }

    pub(super) fn again(&self) -> Option<Request<ReplayBody<B>>> {
        let body = match &self.body {
            Some(body) => body.again()?,
            None => ReplayBody::empty(),
        };
        Some(Request::from_parts(self.head.clone(), body))
    }

    pub(super) fn is_whole(&self) -> bool {
        self.body.as_ref().is_none_or(KeptBody::is_whole)
    }

    /// Whether all of its body was sent or none, so that another attempt does not go on in the middle of a stream.
    #[cfg(feature = "grpc")]
    pub(super) fn is_complete(&self) -> bool {
        self.body.as_ref().is_none_or(KeptBody::is_complete)
    }
}

impl<B> Replay<Request<B>> for HttpReplay
where
    B: Body + Unpin,
    B::Error: Into<BoxError>,
{
    type Sent = Request<ReplayBody<B>>;
    type Kept = KeptRequest<B>;

    fn keep(&self, request: Request<B>) -> (Self::Sent, Option<KeptRequest<B>>) {
        let ReplaySettings { max_body, methods } = self.settings();
        KeptRequest::of(request, *max_body, |head| may_be_repeated(head, methods))
    }

    fn again(&self, kept: &KeptRequest<B>) -> Option<Self::Sent> {
        kept.again()
    }

    fn is_possible(&self, kept: &KeptRequest<B>) -> bool {
        kept.is_whole()
    }

    fn once(&self, request: Request<B>) -> Self::Sent {
        request.map(ReplayBody::once)
    }
}

fn may_be_repeated(head: &Parts, methods: &[Method]) -> bool {
    head.method.is_idempotent()
        || methods.contains(&head.method)
        || head.headers.get(IDEMPOTENCY_KEY).is_some_and(|key| !key.is_empty())
}

/// A frame's data in the form that is kept: shared with the frame that was sent, if the body's data is [`Bytes`].
pub(super) fn to_bytes(mut data: impl bytes::Buf) -> Bytes {
    data.copy_to_bytes(data.remaining())
}
