use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tower_service::Service;

use super::connection::{Connection, drive};
use super::executor::Spawner;
use super::heard::ShutdownWatch;
use super::io::{ConnectionGuard, Io};
use super::listener::Listener;
use super::service::{Closing, Watched};
use super::watch::ConnectionWatch;
use crate::error::check::Subject;
use crate::error::{BoxError, ConfigError};
use crate::health::handle::Health;
use crate::rt::time;
use crate::shutdown::{Shutdown, ShutdownTrigger};

/// How long to wait before trying again after an error that does not concern a single connection, such as too many open
/// files.
const AGAIN: Duration = Duration::from_millis(100);

/// The most connections that are taken from the listener's queue before it is closed.
const QUEUE: usize = 1024;

/// Serves HTTP/1 and HTTP/2 with `service`, once it is [run](Serve::run). See the [module](super).
///
/// `service` is cloned for each request, and each clone is made ready and called once, as with an axum `Router`.
pub fn serve<L, S>(listener: L, service: S) -> Serve<L, S> {
    Serve { listener, service, health: None, max_connections: None, header_read_timeout: Duration::from_secs(10) }
}

/// A server and its settings. Made by [`serve`]; accepts nothing before [`run`](Self::run).
#[derive(Debug)]
#[must_use = "a server does nothing until it is run"]
pub struct Serve<L, S> {
    listener: L,
    service: S,
    health: Option<Health>,
    max_connections: Option<u32>,
    header_read_timeout: Duration,
}

impl<L, S> Serve<L, S> {
    /// Releases kept-alive connections while this is draining: HTTP/1 responses then say `Connection: close`. Pass the
    /// runner's, [`Runner::health`](crate::Runner::health). Without it they are released when the server is
    /// told to finish, which is too late for a request that is already on its way.
    pub fn health(mut self, health: &Health) -> Serve<L, S> {
        self.health = Some(health.clone());
        self
    }

    /// The most connections at a time, upgraded ones included; any more wait in the listener's queue. At least 1; no
    /// limit if not set.
    pub fn max_connections(mut self, connections: u32) -> Serve<L, S> {
        self.max_connections = Some(connections);
        self
    }

    /// Closes a connection whose request head is not complete in this time, counted from the head's first byte, and on
    /// a new connection from when it was accepted. A kept-alive connection may be idle between two requests for any
    /// time; over HTTP/2 the limit applies to the connection's preface. More than zero; 10 s if not set.
    pub fn header_read_timeout(mut self, time: Duration) -> Serve<L, S> {
        self.header_read_timeout = time;
        self
    }

    fn check(&self) -> Result<(), ConfigError> {
        let server = Subject::of("server");
        server.require(self.max_connections != Some(0), "max_connections", 0, "must be at least 1")?;
        server.time("header_read_timeout", self.header_read_timeout)
    }

