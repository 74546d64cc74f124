use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use http::header::{
    CONNECTION, CONTENT_LENGTH, DATE, HeaderName, PROXY_AUTHENTICATE, SET_COOKIE, TE, TRAILER, TRANSFER_ENCODING,
    UPGRADE,
};
use seaworthy::ConfigError;
use seaworthy_store::tasks::Tasks;

use super::fingerprint::FingerprintOf;
use super::layer::{IdempotencyKeyLayer, Shared};
use super::scope::{ScopeOf, fitted, hashed};
use super::settings::Settings;
use crate::ledger::Ledger;
use crate::memory::Memory;
use crate::store::LedgerStore;

const KIND: &str = "idempotency key layer";

/// Settings of an [`IdempotencyKeyLayer`]. It can be built once it knows whose keys are whose: after
/// [`scope_by`](Self::scope_by), [`scope_by_secret`](Self::scope_by_secret) or [`one_scope`](Self::one_scope).
///
/// ```compile_fail,E0599
/// use seaworthy_ledger::Ledger;
/// use seaworthy_ledger::http::IdempotencyKeyLayer;
///
/// let ledger = Ledger::memory("orders").build().unwrap();
/// IdempotencyKeyLayer::builder(ledger).required().build();
/// ```
#[derive(Clone)]
#[must_use = "a builder does nothing until it is built"]
pub struct IdempotencyKeyBuilder<S = Memory, Scope = Unscoped> {
    ledger: Ledger<S>,
    scope: Scope,
    settings: Settings,
    /// None if it was not set.
    max_response: Option<usize>,
    docs: Option<String>,
}

/// Says of an [`IdempotencyKeyBuilder`] that it does not know yet whose keys are whose.
#[derive(Clone, Debug)]
pub struct Unscoped(());

/// Says of an [`IdempotencyKeyBuilder`] that it knows whose keys are whose.
#[derive(Clone)]
pub struct Scoped(ScopeOf);

impl<S: LedgerStore> IdempotencyKeyBuilder<S> {
    pub(super) fn new(ledger: Ledger<S>) -> IdempotencyKeyBuilder<S> {
        let settings = Settings::default();
        IdempotencyKeyBuilder { ledger, scope: Unscoped(()), settings, max_response: None, docs: None }
    }
}

impl<S: LedgerStore, Scope> IdempotencyKeyBuilder<S, Scope> {
    /// Keeps the keys of each tenant or user apart: two requests have the same key only if the closure gives them the
    /// same scope, too. None, or an empty text, is answered 400. The closure sees what layers further out have left in
    /// the request's extensions.
    ///
    /// The scope is stored as it is, and seen by whoever reads the ledger; one that is longer than 100 bytes, has
    /// control characters or begins with `sha256:` is stored as its hash. For a token there is
    /// [`scope_by_secret`](Self::scope_by_secret).
    pub fn scope_by<T: AsRef<str>>(
        self,
        scope: impl Fn(&http::request::Parts) -> Option<T> + Send + Sync + 'static,
    ) -> IdempotencyKeyBuilder<S, Scoped> {
        self.scoped(ScopeOf::told(scope, fitted))
    }

    /// The same for what must not be stored, such as a token: only its hash (SHA-256) is. A client whose token is
    /// renewed between two tries has another scope then, so who the token belongs to is the better scope.
    pub fn scope_by_secret<T: AsRef<str>>(
        self,
        scope: impl Fn(&http::request::Parts) -> Option<T> + Send + Sync + 'static,
    ) -> IdempotencyKeyBuilder<S, Scoped> {
        self.scoped(ScopeOf::told(scope, hashed))
    }

    /// All clients share one set of keys, with the scope `http`: for a service with one tenant. A client that guesses
    /// another's key, and repeats its request, is given the answer to it.
    pub fn one_scope(self) -> IdempotencyKeyBuilder<S, Scoped> {
        self.scoped(ScopeOf::One)
    }

    fn scoped(self, scope: ScopeOf) -> IdempotencyKeyBuilder<S, Scoped> {
        let IdempotencyKeyBuilder { ledger, scope: _, settings, max_response, docs } = self;
        IdempotencyKeyBuilder { ledger, scope: Scoped(scope), settings, max_response, docs }
    }

    /// Answers 400 to a guarded request without the header. Without this it passes untouched.
    pub fn required(mut self) -> Self {
        self.settings.is_required = true;
        self
    }

    /// Refuses a key without quotes, which is no string of a structured field, although many clients send one.
    pub fn strict(mut self) -> Self {
        self.settings.is_strict = true;
        self
    }

    /// The methods that are guarded. Default POST and PATCH.
    pub fn methods(mut self, methods: impl IntoIterator<Item = Method>) -> Self {
        self.settings.methods = methods.into_iter().collect();
        self
    }

    /// The header that has the key. Default `Idempotency-Key`.
    pub fn header(mut self, name: HeaderName) -> Self {
        self.settings.header = name;
        self
    }

    /// The largest body of a guarded request with a key, in bytes: it is read into memory before the handler is called.
    /// Default 1 MiB. A larger one is answered 413.
    pub fn max_request(mut self, bytes: usize) -> Self {
        self.settings.max_request = bytes;
        self
    }

    /// The largest body of a response that is kept, in bytes. Default 1 MiB, or the ledger's
    /// [`max_result`](crate::LedgerBuilder::max_result) if that is less, as it is by its own default of 64 KiB; at most
    /// that. A larger one goes to its client as it comes, and whoever repeats the request is told that it was done.
    pub fn max_response(mut self, bytes: usize) -> Self {
        self.max_response = Some(bytes);
        self
    }

