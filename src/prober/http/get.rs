use std::fmt;
use std::ops::RangeInclusive;

use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};

use crate::error::ConfigError;
use crate::prober::address::Host;
use crate::prober::kind::{LOCALHOST, PROBE, check_address};

const OK: u16 = 200;

/// An HTTP request, by default a `GET`, that expects a certain status.
///
/// Made from a port; by default the rest is `http://127.0.0.1`, path `/` and status 200. It is validated where it is
/// used.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct HttpGet {
    pub(in crate::prober) scheme: Scheme,
    pub(in crate::prober) host: String,
    pub(in crate::prober) port: u16,
    pub(in crate::prober) path: String,
    pub(in crate::prober) method: String,
    pub(in crate::prober) headers: Vec<(String, String)>,
    pub(in crate::prober) statuses: Vec<RangeInclusive<u16>>,
}

/// Without the values of headers, which may be secrets.
impl fmt::Debug for HttpGet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let HttpGet { scheme, host, port, path, method, headers, statuses } = self;
        let headers: Vec<_> = headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("HttpGet")
            .field("scheme", scheme)
            .field("host", host)
            .field("port", port)
            .field("path", path)
            .field("method", method)
            .field("headers", &headers)
            .field("statuses", statuses)
            .finish()
    }
}

/// A validated request, with the statuses expected.
pub(in crate::prober) struct Question {
    pub(in crate::prober) uri: http::Uri,
    pub(in crate::prober) method: Method,
    pub(in crate::prober) headers: HeaderMap,
    pub(in crate::prober) statuses: Vec<RangeInclusive<u16>>,
}

/// How an HTTP probe talks to its target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scheme {
    /// Plain text.
    #[default]
    Http,
    /// Over TLS, which needs a client of your own: see [`HttpProbe::with_client`](super::HttpProbe::with_client).
    Https,
}

impl Scheme {
    pub(in crate::prober) fn as_str(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
        }
    }
}

impl HttpGet {
    /// `GET http://127.0.0.1:{port}/`, expecting status 200. The port must not be 0.
    #[must_use]
    pub fn new(port: u16) -> HttpGet {
        HttpGet {
            scheme: Scheme::Http,
            host: LOCALHOST.to_owned(),
            port,
            path: "/".to_owned(),
            method: "GET".to_owned(),
            headers: Vec::new(),
            statuses: vec![OK..=OK],
        }
    }

    /// The host: a name or an address; `127.0.0.1` if not set. Must not be empty.
    #[must_use]
    pub fn host(mut self, host: impl Into<String>) -> HttpGet {
        self.host = host.into();
        self
    }

    /// The path, with a query if there is one; `/` if not set. Both are sent unchanged. Must begin with `/`.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> HttpGet {
        self.path = path.into();
        self
    }

    /// The scheme; `http` if not set.
    #[must_use]
    pub fn scheme(mut self, scheme: Scheme) -> HttpGet {
        self.scheme = scheme;
        self
    }

    /// The status to expect, from 100 to 599; 200 if not set. A redirect is not followed, but may be what is expected.
    #[must_use]
    pub fn status(self, status: u16) -> HttpGet {
        self.statuses([status..=status])
    }

    /// The statuses to expect, from 100 to 599, any of which is good. There must be at least one.
    ///
    /// ```
    /// use seaworthy::prober::HttpGet;
    ///
    /// let get = HttpGet::new(8080).statuses([200..=299, 304..=304]);
    /// # drop(get);
    /// ```
    #[must_use]
    pub fn statuses(mut self, ranges: impl IntoIterator<Item = RangeInclusive<u16>>) -> HttpGet {
        self.statuses = ranges.into_iter().collect();
        self
    }

    /// The method, such as `HEAD`; not `CONNECT`. `GET` if not set. The request has no body.
    #[must_use]
    pub fn method(mut self, method: impl Into<String>) -> HttpGet {
        self.method = method.into();
        self
    }

    /// Adds a header. `Host` replaces the one made from the host and the port; headers about the connection or the body
    /// are refused.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> HttpGet {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(in crate::prober) fn check(&self) -> Result<(Host, Question), ConfigError> {
        let host = check_address(&self.host, self.port)?;
        let path = check_path(&self.path)?;
        let method = check_method(&self.method)?;
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let (name, value) = check_header(name, value)?;
            if name == header::HOST && headers.contains_key(header::HOST) {
                return Err(PROBE.refuse("headers", name, "must have one `host` at most"));
            }
            headers.append(name, value);
        }
        let statuses = self.statuses.clone();
        check_statuses(&statuses)?;
        let authority = host.authority(self.port);
        let uri = http::Uri::builder().scheme(self.scheme.as_str()).authority(authority).path_and_query(path).build();
        let uri = uri.map_err(|_| PROBE.refuse("host", &self.host, "must be a name or an address"))?;
        Ok((host, Question { uri, method, headers, statuses }))
    }
}

pub(in crate::prober) fn check_path(path: &str) -> Result<PathAndQuery, ConfigError> {
    PROBE.require(path.starts_with('/'), "path", path, "must begin with `/`")?;
    let parsed = path.parse::<PathAndQuery>().ok();
    // A fragment would be dropped silently.
    let parsed = parsed.filter(|parsed| parsed.as_str() == path);
    parsed.ok_or_else(|| PROBE.refuse("path", path, "must be a valid path and query, without a fragment"))
}

pub(in crate::prober) fn check_method(method: &str) -> Result<Method, ConfigError> {
    let known = method.parse().ok().filter(|method| *method != Method::CONNECT);
    known.ok_or_else(|| PROBE.refuse("method", method, "must be a method of HTTP, and not CONNECT"))
}

pub(in crate::prober) fn check_header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), ConfigError> {
    let ours = [
        header::CONNECTION,
        header::CONTENT_LENGTH,
        header::EXPECT,
        header::TE,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
    ];
    let name: HeaderName = name.parse().map_err(|_| PROBE.refuse("headers", name, "must be names of headers"))?;
    PROBE.require(!ours.contains(&name), "headers", &name, "must not be about the connection or the body")?;
    let unfit = |_| PROBE.refuse("headers", &name, "must have values without control characters");
    let value = value.parse().map_err(unfit)?;
    Ok((name, value))
}

fn check_statuses(ranges: &[RangeInclusive<u16>]) -> Result<(), ConfigError> {
    let in_range = ranges.iter().all(|range| *range.start() >= 100 && *range.end() <= 599);
    let in_order = !ranges.iter().any(RangeInclusive::is_empty);
    PROBE.require(!ranges.is_empty(), "status", ranges, "must not be empty")?;
    PROBE.require(in_range, "status", ranges, "must be from 100 to 599")?;
    PROBE.require(in_order, "status", ranges, "must be ranges that do not end before they begin")
}
