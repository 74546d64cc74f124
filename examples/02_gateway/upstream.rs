//! Forwards requests to the upstream, and its responses back.

use std::error::Error as StdError;
use std::iter::successors;

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::header::{self, HeaderMap, HeaderName};
use axum::http::uri::{Authority, PathAndQuery, Scheme, Uri};
use axum::http::{Method, Version};
use axum::response::Response;
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use seaworthy::BoxError;

use crate::upload::CallerBrokeOff;

/// A response of at most this many bytes is read in full before it is passed on.
const SMALL: u64 = 64 * 1024;

/// Headers about a connection rather than a message (RFC 9110, 7.6.1). `Connection` can name more.
static HOP_BY_HOP: [HeaderName; 9] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// A server that speaks HTTP/1. Clones share its connections.
#[derive(Clone)]
pub(crate) struct Upstream {
    client: Client<HttpConnector, Body>,
    authority: Authority,
}

/// Why there is no response.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpstreamError {
    /// The upstream is not to blame.
    #[error("the request cannot be passed on")]
    Caller(#[source] BoxError),
    #[error("the upstream failed")]
    Upstream(#[source] BoxError),
}

impl Upstream {
    pub(crate) fn new(authority: Authority) -> Upstream {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Upstream { client: Client::builder(TokioExecutor::new()).build(connector), authority }
    }

    pub(crate) async fn pass_on(self, request: Request) -> Result<Response, UpstreamError> {
        let response = self.client.request(self.translate(request)?).await.map_err(blame)?;
        let (mut head, body) = response.into_parts();
        drop_hop_by_hop(&mut head.headers);
        head.version = Version::HTTP_11;
        // A long body is streamed, and if it breaks off, the caller sees it break off: the call was settled at the
        // head. A short one is read in full, so that it either arrives or is a failure, to the circuit breaker as well.
        let body = match body.size_hint().exact() {
            Some(length) if length <= SMALL => match body.collect().await {
                Ok(body) => Body::from(body.to_bytes()),
                Err(error) => return Err(UpstreamError::Upstream(error.into())),
            },
            _ => Body::new(body),
        };
        Ok(Response::from_parts(head, body))
    }

    /// The same request, as the gateway sends it to the upstream.
    fn translate(&self, request: Request) -> Result<Request, UpstreamError> {
        let (mut head, body) = request.into_parts();
        if head.method == Method::CONNECT {
            return Err(UpstreamError::Caller("this is no proxy for CONNECT".into()));
        }
        let path = head.uri.path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
        head.uri = Uri::builder()
            .scheme(Scheme::HTTP)
            .authority(self.authority.clone())
            .path_and_query(path)
            .build()
            .map_err(|error| UpstreamError::Caller(error.into()))?;
        head.version = Version::HTTP_11;
        drop_hop_by_hop(&mut head.headers);
        // The client writes the upstream's own.
        head.headers.remove(header::HOST);
        Ok(Request::from_parts(head, body))
    }
}

fn drop_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

/// Finds out which side is to blame for a failed call.
fn blame(error: hyper_util::client::legacy::Error) -> UpstreamError {
    let first: &(dyn StdError + 'static) = &error;
    // Bounded, because an error may be its own source.
    let broke_off = successors(Some(first), |&error| error.source())
        .take(16)
        .any(<dyn std::error::Error + 'static>::is::<CallerBrokeOff>);
    if broke_off { UpstreamError::Caller(error.into()) } else { UpstreamError::Upstream(error.into()) }
}
