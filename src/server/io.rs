use std::convert::Infallible;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::Sender;

use super::heard::ShutdownWatch;
use super::watch::ConnectionWatch;
use crate::shutdown::Shutdown;

/// The first bytes of an HTTP/2 connection.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Keeps the server waiting for a connection, and holds its permit, until dropped.
pub(super) struct ConnectionGuard {
    pub(super) _alive: Sender<Infallible>,
    pub(super) _permit: Option<OwnedSemaphorePermit>,
}

/// A connection's socket. It notes what goes on, and holds the connection's guard until it is dropped, which for an
/// upgraded connection is long after HTTP is done with it.
pub(super) struct Io<I> {
    io: I,
    watch: Arc<ConnectionWatch>,
    /// How much of the preface has come in; none once it is known whether it is one.
    preface: Option<usize>,
    cut: Shutdown,
    /// The same, awaited; needed only where nothing else would end the connection.
    is_cut: Option<ShutdownWatch>,
    // Dropped after the socket.
    _place: ConnectionGuard,
}

impl<I> Io<I> {
    pub(super) fn new(io: I, watch: Arc<ConnectionWatch>, cut: Shutdown, place: ConnectionGuard) -> Io<I> {
        Io { io, watch, preface: Some(0), cut, is_cut: None, _place: place }
    }

    fn look(&mut self, bytes: &[u8]) {
        let Some(known) = self.preface else { return };
        let rest = &PREFACE[known..];
        let length = bytes.len().min(rest.len());
        self.preface = if bytes[..length] != rest[..length] {
            None
        } else if length == rest.len() {
            self.watch.speaks_http2();
            None
        } else {
            Some(known + length)
        };
    }

    /// An upgraded connection is in the hands of the code that asked for it, and learns here that the server is gone.
    fn check(&mut self, cx: Option<&mut Context<'_>>) -> io::Result<()> {
        if !self.watch.is_upgraded() {
            return Ok(());
        }
        let is_cut = match cx {
            Some(cx) => self.is_cut.get_or_insert_with(|| ShutdownWatch::new(self.cut.clone())).is_requested(cx),
            None => self.cut.is_requested(),
        };
        if is_cut { Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the server has ended")) } else { Ok(()) }
    }

    fn wrote<T>(&self, poll: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if poll.is_ready() {
            self.watch.moved_on();
        }
        self.flushed(poll)
    }

    fn flushed<T>(&self, poll: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        self.watch.set_blocked(poll.is_pending());
        poll
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Io<I> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.check(Some(cx))?;
        let before = buf.filled().len();
        let poll = Pin::new(&mut this.io).poll_read(cx, buf);
        if buf.filled().len() > before {
            this.watch.read();
            this.look(&buf.filled()[before..]);
        }
        poll
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Io<I> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.check(None)?;
        let poll = Pin::new(&mut this.io).poll_write(cx, buf);
        this.wrote(poll)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.check(None)?;
        let poll = Pin::new(&mut this.io).poll_write_vectored(cx, bufs);
        this.wrote(poll)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let poll = Pin::new(&mut this.io).poll_flush(cx);
        this.flushed(poll)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let poll = Pin::new(&mut this.io).poll_shutdown(cx);
        this.wrote(poll)
    }
}
