mod get;

use std::future::poll_fn;
use std::marker::PhantomData;

use get::Question;
pub use get::{HttpGet, Scheme};
#[cfg(feature = "serde")]
pub(super) use get::{check_header, check_method, check_path};
use http::{HeaderMap, Request, Response, StatusCode, header};
use hyper::client::conn::http1;
use tower_service::Service;

use super::address::{Address, Host};
use super::body::{FairStream, read_out};
use super::kind::PROBE;
use super::probe::Probe;
use super::under_way::LeftRunning;
use crate::error::{BoxError, ConfigError};
use crate::rt::sync::Mutex;

/// Sends a request and expects a certain status.
///
/// The ready-made client ([`HttpProbe::new`]) speaks plain HTTP/1.1 over a new connection for each probe, follows no
/// redirects, and judges by the head of the response. It then reads the body, up to 64 KiB and for up to a second,
/// before it closes the connection, so that a server that is writing one does not see a broken pipe; until then it
/// counts among the [probes that are under way](super::ProberBuilder::max_concurrent).
pub struct HttpProbe<C = OwnConnections> {
    client: C,
    question: Question,
}

/// The ready-made client of an [`HttpProbe`].
#[derive(Clone, Debug)]
pub struct OwnConnections {
    address: Address,
    headers: HeaderMap,
}

/// A client of your own in an [`HttpProbe`].
pub struct GivenClient<S, B> {
    service: Mutex<S>,
    body: PhantomData<fn() -> B>,
}

impl HttpProbe {
    /// A probe with the ready-made client.
    ///
    /// # Errors
    /// The first setting that breaks a rule, and the rule; [`Scheme::Https`] needs
    /// [`with_client`](HttpProbe::with_client).
    pub fn new(get: HttpGet) -> Result<HttpProbe, ConfigError> {
        let (host, question) = get.check()?;
        let direct = get.scheme == Scheme::Http;
        PROBE.require(direct, "scheme", get.scheme, "must be `http` for the ready-made client")?;
        let not_a_host = |_| PROBE.refuse("host", &get.host, "must be a name or an address");
        let mut headers = HeaderMap::new();
        // First, where servers prefer it.
        headers.insert(header::HOST, host.authority(get.port).try_into().map_err(not_a_host)?);
        for name in question.headers.keys() {
            headers.remove(name);
            for value in question.headers.get_all(name) {
                headers.append(name, value.clone());
            }
        }
        headers.insert(header::CONNECTION, header::HeaderValue::from_static("close"));
        let client = OwnConnections { address: Address::new(host, get.port), headers };
        Ok(HttpProbe { client, question })
    }
}

// The bound lets the compiler infer `B`.
impl<S: Service<Request<B>>, B> HttpProbe<GivenClient<S, B>> {
    /// A probe with a client of your own, which is cloned for each probe. If it follows redirects, the final status is
    /// the one that counts. The URI of the request is absolute; the body is `B::default()`.
    ///
    /// # Errors
    /// The first setting that breaks a rule, and the rule.
    pub fn with_client(get: HttpGet, client: S) -> Result<HttpProbe<GivenClient<S, B>>, ConfigError> {
        let (host, question) = get.check()?;
        if let Host::Zoned(..) = host {
            return Err(PROBE.refuse(
                "host",
                &get.host,
                "must not have a zone, which only the ready-made client can use",
            ));
        }
        let client = GivenClient { service: Mutex::new(client), body: PhantomData };
        Ok(HttpProbe { client, question })
    }
}

impl<C> HttpProbe<C> {
    fn judge(&self, status: StatusCode) -> Result<(), BoxError> {
        let (status, good) = (status.as_u16(), &self.question.statuses);
        if good.iter().any(|range| range.contains(&status)) {
            return Ok(());
        }
        let told = good.iter().map(|range| match (range.start(), range.end()) {
            (first, last) if first == last => first.to_string(),
            (first, last) => format!("{first}-{last}"),
        });
        Err(format!("status {status}, expected {}", told.collect::<Vec<_>>().join(" or ")).into())
    }
}

impl Probe for HttpProbe {
    async fn probe(&self) -> Result<(), BoxError> {
        let OwnConnections { address, headers } = &self.client;
        let stream = address.connect().await?;
        let (mut sender, connection) = http1::Builder::new().handshake(FairStream::new(stream)).await?;
        let Question { uri, method, .. } = &self.question;
        let mut request = Request::new(String::new());
        *request.method_mut() = method.clone();
        *request.uri_mut() = uri.path_and_query().cloned().map(Into::into).unwrap_or_default();
        *request.headers_mut() = headers.clone();
        // Both are in this future, so that neither outlives it before there is a verdict.
        let response = sender.send_request(request);
        tokio::pin!(response);
        let mut connection = Box::pin(connection);
        let mut connected = true;
        let response = loop {
            tokio::select! {
                biased;
                response = &mut response => break response?,
                // If the server hangs up, the connection ends before the response is taken; the other branch says how.
                _ = &mut connection, if connected => connected = false,
            }
        };
        let verdict = self.judge(response.status());
        if connected {
            tokio::spawn(read_out(connection, response.into_body(), LeftRunning::of_this_probe()));
        }
        verdict
    }
}

impl<S, B, R> Probe for HttpProbe<GivenClient<S, B>>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError> + Send,
    B: Default + Send + 'static,
    R: Send,
{
    async fn probe(&self) -> Result<(), BoxError> {
        let mut client = self.client.service.lock().clone();
        poll_fn(|cx| client.poll_ready(cx)).await.map_err(Into::into)?;
        let mut request = Request::new(B::default());
        *request.method_mut() = self.question.method.clone();
        *request.uri_mut() = self.question.uri.clone();
        *request.headers_mut() = self.question.headers.clone();
        let response = client.call(request).await.map_err(Into::into)?;
        self.judge(response.status())
    }
}

impl<C> std::fmt::Debug for HttpProbe<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpProbe")
            .field("uri", &self.question.uri)
            .field("statuses", &self.question.statuses)
            .finish_non_exhaustive()
    }
}