    /// Serves until `shutdown` is requested, and then until the last connection has ended: the listener closes,
    /// requests in flight are answered, HTTP/2 clients are told to go away, and connections that are idle or have sent
    /// half a head are closed at once. Upgraded connections are awaited; the code that holds them should watch the same
    /// `shutdown`.
    ///
    /// An error on a connection ends that connection, and a panic of a handler ends the connection it answers, or over
    /// HTTP/2 the stream. After an error of the listener the server waits and tries again.
    ///
    /// # Errors
    /// A setting that cannot be used; then nothing is accepted. Nothing else is an error.
    ///
    /// # Cancellation
    /// Dropping it closes the listener and cuts all connections, upgraded ones included.
    pub async fn run<B>(mut self, shutdown: Shutdown) -> Result<(), ConfigError>
    where
        L: Listener,
        S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
        S::Future: Send + 'static,
        S::Error: Into<BoxError>,
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<BoxError>,
    {
        self.check()?;
        let (trigger, cut) = Shutdown::new();
        let _cut = CutOnDrop(trigger);
        let room = self.max_connections.map(|most| {
            let most = usize::try_from(most).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
            Arc::new(Semaphore::new(most))
        });
        let mut builder = auto::Builder::new(Spawner { cut: cut.clone() });
        // hyper's own limit for heads would apply to idle connections, too.
        builder.http1().timer(TokioTimer::new()).header_read_timeout(None);
        builder.http2().timer(TokioTimer::new()).enable_connect_protocol();
        let (alive, mut gone) = mpsc::channel(1);
        let crew = Connections {
            builder: Arc::new(builder),
            service: self.service,
            head_limit: self.header_read_timeout,
            closing: Closing { stop: shutdown.clone(), health: self.health },
            cut,
            alive,
        };

        let mut is_failing = false;
        loop {
            let permit = match &room {
                None => None,
                Some(room) => match shutdown.until(Arc::clone(room).acquire_owned()).await {
                    // The semaphore is never closed, so this is always a permit.
                    Some(permit) => permit.ok(),
                    None => break,
                },
            };
            match shutdown.until(poll_fn(|cx| self.listener.poll_accept(cx))).await {
                None => break,
                Some(Ok(io)) => {
                    is_failing = false;
                    crew.spawn(io, permit);
                }
                Some(Err(error)) if is_of_the_connection(&error) => tokio::task::yield_now().await,
                Some(Err(error)) => {
                    if !is_failing {
                        tracing::warn!(target: "seaworthy::server", %error, "cannot accept connections, trying again");
                    }
                    is_failing = true;
                    shutdown.until(time::until(time::now().after(AGAIN))).await;
                }
            }
        }
        // For a connection in the queue, the operating system has already completed the handshake: its client believes
        // that it is served.
        let mut listener = self.listener;
        poll_fn(|cx| {
            for _ in 0..QUEUE {
                let permit = match &room {
                    None => None,
                    Some(room) => match Arc::clone(room).try_acquire_owned() {
                        Ok(permit) => Some(permit),
                        Err(_) => break,
                    },
                };
                let Poll::Ready(Ok(io)) = listener.poll_accept(cx) else { break };
                crew.spawn(io, permit);
            }
            Poll::Ready(())
        })
        .await;
        drop((listener, crew));
        // Nothing is ever sent: this ends when the last connection has dropped its sender.
        let _: Option<Infallible> = gone.recv().await;
        Ok(())
    }
}

/// Everything needed to serve a connection.
struct Connections<S> {
    builder: Arc<auto::Builder<Spawner>>,
    service: S,
    head_limit: Duration,
    closing: Closing,
    cut: Shutdown,
    alive: mpsc::Sender<Infallible>,
}

impl<S> Connections<S> {
    fn spawn<I, B>(&self, io: I, permit: Option<OwnedSemaphorePermit>)
    where
        I: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
        S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
        S::Future: Send + 'static,
        S::Error: Into<BoxError>,
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<BoxError>,
    {
        let watch = ConnectionWatch::new();
        let place = ConnectionGuard { _alive: self.alive.clone(), _permit: permit };
        let io = Io::new(io, Arc::clone(&watch), self.cut.clone(), place);
        let service =
            Watched { service: self.service.clone(), watch: Arc::clone(&watch), closing: self.closing.clone() };
        let builder = Arc::clone(&self.builder);
        let (stop, cut) = (ShutdownWatch::new(self.closing.stop.clone()), ShutdownWatch::new(self.cut.clone()));
        let head_limit = self.head_limit;
        tokio::spawn(async move {
            let connection = builder.serve_connection_with_upgrades(TokioIo::new(io), service);
            drive(connection, &watch, head_limit, stop, cut).await;
        });
    }
}

impl<I, S, B> Connection for auto::UpgradeableConnection<'_, I, S, Spawner>
where
    S: hyper::service::Service<Request<Incoming>, Response = Response<B>>,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
    I: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

/// Ends everything the server has begun once its future is dropped.
struct CutOnDrop(ShutdownTrigger);

impl Drop for CutOnDrop {
    fn drop(&mut self) {
        self.0.fire();
    }
}

/// Whether the error concerns that connection alone, so that the next one may be fine.
fn is_of_the_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}
