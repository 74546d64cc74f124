use std::io;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};

/// Where connections come from. TCP is one, with `TCP_NODELAY` set on each connection, and on Unix so are the sockets
/// of that name.
///
/// Implement it for whatever else gives connections, such as TLS on top of TCP. What takes time for one connection, as
/// a handshake does, must not keep the others waiting: let the connection do it when it is first read.
pub trait Listener: Send + 'static {
    /// A connection.
    type Io: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// The next connection. An error that is one connection's, such as `ConnectionAborted`, is passed over; after any
    /// other, the server tries again a little later.
    ///
    /// # Errors
    /// If there is no connection to be had now.
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Self::Io>>;
}

impl Listener for TcpListener {
    type Io = TcpStream;

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<TcpStream>> {
        let (stream, _peer) = ready!(TcpListener::poll_accept(self, cx))?;
        // Who has hung up already is found out by whoever reads.
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
