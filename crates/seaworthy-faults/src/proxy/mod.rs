//! A network that is cut, slow, or takes everything and delivers nothing, between a client and a server.

mod pump;
mod rules;
mod serve;

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime;
use tokio::sync::mpsc;

use crate::port::Port;
use rules::{Counts, Rules};
use serve::Command;

pub use rules::Direction;

/// Forwards TCP connections to a server, until it is told to do something worse. It is how a partition is shown without
/// privileges.
///
/// It runs on a thread of its own, so that it works under a test's runtime of one thread, under a paused clock, and
/// without a runtime. Each of its methods returns when what it says is so, and rules add up until [`Proxy::heal`].
///
/// ```
/// use std::io::{Read, Write};
/// use std::net::{TcpListener, TcpStream};
///
/// use seaworthy_faults::proxy::Proxy;
///
/// # fn main() -> std::io::Result<()> {
/// let server = TcpListener::bind("127.0.0.1:0")?;
/// let proxy = Proxy::to(server.local_addr()?);
/// let mut client = TcpStream::connect(proxy.addr())?;
/// let (mut accepted, _) = server.accept()?;
/// accepted.write_all(b"hello")?;
/// let mut answer = [0; 5];
/// client.read_exact(&mut answer)?;
///
/// proxy.cut();
/// assert!(client.read(&mut answer).is_err()); // connection reset by peer
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Proxy {
    addr: SocketAddr,
    counts: Arc<Counts>,
    /// None once it ends.
    commands: Option<mpsc::UnboundedSender<Command>>,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Listens on a free port of the loopback interface, and connects to this address for each connection.
    ///
    /// # Panics
    ///
    /// If the address means nothing, or no port is free.
    pub fn to(server: impl ToSocketAddrs) -> Proxy {
        let to = server.to_socket_addrs().ok().and_then(|mut addrs| addrs.next()).expect("the address of a server");
        let port = Port::free().unwrap_or_else(|error| panic!("no port is free: {error}"));
        let addr = port.addr();
        let counts = Arc::<Counts>::default();
        let (sender, commands) = mpsc::unbounded_channel();
        let (ready, is_ready) = sync_channel(1);
        let served = serve::serve(port, to, counts.clone(), commands, ready);
        let runtime = runtime::Builder::new_current_thread().enable_io().enable_time().build();
        let runtime = runtime.unwrap_or_else(|error| panic!("no runtime for a proxy: {error}"));
        let thread = std::thread::Builder::new().name("seaworthy-proxy".into()).spawn(move || runtime.block_on(served));
        let thread = thread.unwrap_or_else(|error| panic!("no thread for a proxy: {error}"));
        let listens = is_ready.recv().expect("the proxy's thread runs");
        listens.unwrap_or_else(|error| panic!("the proxy cannot listen: {error}"));
        Proxy { addr, counts, commands: Some(sender), thread: Some(thread) }
    }

    /// Where it listens, also after it has refused for a while.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Breaks all connections: both sides see a reset. New ones are forwarded.
    ///
    /// # Panics
    ///
    /// If its thread has died.
    pub fn cut(&self) {
        self.change(|rules| rules.generation += 1);
    }

    /// Accepts connections and bytes, and forwards nothing, neither way, not even that one side has closed. What waits
    /// is forwarded when it is healed, as TCP would send it again.
    ///
    /// # Panics
    ///
    /// If its thread has died.
    pub fn stall(&self) {
        self.change(|rules| {
            rules.way_mut(Direction::Up).stalled = true;
            rules.way_mut(Direction::Down).stalled = true;
        });
    }

    /// The same in one direction; the other is as it was.
    ///
    /// # Panics
    ///
    /// If its thread has died.
    pub fn stall_only(&self, direction: Direction) {
        self.change(move |rules| rules.way_mut(direction).stalled = true);
    }

    /// Loses the next `bytes` that go this way, of whichever connections. A connection that has lost some is delivered
    /// nothing more in that direction, because TCP has no holes, and is cut with the last of them.
    ///
    /// So `drop_next(Direction::Down, 1)` loses the next answer, after the server has done what it was asked for.
    ///
    /// # Panics
    ///
    /// If its thread has died.
    pub fn drop_next(&self, direction: Direction, bytes: u64) {
        self.change(move |rules| rules.way_mut(direction).drop = bytes);
    }

    /// Delivers everything that arrives from now on this much later, in both directions.
    ///
    /// # Panics
    ///
    /// If its thread has died.
    pub fn delay(&self, delay: Duration) {
        self.change(move |rules| rules.delay = delay);
    }

    /// Refuses new connections; those that there are go on.
    ///
    /// # Panics
    ///
    /// If its thread has died.
    pub fn refuse(&self) {
        self.change(|rules| rules.refuse = true);
    }

    /// Forwards again, first of all what waits. Connections that were cut stay so, and those that have lost bytes are
    /// cut.
    ///
    /// # Panics
    ///
    /// If its thread has died, or it cannot listen again.
    pub fn heal(&self) {
        self.change(Rules::heal);
    }

    /// How many connections it has accepted.
    ///
    /// # Panics
    ///
    /// If its thread has died.
    pub fn connections(&self) -> u64 {
        self.counted(|counts| counts.accepted.load(Ordering::Relaxed))
    }

    /// How many of them are open.
    ///
    /// # Panics
    ///
    /// If its thread has died.
    pub fn open(&self) -> u64 {
        self.counted(|counts| counts.open.load(Ordering::Relaxed))
    }

    /// How many bytes it has delivered in one direction: all that anybody has received, and what is on its way to them.
    ///
    /// # Panics
    ///
    /// If its thread has died.
    pub fn bytes(&self, direction: Direction) -> u64 {
        self.counted(|counts| counts.bytes(direction))
    }

    /// Reads a count when the thread that counts is between two steps.
    fn counted(&self, read: impl FnOnce(&Counts) -> u64) -> u64 {
        self.change(|_| ());
        read(&self.counts)
    }

    fn change(&self, change: impl FnOnce(&mut Rules) + Send + 'static) {
        let (done, is_done) = sync_channel::<io::Result<()>>(1);
        let commands = self.commands.as_ref().expect("it has not ended");
        commands.send(Command { change: Box::new(change), done }).expect("the proxy's thread runs");
        let listens = is_done.recv().expect("the proxy's thread runs");
        listens.unwrap_or_else(|error| panic!("the proxy cannot listen: {error}"));
    }
}

impl Drop for Proxy {
    /// Closes its port and all connections.
    fn drop(&mut self) {
        drop(self.commands.take());
        if let Some(thread) = self.thread.take() {
            // If it has died by a panic, that was printed.
            let _ = thread.join();
        }
    }
}
