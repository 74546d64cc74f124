use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6, ToSocketAddrs};
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use super::resolver::Resolver;
use super::under_way::{off_thread, resolver};
use crate::error::BoxError;

/// A host, the way it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Host {
    Address(IpAddr),
    /// An IPv6 address, and the network interface through which it is reached.
    Zoned(Ipv6Addr, String),
    Name(String),
}

impl Host {
    /// A name, an address, or an IPv6 address with or without brackets and zone; no port.
    pub(super) fn parse(host: &str) -> Option<Host> {
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        if let Some(address) = bare.or(host.contains(':').then_some(host)) {
            let Some((address, zone)) = address.split_once('%') else {
                return address.parse().ok().map(|address| Host::Address(IpAddr::V6(address)));
            };
            let zone = Some(zone).filter(|zone| is_name(zone))?;
            return address.parse().ok().map(|address| Host::Zoned(address, zone.to_owned()));
        }
        let address = host.parse().map(|address| Host::Address(IpAddr::V4(address)));
        address.ok().or_else(|| is_name(host).then(|| Host::Name(host.to_owned())))
    }

    /// Host and port as in a URI and in a `Host` header: without the zone, which means something on this machine only.
    pub(super) fn authority(&self, port: u16) -> String {
        match self {
            Host::Address(IpAddr::V6(address)) | Host::Zoned(address, _) => format!("[{address}]:{port}"),
            Host::Address(address) => format!("{address}:{port}"),
            Host::Name(name) => format!("{name}:{port}"),
        }
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '.' | '_'))
}

/// The address a probe connects to.
#[derive(Clone, Debug)]
pub(super) struct Address {
    host: Host,
    port: u16,
    /// Held by the look-up in progress: one whose probe was cancelled has to return before the next begins.
    turn: Arc<Semaphore>,
}

impl Address {
    pub(super) fn new(host: Host, port: u16) -> Address {
        Address { host, port, turn: Arc::new(Semaphore::new(1)) }
    }

    pub(super) async fn connect(&self) -> Result<TcpStream, BoxError> {
        let stream = match &self.host {
            Host::Address(address) => TcpStream::connect((*address, self.port)).await?,
            _ => TcpStream::connect(&*self.look_up(&resolver()).await?).await?,
        };
        // Nothing listens there: the system happened to pick the target port as the source port of this connection.
        if stream.local_addr()? == stream.peer_addr()? {
            return Err("connected to itself".into());
        }
        Ok(stream)
    }

    async fn look_up(&self, resolver: &Resolver) -> Result<Vec<SocketAddr>, BoxError> {
        let port = self.port;
        let name = match &self.host {
            Host::Address(address) => return Ok(vec![SocketAddr::new(*address, port)]),
            Host::Zoned(address, zone) => {
                if let Ok(scope) = zone.parse() {
                    return Ok(vec![SocketAddrV6::new(*address, port, 0, scope).into()]);
                }
                // The system resolves the interface's name to its number; no name server is asked.
                let zoned = format!("{address}%{zone}");
                let found = off_thread("look-up", move || (&*zoned, port).to_socket_addrs().map(Iterator::collect));
                return Ok(found.await??);
            }
            Host::Name(name) => name,
        };
        let turn = self.turn.clone().acquire_owned().await?;
        let found = resolver.look_up(name, turn).await?;
        if found.is_empty() {
            return Err(format!("{name} has no address").into());
        }
        Ok(found.into_iter().map(|address| SocketAddr::new(address, port)).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::net::Ipv4Addr;
    use std::sync::mpsc;
    use std::time::Duration;

    use tokio_test::{assert_pending, task};

    use super::*;
    use crate::rt::sync::Mutex;

    /// PB-01: even without a prober there is one look-up at a time: a cancelled one has to return before the next
    /// begins.
    #[tokio::test]
    async fn one_at_a_time_without_a_prober() {
        let (ask, asked) = mpsc::channel();
        let (release, released) = mpsc::channel();
        let released = Mutex::new(released);
        let silent = Resolver::blocking(move |host: &str| {
            let _ = ask.send(host.to_owned());
            released.lock().recv().map_err(|_| io::Error::other("nobody answers"))?;
            Ok::<_, io::Error>([IpAddr::V4(Ipv4Addr::LOCALHOST)])
        });
        let address = Address::new(Host::Name("here".to_owned()), 80);
        for _ in 0..3 {
            // Cancelled at once.
            assert_pending!(task::spawn(address.look_up(&silent)).poll());
        }
        assert_eq!(asked.recv_timeout(Duration::from_secs(10)).as_deref(), Ok("here"));
        assert!(asked.recv_timeout(Duration::from_millis(200)).is_err(), "the first has not returned");
        release.send(()).unwrap();
        release.send(()).unwrap();
        assert_eq!(address.look_up(&silent).await.unwrap(), [SocketAddr::from((Ipv4Addr::LOCALHOST, 80))]);
        assert_eq!(asked.try_iter().count(), 1, "those that were given up while they waited never asked");
    }
}
