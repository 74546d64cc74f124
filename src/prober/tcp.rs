use std::time::Duration;

use tokio::io::AsyncWriteExt;

use super::address::Address;
use super::kind::TcpConnect;
use super::probe::Probe;
use crate::error::{BoxError, ConfigError};

/// Connects, and closes the connection at once. A name is looked up every time: see [`Resolver`](super::Resolver).
///
/// The peer reads an end of stream, and the port on this side is free at once: the connection is shut down and then
/// reset, so that it does not stay in `TIME_WAIT`.
#[derive(Clone, Debug)]
pub struct TcpProbe {
    address: Address,
}

impl TcpProbe {
    /// A probe that connects to `target`.
    ///
    /// # Errors
    /// The first setting that breaks a rule, and the rule.
    pub fn new(target: TcpConnect) -> Result<TcpProbe, ConfigError> {
        let host = target.check()?;
        Ok(TcpProbe { address: Address::new(host, target.port) })
    }
}

impl Probe for TcpProbe {
    async fn probe(&self) -> Result<(), BoxError> {
        let mut stream = self.address.connect().await?;
        // It was accepted; whatever happens to it now is no failure.
        let _ = stream.shutdown().await;
        let _ = socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO));
        Ok(())
    }
}
