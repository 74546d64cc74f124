use super::address::Host;
use crate::error::ConfigError;
use crate::error::check::Subject;

/// How the errors of a probe, which do not know its name, call it.
pub(super) const PROBE: Subject<'static> = Subject::of("probe");

pub(super) const LOCALHOST: &str = "127.0.0.1";

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

    /// The host: a name or an address; `127.0.0.1` if not set. Must not be empty.
    #[must_use]
    pub fn host(mut self, host: impl Into<String>) -> TcpConnect {
        self.host = host.into();
        self
    }

    pub(super) fn check(&self) -> Result<Host, ConfigError> {
        check_address(&self.host, self.port)
    }
}

/// A command that has to exit with code 0. It is run directly, without a shell.
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

    /// The program and its arguments, validated.
    pub(super) fn check(&self) -> Result<(&str, &[String]), ConfigError> {
        match self.command.split_first() {
            Some((program, arguments)) if !program.is_empty() => Ok((program, arguments)),
            _ => Err(PROBE.refuse("command", &self.command, "must not be empty")),
        }
    }
}

pub(super) fn check_host(host: &str) -> Result<Host, ConfigError> {
    PROBE.require(!host.is_empty(), "host", host, "must not be empty")?;
    Host::parse(host).ok_or_else(|| PROBE.refuse("host", host, "must be a name or an address"))
}

pub(super) fn check_address(host: &str, port: u16) -> Result<Host, ConfigError> {
    let host = check_host(host)?;
    PROBE.require(port != 0, "port", port, "must be from 1 to 65535")?;
    Ok(host)
}
