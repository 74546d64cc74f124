//! The backend of the demonstration: a small HTTP server, hand-written because it has to misbehave on demand.

use std::io;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::uri::Authority;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What the backend does with a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Mode {
    Answer,
    /// Keeps callers waiting until the mode changes, and then follows the new one.
    Hold,
    Fail,
    Hang,
    Panic,
    /// Answers with something that is not HTTP.
    Babble,
    BreakOffInHead,
    BreakOffInBody,
}

pub(crate) struct Backend {
    authority: Authority,
    mode: watch::Sender<Mode>,
    seen: Arc<AtomicU64>,
}

impl Backend {
    /// Listens on a free port.
    pub(crate) async fn start() -> Result<Backend, Box<dyn std::error::Error + Send + Sync>> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let authority = listener.local_addr()?.to_string().parse()?;
        let mode = watch::Sender::new(Mode::Answer);
        let seen = Arc::new(AtomicU64::new(0));
        tokio::spawn(accept(listener, mode.subscribe(), Arc::clone(&seen)));
        Ok(Backend { authority, mode, seen })
    }

    pub(crate) fn authority(&self) -> &Authority {
        &self.authority
    }

    pub(crate) fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    /// How many requests have arrived.
    pub(crate) fn seen(&self) -> u64 {
        self.seen.load(Ordering::SeqCst)
    }
}

async fn accept(listener: TcpListener, mode: watch::Receiver<Mode>, seen: Arc<AtomicU64>) {
    while let Ok((stream, _)) = listener.accept().await {
        // The outcome of a connection, even a panic, concerns only its caller.
        tokio::spawn(converse(BufReader::new(stream), mode.clone(), Arc::clone(&seen)));
    }
}

async fn converse(
    mut stream: BufReader<TcpStream>,
    mut mode: watch::Receiver<Mode>,
    seen: Arc<AtomicU64>,
) -> io::Result<()> {
    while request_came(&mut stream).await? {
        seen.fetch_add(1, Ordering::SeqCst);
        let now = mode.wait_for(|mode| *mode != Mode::Hold).await.map_or(Mode::Answer, |mode| *mode);
        let (answer, goes_on): (&[u8], bool) = match now {
            Mode::Answer | Mode::Hold => (b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", true),
            Mode::Fail => (b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 4\r\n\r\noops", true),
            Mode::Babble => (b"\x16\x03\x01 HELO, is this the mail server?\r\n\r\n", false),
            Mode::BreakOffInHead => (b"HTTP/1.1 200 OK\r\ncontent-le", false),
            Mode::BreakOffInBody => (b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe", false),
            Mode::Hang => {
                // Silent until the caller hangs up.
                stream.read_to_end(&mut Vec::new()).await?;
                return Ok(());
            }
            // Unwinds like any panic, without the message that would clutter the output.
            Mode::Panic => resume_unwind(Box::new("a bug in the backend")),
        };
        stream.write_all(answer).await?;
        if !goes_on {
            return Ok(());
        }
    }
    Ok(())
}

/// Reads the head of a request; false at the end of the stream. The gateway's callers here send no bodies.
async fn request_came(stream: &mut BufReader<TcpStream>) -> io::Result<bool> {
    let mut line = String::new();
    while stream.read_line(&mut line).await? > 0 {
        if line == "\r\n" {
            return Ok(true);
        }
        line.clear();
    }
    Ok(false)
}
