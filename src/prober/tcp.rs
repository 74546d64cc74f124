use tokio::net::TcpStream;

use super::kind::TcpConnect;
use super::probe::Probe;
use crate::{BoxError, ConfigError};

/// Connects, and hangs up at once. A name is looked up anew each time, by the system.
#[derive(Clone, Debug)]
pub struct TcpProbe {
    target: TcpConnect,
}

impl TcpProbe {
    /// A probe of this kind.
    ///
    /// # Errors
    /// The first setting that breaks a rule, and the rule.
    pub fn new(target: TcpConnect) -> Result<TcpProbe, ConfigError> {
        target.check()?;
        Ok(TcpProbe { target })
    }
}

impl Probe for TcpProbe {
    async fn probe(&self) -> Result<(), BoxError> {
        connect(&self.target.host, self.target.port).await.map(drop)
    }
}

pub(super) async fn connect(host: &str, port: u16) -> Result<TcpStream, BoxError> {
    // An address may stand in brackets, as it does in a URI.
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let stream = TcpStream::connect((host, port)).await?;
    // Nobody listens there, and the system chose the very port that was to be reached as the one to come from.
    if stream.local_addr()? == stream.peer_addr()? {
        return Err("connected to itself".into());
    }
    Ok(stream)
}