    /// Which responses are kept, in place of 2xx, 3xx, and 4xx but 401, 403, 408, 409, 421, 425 and 429. With any other
    /// the key is free again, and the next request with it calls the handler: so a 5xx of a handler that has had an
    /// effect should be kept. The closure runs in the task of the request, and sees the response without its body.
    pub fn keep_if(mut self, keeps: impl Fn(&http::response::Parts) -> bool + Send + Sync + 'static) -> Self {
        self.settings.keep_if = Arc::new(keeps);
        self
    }

    /// Keeps this header of a response, too, beside `Content-Type`, `-Encoding`, `-Language`, `-Disposition` and
    /// `-Location`, `Location`, `ETag` and `Link`.
    pub fn keep_header(mut self, name: HeaderName) -> Self {
        if !self.settings.kept_headers.contains(&name) {
            self.settings.kept_headers.push(name);
        }
        self
    }

    /// What a key stands for: two requests with the same key whose fingerprints differ are two different requests, and
    /// the second is answered 422. In place of method, path with query, `Content-Type`, and body. Only its hash
    /// (SHA-256) is stored.
    pub fn fingerprint<T: AsRef<[u8]>>(
        mut self,
        fingerprint: impl Fn(&http::request::Parts, &Bytes) -> T + Send + Sync + 'static,
    ) -> Self {
        let by = move |head: &_, body: &_| hmac_sha256::Hash::hash(fingerprint(head, body).as_ref());
        self.settings.fingerprint = FingerprintOf::Body(Arc::new(by));
        self
    }

    /// The same without the body, which is then not read, has no limit, and goes to the handler as it comes.
    pub fn fingerprint_of_head<T: AsRef<[u8]>>(
        mut self,
        fingerprint: impl Fn(&http::request::Parts) -> T + Send + Sync + 'static,
    ) -> Self {
        let by = move |head: &_| hmac_sha256::Hash::hash(fingerprint(head).as_ref());
        self.settings.fingerprint = FingerprintOf::Head(Arc::new(by));
        self
    }

    /// Where clients can read about the header: the `type` of the problems. Default `about:blank`.
    pub fn docs(mut self, url: impl Into<String>) -> Self {
        self.docs = Some(url.into());
        self
    }

    /// Drops the handler when its client hangs up, as without the layer. The key is then free again, and what the
    /// handler did until then is done twice. By default it runs to its end in a task of its own.
    pub fn stop_with_client(mut self) -> Self {
        self.settings.runs_to_end = false;
        self
    }

    /// How long an answer is known, and a request that failed for that matter. Default 24 h; longer than the ledger's
    /// lease, at most 10 years.
    pub fn keep(mut self, span: Duration) -> Self {
        self.settings.keep = span;
        self
    }
}

impl<S: LedgerStore> IdempotencyKeyBuilder<S, Scoped> {
    /// The layer.
    ///
    /// # Errors
    /// If a setting cannot be used; the error says which, its value, and the rule.
    pub fn build(self) -> Result<IdempotencyKeyLayer<S>, ConfigError> {
        let IdempotencyKeyBuilder { ledger, scope: Scoped(scope), mut settings, max_response, docs } = self;
        let name = ledger.name().clone();
        let of_ledger = &ledger.0.settings;
        let checked = || {
            if settings.methods.is_empty() {
                return Err(ConfigError::new(KIND, "methods", &settings.methods, "must not be empty"));
            }
            if let Some(bytes) = max_response {
                if bytes > of_ledger.max_result {
                    return Err(ConfigError::new(
                        KIND,
                        "max_response",
                        bytes,
                        "must be at most the ledger's max_result",
                    ));
                }
                if bytes == 0 {
                    return Err(ConfigError::new(KIND, "max_response", bytes, "must be at least 1 byte"));
                }
            }
            if let Some(header) = settings.kept_headers.iter().find(|name| NEVER_KEPT.contains(name)) {
                let rule = "must not be of one connection or one moment";
                return Err(ConfigError::new(KIND, "keep_header", header, rule));
            }
            if let Some(url) = docs.as_deref().filter(|url| !is_url(url)) {
                return Err(ConfigError::new(KIND, "docs", url, "must be a URL in visible ASCII"));
            }
            if of_ledger.check_keep(of_ledger.lease, Some(settings.keep)).is_err() {
                let rule = "must be longer than the ledger's lease and at most 10 years";
                return Err(ConfigError::new(KIND, "keep", settings.keep, rule));
            }
            Ok(())
        };
        checked().map_err(|error| error.with_name(name))?;
        settings.max_response = max_response.unwrap_or(settings.max_response.min(of_ledger.max_result));
        if let Some(url) = docs {
            settings.kind = serde_json::Value::String(url).to_string().into();
        }
        Ok(IdempotencyKeyLayer(Arc::new(Shared { ledger, scope, settings, tasks: Tasks::default() })))
    }
}

/// Of one connection, of one moment, of one client; or made anew by the server.
static NEVER_KEPT: [HeaderName; 11] = [
    CONNECTION,
    CONTENT_LENGTH,
    DATE,
    PROXY_AUTHENTICATE,
    SET_COOKIE,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("idempotency-replayed"),
];

fn is_url(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

impl<S, Scope> fmt::Debug for IdempotencyKeyBuilder<S, Scope> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdempotencyKeyBuilder").field("ledger", &self.ledger).finish_non_exhaustive()
    }
}

impl fmt::Debug for Scoped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scoped")
    }
}
