use http::uri::PathAndQuery;

use super::address::Host;
use crate::ConfigError;
use crate::error::check::Subject;

/// As errors call it, which do not know its name.
pub(super) const PROBE: Subject<'static> = Subject::of("probe");

const LOCALHOST: &str = "127.0.0.1";
const OK: u16 = 200;

/// An HTTP `GET` that has to be answered with a certain status.
///
/// Made of a port; the rest is `http://127.0.0.1`, path `/` and status 200 unless set. What is wrong with it is told
/// where it is used.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HttpGet {
    pub(super) scheme: Scheme,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) path: String,
    pub(super) status: u16,
}

/// How an HTTP probe speaks to its target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scheme {
    /// In the clear.
    #[default]
    Http,
    /// Over TLS, which takes a client of your own: see [`HttpProbe::with_client`](super::HttpProbe::with_client).
    Https,
}

impl Scheme {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
        }
    }
}

impl HttpGet {
    /// `GET http://127.0.0.1:{port}/`, to be answered with 200. The port must not be 0.
    #[must_use]
    pub fn new(port: u16) -> HttpGet {
        HttpGet { scheme: Scheme::Http, host: LOCALHOST.to_owned(), port, path: "/".to_owned(), status: OK }
    }

    /// Another host: a name or an address. Must not be empty.
    #[must_use]
    pub fn host(mut self, host: impl Into<String>) -> HttpGet {
        self.host = host.into();
        self
    }

    /// Another path, and a query if there is one; both are sent as they are. Must begin with `/`.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> HttpGet {
        self.path = path.into();
        self
    }

    /// Another scheme.
    #[must_use]
    pub fn scheme(mut self, scheme: Scheme) -> HttpGet {
        self.scheme = scheme;
        self
    }

    /// Another status to be answered with, from 100 to 599. A redirect is not followed, but can be what is expected.
    #[must_use]
    pub fn status(mut self, status: u16) -> HttpGet {
        self.status = status;
        self
    }

    pub(super) fn check(&self) -> Result<(Host, http::Uri), ConfigError> {
        let host = check_address(&self.host, self.port)?;
        PROBE.require(self.path.starts_with('/'), "path", &self.path, "must begin with `/`")?;
        let not_a_path = || PROBE.refuse("path", &self.path, "must be a valid path and query, without a fragment");
        let path: PathAndQuery = self.path.parse().map_err(|_| not_a_path())?;
        if path.as_str() != self.path {
            // A fragment would be left out without a word.
            return Err(not_a_path());
        }
        PROBE.require((100..=599).contains(&self.status), "status", self.status, "must be from 100 to 599")?;
        let authority = host.authority(self.port);
        let uri = http::Uri::builder().scheme(self.scheme.as_str()).authority(authority).path_and_query(path).build();
        let not_a_host = |_| PROBE.refuse("host", &self.host, "must be a name or an address");
        Ok((host, uri.map_err(not_a_host)?))
    }
}

/// A TCP connection that has to be accepted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TcpConnect {
    pub(super) host: String,
    pub(super) port: u16,
}

impl TcpConnect {
    /// A connection to `127.0.0.1:{port}`. The port must not be 0.
    #[must_use]
    pub fn new(port: u16) -> TcpConnect {
        TcpConnect { host: LOCALHOST.to_owned(), port }
    }

    /// Another host: a name or an address. Must not be empty.
    #[must_use]
    pub fn host(mut self, host: impl Into<String>) -> TcpConnect {
        self.host = host.into();
        self
    }

    pub(super) fn check(&self) -> Result<Host, ConfigError> {
        check_address(&self.host, self.port)
    }
}

/// A command that has to exit with code 0. It is run as it is, without a shell.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Exec {
    pub(super) command: Vec<String>,
}

impl Exec {
    /// The program and its arguments. There must be a program.
    #[must_use]
    pub fn new(command: impl IntoIterator<Item = impl Into<String>>) -> Exec {
        Exec { command: command.into_iter().map(Into::into).collect() }
    }

    /// The program and its arguments.
    pub(super) fn check(&self) -> Result<(&str, &[String]), ConfigError> {
        match self.command.split_first() {
            Some((program, arguments)) if !program.is_empty() => Ok((program, arguments)),
            _ => Err(PROBE.refuse("command", &self.command, "must not be empty")),
        }
    }
}

fn check_address(host: &str, port: u16) -> Result<Host, ConfigError> {
    PROBE.require(!host.is_empty(), "host", host, "must not be empty")?;
    let parsed = Host::parse(host).ok_or_else(|| PROBE.refuse("host", host, "must be a name or an address"))?;
    PROBE.require(port != 0, "port", port, "must be from 1 to 65535")?;
    Ok(parsed)
}
