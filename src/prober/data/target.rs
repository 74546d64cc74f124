use serde::de::MapAccess;

use super::leaf::Leaf;
use crate::data::path::Path;
use crate::data::table::Table;
use crate::data::value::DataValue;
#[cfg(feature = "grpc")]
use crate::prober::grpc::GrpcHealth;
use crate::prober::http::{HttpGet, Scheme, check_header, check_method, check_path};
use crate::prober::kind::{Exec, TcpConnect, check_host};

fn needs(field: &str, rule: &str) -> Result<(), (String, String)> {
    Err((field.to_owned(), rule.to_owned()))
}

/// `http`.
pub(super) struct HttpTable {
    pub(super) get: HttpGet,
    pub(super) has_port: bool,
}

impl Default for HttpTable {
    fn default() -> HttpTable {
        HttpTable { get: HttpGet::new(1), has_port: false }
    }
}

impl Table for HttpTable {
    const KEYS: &'static [&'static str] = &["scheme", "host", "port", "path", "method", "headers", "status"];

    fn read<'de, M: MapAccess<'de>>(&mut self, key: &'static str, at: Path<'_>, map: &mut M) -> Result<(), M::Error> {
        let HttpTable { get, has_port } = self;
        let set = |leaf: &Leaf<'_>| {
            match key {
                "scheme" => {
                    get.scheme = match leaf.value() {
                        DataValue::Text(scheme) if scheme == "http" => Scheme::Http,
                        DataValue::Text(scheme) if scheme == "https" => Scheme::Https,
                        _ => return Err(leaf.must("\"http\" or \"https\"")),
                    };
                }
                "host" => get.host = leaf.text(check_host)?,
                "port" => (get.port, *has_port) = (leaf.port()?, true),
                "path" => get.path = leaf.text(check_path)?,
                "method" => get.method = leaf.text(check_method)?,
                "headers" => get.headers = leaf.headers(|name, value| check_header(name, value).map(drop))?,
                _ => get.statuses = leaf.statuses()?,
            }
            Ok(())
        };
        Leaf::read(at, map, set).map(drop)
    }

    fn check(&self) -> Result<(), (String, String)> {
        if self.has_port { Ok(()) } else { needs("port", "has to be set") }
    }
}

/// `httpGet`, which accepts the statuses that Kubernetes accepts.
pub(super) struct HttpGetAction(pub(super) HttpTable);

impl Default for HttpGetAction {
    fn default() -> HttpGetAction {
        let mut table = HttpTable::default();
        table.get.statuses = vec![200..=399];
        HttpGetAction(table)
    }
}

impl Table for HttpGetAction {
    const KEYS: &'static [&'static str] = &["scheme", "host", "port", "path", "httpHeaders"];

    fn read<'de, M: MapAccess<'de>>(&mut self, key: &'static str, at: Path<'_>, map: &mut M) -> Result<(), M::Error> {
        let HttpTable { get, has_port } = &mut self.0;
        let set = |leaf: &Leaf<'_>| {
            match key {
                "scheme" => {
                    get.scheme = match leaf.value() {
                        DataValue::Text(scheme) if scheme == "HTTP" => Scheme::Http,
                        DataValue::Text(scheme) if scheme == "HTTPS" => Scheme::Https,
                        _ => return Err(leaf.must("\"HTTP\" or \"HTTPS\"")),
                    };
                }
                // In Kubernetes, empty means not set.
                "host" if *leaf.value() == DataValue::Text(String::new()) => {}
                "host" => get.host = leaf.text(check_host)?,
                "port" => (get.port, *has_port) = (leaf.port()?, true),
                "path" => {
                    let whole = |path: &str| if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
                    get.path = whole(&leaf.text(|path| check_path(&whole(path)))?);
                }
                _ => get.headers = leaf.headers(|name, value| check_header(name, value).map(drop))?,
            }
            Ok(())
        };
        Leaf::read(at, map, set).map(drop)
    }

    fn check(&self) -> Result<(), (String, String)> {
        self.0.check()
    }
}

/// `tcp`, and `tcpSocket`.
pub(super) struct TcpTable {
    pub(super) connect: TcpConnect,
    has_port: bool,
    pub(super) empty_is_unset: bool,
}

impl TcpTable {
    pub(super) fn new(empty_is_unset: bool) -> TcpTable {
        TcpTable { connect: TcpConnect::new(1), has_port: false, empty_is_unset }
    }
}

impl Table for TcpTable {
    const KEYS: &'static [&'static str] = &["host", "port"];

    fn read<'de, M: MapAccess<'de>>(&mut self, key: &'static str, at: Path<'_>, map: &mut M) -> Result<(), M::Error> {
        let set = |leaf: &Leaf<'_>| {
            match key {
                "port" => (self.connect.port, self.has_port) = (leaf.port()?, true),
                _ if self.empty_is_unset && *leaf.value() == DataValue::Text(String::new()) => {}
                _ => self.connect.host = leaf.text(check_host)?,
            }
            Ok(())
        };
        Leaf::read(at, map, set).map(drop)
    }

    fn check(&self) -> Result<(), (String, String)> {
        if self.has_port { Ok(()) } else { needs("port", "has to be set") }
    }
}

/// `exec`, which is the same in both notations.
#[derive(Default)]
pub(super) struct ExecTable(pub(super) Option<Exec>);

impl Table for ExecTable {
    const KEYS: &'static [&'static str] = &["command"];

    fn read<'de, M: MapAccess<'de>>(&mut self, _: &'static str, at: Path<'_>, map: &mut M) -> Result<(), M::Error> {
        let rule = |command: &[String]| Exec::new(command).check().map(drop);
        self.0 = Leaf::read(at, map, |leaf| leaf.texts(rule).map(Exec::new))?;
        Ok(())
    }

    fn check(&self) -> Result<(), (String, String)> {
        if self.0.is_some() { Ok(()) } else { needs("command", "has to be set") }
    }
}

/// `grpc`, which is the same in both notations, but that Kubernetes names no host.
#[cfg(feature = "grpc")]
pub(super) struct GrpcProbeTable {
    pub(super) health: GrpcHealth,
    has_port: bool,
}

#[cfg(feature = "grpc")]
impl Default for GrpcProbeTable {
    fn default() -> GrpcProbeTable {
        GrpcProbeTable { health: GrpcHealth::new(1), has_port: false }
    }
}

#[cfg(feature = "grpc")]
impl Table for GrpcProbeTable {
    const KEYS: &'static [&'static str] = &["host", "port", "service"];

    fn read<'de, M: MapAccess<'de>>(&mut self, key: &'static str, at: Path<'_>, map: &mut M) -> Result<(), M::Error> {
        let set = |leaf: &Leaf<'_>| {
            match key {
                "port" => (self.health.port, self.has_port) = (leaf.port()?, true),
                "service" => self.health.service = leaf.text(|_| Ok(()))?,
                _ => self.health.host = leaf.text(check_host)?,
            }
            Ok(())
        };
        Leaf::read(at, map, set).map(drop)
    }

    fn check(&self) -> Result<(), (String, String)> {
        if self.has_port { Ok(()) } else { needs("port", "has to be set") }
    }
}
