use bytes::Bytes;
use http::Uri;

use crate::error::ConfigError;
use crate::http::grpc::health::{CHECK, request_for};
use crate::prober::address::Host;
use crate::prober::kind::{LOCALHOST, PROBE, check_address};

/// A `Check` of gRPC's health protocol, which has to say `SERVING`.
///
/// Made from a port; by default the rest is `127.0.0.1` and the whole server. It is validated where it is used.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GrpcHealth {
    pub(in crate::prober) host: String,
    pub(in crate::prober) port: u16,
    pub(in crate::prober) service: String,
}

/// A validated request.
pub(super) struct GrpcQuestion {
    pub(super) host: Host,
    pub(super) uri: Uri,
    pub(super) message: Bytes,
}

impl GrpcHealth {
    /// A check of the whole server at `127.0.0.1:{port}`. The port must not be 0.
    #[must_use]
    pub fn new(port: u16) -> GrpcHealth {
        GrpcHealth { host: LOCALHOST.to_owned(), port, service: String::new() }
    }

    /// The host: a name or an address; `127.0.0.1` if not set. Must not be empty.
    #[must_use]
    pub fn host(mut self, host: impl Into<String>) -> GrpcHealth {
        self.host = host.into();
        self
    }

    /// The service that is asked for, as the server names it, such as `shop.Cart`; empty, which means the whole server,
    /// if not set.
    #[must_use]
    pub fn service(mut self, service: impl Into<String>) -> GrpcHealth {
        self.service = service.into();
        self
    }

    pub(super) fn check(&self) -> Result<GrpcQuestion, ConfigError> {
        let host = check_address(&self.host, self.port)?;
        let authority = host.authority(self.port);
        let uri = Uri::builder().scheme("http").authority(authority).path_and_query(CHECK).build();
        let uri = uri.map_err(|_| PROBE.refuse("host", &self.host, "must be a name or an address"))?;
        let message = request_for(&self.service);
        let message = message.ok_or_else(|| PROBE.refuse("service", "…", "must be shorter than 4 GiB"))?;
        Ok(GrpcQuestion { host, uri, message })
    }
}
