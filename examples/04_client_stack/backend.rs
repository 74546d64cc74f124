//! A small HTTP server, hand-written because it has to fail on demand.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::watch;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Mode {
    Answer,
    /// Keeps its port without listening: the system refuses connections.
    Refuse,
    Reset,
    Hang,
    /// 503, once: later requests are answered.
    BusyOnce {
        retry_after: u64,
    },
    Busy {
        retry_after: u64,
    },
    Slow(Duration),
    /// Announces five bytes and sends two.
    Truncate,
}

pub(crate) struct Backend {
    pub(crate) uri: String,
    mode: Arc<watch::Sender<Mode>>,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    arrived: AtomicU64,
    running: AtomicU64,
    peak: AtomicU64,
}

impl Backend {
    /// Takes a free port, and refuses connections until the mode changes.
    pub(crate) fn start() -> io::Result<Backend> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(([127, 0, 0, 1], 0).into())?;
        let uri = format!("http://{}/greeting", socket.local_addr()?);
        let (mode, counts) = (Arc::new(watch::Sender::new(Mode::Refuse)), Arc::<Counts>::default());
        tokio::spawn(serve(socket, Arc::clone(&mode), Arc::clone(&counts)));
        Ok(Backend { uri, mode, counts })
    }

    pub(crate) fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    /// Requests that arrived.
    pub(crate) fn arrived(&self) -> u64 {
        self.counts.arrived.load(Ordering::SeqCst)
    }

    /// The most requests in progress at one time.
    pub(crate) fn peak(&self) -> u64 {
        self.counts.peak.load(Ordering::SeqCst)
    }
}

async fn serve(socket: TcpSocket, mode: Arc<watch::Sender<Mode>>, counts: Arc<Counts>) -> io::Result<()> {
    // Cannot fail: this task holds a sender, too.
    let _ = mode.subscribe().wait_for(|mode| *mode != Mode::Refuse).await;
    let listener = socket.listen(128)?;
    loop {
        let (stream, _) = listener.accept().await?;
        // The outcome of a connection concerns only its caller.
        tokio::spawn(converse(stream, Arc::clone(&mode), Arc::clone(&counts)));
    }
}

/// One request and its answer.
async fn converse(stream: TcpStream, mode: Arc<watch::Sender<Mode>>, counts: Arc<Counts>) -> io::Result<()> {
    if stream.peek(&mut [0]).await? == 0 {
        return Ok(());
    }
    counts.arrived.fetch_add(1, Ordering::SeqCst);
    let now = *mode.borrow();
    if now == Mode::Reset {
        // A connection closed with unread data is reset.
        return Ok(());
    }
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
    }
    let busy =
        |seconds| format!("HTTP/1.1 503 Service Unavailable\r\nretry-after: {seconds}\r\ncontent-length: 0\r\n\r\n");
    let hello = String::from("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello");
    let answer = match now {
        Mode::Answer | Mode::Refuse | Mode::Reset => hello,
        Mode::Hang => {
            // Silent until the caller hangs up.
            stream.read_to_end(&mut Vec::new()).await?;
            return Ok(());
        }
        Mode::BusyOnce { retry_after } => {
            mode.send_replace(Mode::Answer);
            busy(retry_after)
        }
        Mode::Busy { retry_after } => busy(retry_after),
        Mode::Slow(time) => {
            let running = counts.running.fetch_add(1, Ordering::SeqCst) + 1;
            counts.peak.fetch_max(running, Ordering::SeqCst);
            tokio::time::sleep(time).await;
            counts.running.fetch_sub(1, Ordering::SeqCst);
            hello
        }
        Mode::Truncate => String::from("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe"),
    };
    stream.write_all(answer.as_bytes()).await
}
