use std::future::Future;
use std::net::{IpAddr, ToSocketAddrs};
use std::pin::Pin;
use std::sync::Arc;
use std::{fmt, io};

use super::under_way::off_thread;
use crate::error::BoxError;

type Addresses = Result<Vec<IpAddr>, BoxError>;
type Blocking = dyn Fn(&str) -> Addresses + Send + Sync;
type LookUp = dyn Fn(String) -> Pin<Box<dyn Future<Output = Addresses> + Send>> + Send + Sync;

/// Looks up the hosts that a [`Prober`](super::Prober) probes over TCP, and over HTTP with the ready-made client.
/// Literal addresses are not looked up.
///
/// A system look-up blocks its thread for as long as the name servers are silent, and nothing can cancel it. It runs on
/// a thread of its own and counts among the [probes that are under way](super::ProberBuilder::max_concurrent) until it
/// has returned, and there is at most one for each target. The same goes for a look-up of a resolver that
/// [blocks](Resolver::blocking).
///
/// ```
/// use seaworthy::prober::{Prober, Resolver};
/// use std::net::{IpAddr, Ipv4Addr};
///
/// // Whatever the host is called, it is here.
/// let resolver = Resolver::new(|_host| async { Ok::<_, std::io::Error>([IpAddr::V4(Ipv4Addr::LOCALHOST)]) });
/// let prober = Prober::builder().resolver(resolver).build()?;
/// # drop(prober);
/// # Ok::<(), seaworthy::ConfigError>(())
/// ```
///
/// # Clone
/// Costs a reference count.
#[derive(Clone, Default)]
pub struct Resolver(ResolverKind);

#[derive(Clone, Default)]
enum ResolverKind {
    #[default]
    System,
    Blocking(Arc<Blocking>),
    LookUp(Arc<LookUp>),
}

impl Resolver {
    /// The system's resolver, `getaddrinfo`; the default of a prober.
    #[must_use]
    pub fn system() -> Resolver {
        Resolver::default()
    }

    /// Calls `look_up`, whose future is dropped when the probe is cancelled. It must not block its thread.
    pub fn new<F, R, A, E>(look_up: F) -> Resolver
    where
        F: Fn(String) -> R + Send + Sync + 'static,
        R: Future<Output = Result<A, E>> + Send + 'static,
        A: IntoIterator<Item = IpAddr>,
        E: Into<BoxError>,
    {
        Resolver(ResolverKind::LookUp(Arc::new(move |host| {
            let answer = look_up(host);
            Box::pin(async move { answer.await.map(|found| found.into_iter().collect()).map_err(Into::into) })
        })))
    }

    /// Calls `look_up` on a new thread for each look-up, as is done for the system's.
    pub fn blocking<F, A, E>(look_up: F) -> Resolver
    where
        F: Fn(&str) -> Result<A, E> + Send + Sync + 'static,
        A: IntoIterator<Item = IpAddr>,
        E: Into<BoxError>,
    {
        let look_up = move |host: &str| look_up(host).map(|found| found.into_iter().collect()).map_err(Into::into);
        Resolver(ResolverKind::Blocking(Arc::new(look_up)))
    }

    /// `kept` lives until the look-up has returned.
    pub(super) async fn look_up(&self, host: &str, kept: impl Send + 'static) -> Addresses {
        let name = host.to_owned();
        match &self.0 {
            ResolverKind::System => {
                let found = off_thread("look-up", move || {
                    let _kept = kept;
                    system(&name)
                });
                Ok(found.await??)
            }
            ResolverKind::Blocking(look_up) => {
                let look_up = look_up.clone();
                let found = off_thread("look-up", move || {
                    let _kept = kept;
                    look_up(&name)
                });
                found.await?
            }
            ResolverKind::LookUp(look_up) => {
                let _kept = kept;
                look_up(name).await
            }
        }
    }
}

fn system(host: &str) -> io::Result<Vec<IpAddr>> {
    // The port does not matter here.
    (host, 0).to_socket_addrs().map(|found| found.map(|address| address.ip()).collect())
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.0 {
            ResolverKind::System => "System",
            ResolverKind::Blocking(_) => "Blocking",
            ResolverKind::LookUp(_) => "LookUp",
        };
        f.debug_tuple("Resolver").field(&kind).finish()
    }
}
