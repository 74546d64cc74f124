use std::io;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};

/// The source of a server's connections: TCP, with `TCP_NODELAY` set on each connection, and on Unix also Unix sockets.
///
/// Implement it for anything else that yields connections, such as TLS on top of TCP. Work that takes time for one
/// connection, such as a handshake, must not keep the others waiting: let the connection do it when it is first read.
pub trait Listener: Send + 'static {
    /// A connection.
    type Io: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// The next connection. An error that concerns one connection, such as `ConnectionAborted`, is skipped; after any
    /// other, the server tries again a little later.
    ///
    /// # Errors
    /// If no connection can be accepted now.
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Self::Io>>;
}

impl Listener for TcpListener {
    type Io = TcpStream;

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<TcpStream>> {
        let (stream, _peer) = ready!(TcpListener::poll_accept(self, cx))?;
        // A peer that has hung up already is noticed when the connection is read.
        let _ = stream.set_nodelay(true);
        Poll::Ready(Ok(stream))
    }
}

#[cfg(unix)]
impl Listener for tokio::net::UnixListener {
    type Io = tokio::net::UnixStream;

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<tokio::net::UnixStream>> {
        let (stream, _peer) = ready!(tokio::net::UnixListener::poll_accept(self, cx))?;
        Poll::Ready(Ok(stream))
    }
}
