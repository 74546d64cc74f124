//! Ports that are free, and stay so while a server is down.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::{TcpListener, TcpSocket};

/// A port of this machine that was free.
///
/// It is kept by a socket that is bound and does not listen. A server that says `SO_REUSEADDR`, as they all do, can
/// listen on it beside that on Linux, nobody else is given it, and while the server is down a connection is refused.
#[derive(Debug)]
pub(crate) struct Port {
    number: u16,
    /// Elsewhere two sockets cannot have one port, and another process can take it while a server is down.
    _kept: Option<TcpSocket>,
}

impl Port {
    pub(crate) fn free() -> io::Result<Port> {
        let socket = bound(0)?;
        let number = socket.local_addr()?.port();
        Ok(Port { number, _kept: cfg!(target_os = "linux").then_some(socket) })
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        loopback(self.number)
    }

    /// Listens itself, in a runtime.
    pub(crate) fn listen(&self) -> io::Result<TcpListener> {
        bound(self.number)?.listen(1024)
    }
}

fn bound(number: u16) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    // Elsewhere it means that one socket may take another's connections.
    if cfg!(unix) {
        socket.set_reuseaddr(true)?;
    }
    socket.bind(loopback(number))?;
    Ok(socket)
}

fn loopback(number: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, number).into()
}

/// A server did not start because its port was somebody else's.
#[cfg(unix)]
#[derive(Debug)]
pub(crate) struct Taken;

/// As often as a server is given another port because somebody took the one it was to have.
#[cfg(unix)]
const TRIES: usize = 3;

/// Starts a server on a free port, and on another if somebody took that one in between.
#[cfg(unix)]
pub(crate) fn start_on_free_port<S>(what: &str, mut start: impl FnMut(Port) -> Result<S, Taken>) -> S {
    for _ in 0..TRIES {
        let port = Port::free().unwrap_or_else(|error| panic!("no port is free: {error}"));
        if let Ok(server) = start(port) {
            return server;
        }
    }
    panic!("{what} found its port taken {TRIES} times in a row");
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    /// FK-01: three tries.
    #[test]
    fn a_port_that_was_taken_is_another_one_next_time() {
        let mut seen = Vec::new();
        let third = start_on_free_port("a server", |port| {
            seen.push(port.number);
            if seen.len() < 3 { Err(Taken) } else { Ok(port) }
        });
        assert_eq!(seen.len(), 3);
        assert_eq!(third.number, seen[2]);

        let mut tries = 0;
        let failed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            start_on_free_port("a server", |_| {
                tries += 1;
                Err::<(), _>(Taken)
            });
        }));
        assert!(failed.is_err());
        assert_eq!(tries, 3);
    }

    /// FK-01: nobody gets the port of a server that is down, and its clients are refused.
    #[test]
    #[cfg(target_os = "linux")]
    fn a_port_is_kept_and_refuses() {
        use std::net::{TcpListener, TcpStream};

        let port = Port::free().expect("a port is free");
        let refused = TcpStream::connect(port.addr()).expect_err("nobody listens");
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        // std's listener says SO_REUSEADDR, as a server does.
        for _ in 0..2 {
            let listener = TcpListener::bind(port.addr()).expect("the server can have it");
            let _client = TcpStream::connect(port.addr()).expect("it listens");
            drop(listener);
            assert!(TcpStream::connect(port.addr()).is_err());
        }
    }
}
