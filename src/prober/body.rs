use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http_body::Body;
use hyper::body::Incoming;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::TcpStream;

use super::under_way::LeftRunning;
use crate::rt::time;

/// How much of a body is read, and for how long, before the connection is closed.
const MOST: usize = 64 * 1024;
const LONGEST: Duration = Duration::from_secs(1);

/// Reads the body of a response whose head was enough to judge it by.
pub(super) async fn read_out(connection: impl Future + Unpin, mut body: Incoming, mut remains: LeftRunning) {
    let read = async {
        let mut room = MOST;
        while let Some(Ok(frame)) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
            let size = frame.data_ref().map_or(0, bytes::Bytes::len);
            // A frame without data counts as a byte, because there may be infinitely many of them.
            match room.checked_sub(size.max(1)) {
                Some(left) => room = left,
                None => return,
            }
        }
    };
    tokio::select! {
        biased;
        () = remains.run_ended() => {}
        () = time::until(time::now().after(LONGEST)) => {}
        () = read => {}
        _ = connection => {}
    }
}

/// A connection that reads a little at a time and yields in between, so that a server that never stops writing cannot
/// keep the prober from cancelling the probe.
pub(super) struct FairStream {
    stream: TokioIo<TcpStream>,
    rests: bool,
}

const PIECE: usize = 4 * 1024;

impl FairStream {
    pub(super) fn new(stream: TcpStream) -> FairStream {
        FairStream { stream: TokioIo::new(stream), rests: false }
    }
}

impl Read for FairStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, mut to: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        if std::mem::take(&mut self.rests) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let mut piece = [0; PIECE];
        let mut piece = ReadBuf::new(&mut piece[..PIECE.min(to.remaining())]);
        ready!(Pin::new(self.stream.inner_mut()).poll_read(cx, &mut piece))?;
        to.put_slice(piece.filled());
        self.rests = true;
        Poll::Ready(Ok(()))
    }
}

impl Write for FairStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, from)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
