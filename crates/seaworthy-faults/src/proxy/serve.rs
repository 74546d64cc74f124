//! The thread of a proxy: it listens, forwards, and does as it is told.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use super::pump::{End, Pump};
use super::rules::{Counts, Direction, Rules};
use crate::port::Port;

/// A server on this machine that can accept has done so by then.
const CONNECTING: Duration = Duration::from_millis(50);

/// A change of the rules, and whom to tell when it is in force.
pub(super) struct Command {
    pub change: Box<dyn FnOnce(&mut Rules) + Send>,
    pub done: SyncSender<io::Result<()>>,
}

/// What all connections share.
#[derive(Clone)]
struct Shared {
    to: SocketAddr,
    rules: watch::Sender<Rules>,
    counts: Arc<Counts>,
    /// How many connections of each generation are open.
    open: watch::Sender<BTreeMap<u64, usize>>,
}

/// Forwards until whoever sends commands is gone. `ready` is told once it listens.
pub(super) async fn serve(
    port: Port,
    to: SocketAddr,
    counts: Arc<Counts>,
    mut commands: mpsc::UnboundedReceiver<Command>,
    ready: SyncSender<io::Result<()>>,
) {
    let shared = Shared { to, rules: watch::Sender::new(Rules::default()), counts, open: watch::Sender::default() };
    let mut listener = None;
    // Whoever is told waits for it, unless its thread has died.
    let _ = ready.send(listen_or_not(&port, &mut listener, true));
    loop {
        tokio::select! {
            biased;
            command = commands.recv() => {
                let Some(command) = command else { return };
                shared.rules.send_modify(command.change);
                let (refuse, generation) = {
                    let rules = shared.rules.borrow();
                    (rules.refuse, rules.generation)
                };
                let listens = listen_or_not(&port, &mut listener, !refuse);
                let mut open = shared.open.subscribe();
                // The sender is in `shared`, so it does not fail.
                let _ = open.wait_for(|open| open.range(..generation).next().is_none()).await;
                let _ = command.done.send(listens);
            }
            accepted = accept(listener.as_ref()) => {
                if let Ok(client) = accepted {
                    shared.take(client);
                }
            }
        }
    }
}

fn listen_or_not(port: &Port, listener: &mut Option<TcpListener>, listens: bool) -> io::Result<()> {
    if !listens {
        *listener = None;
    } else if listener.is_none() {
        *listener = Some(port.listen()?);
    }
    Ok(())
}

async fn accept(listener: Option<&TcpListener>) -> io::Result<TcpStream> {
    match listener {
        Some(listener) => listener.accept().await.map(|(client, _)| client),
        None => std::future::pending().await,
    }
}

impl Shared {
    fn take(&self, client: TcpStream) {
        let generation = self.rules.borrow().generation;
        self.counts.accepted.fetch_add(1, Ordering::Relaxed);
        self.counts.open.fetch_add(1, Ordering::Relaxed);
        self.open.send_modify(|open| *open.entry(generation).or_default() += 1);
        let shared = self.clone();
        tokio::spawn(async move {
            shared.connection(client, generation).await;
            shared.counts.open.fetch_sub(1, Ordering::Relaxed);
            shared.open.send_modify(|open| {
                let left = open.get_mut(&generation).map_or(0, |left| {
                    *left -= 1;
                    *left
                });
                if left == 0 {
                    open.remove(&generation);
                }
            });
        });
    }

    /// Forwards one connection to its end. The sockets are closed when this returns.
    async fn connection(&self, mut client: TcpStream, generation: u64) {
        let mut rules = self.rules.subscribe();
        let mut cut = self.rules.subscribe();
        let is_cut = async {
            // The sender is in `self`, so it does not fail.
            let _ = cut.wait_for(|rules| rules.generation > generation).await;
        };
        tokio::pin!(is_cut);
        let connecting = async {
            // What the client wants does not get through, and that begins with its connection.
            let _ = rules.wait_for(|rules| !rules.way(Direction::Up).stalled).await;
            TcpStream::connect(self.to).await.ok()
        };
        tokio::pin!(connecting);
        let server = tokio::select! {
            biased;
            () = &mut is_cut => {
                // The server may have accepted already, and is to see the reset, too.
                if let Ok(Some(server)) = timeout(CONNECTING, connecting).await {
                    reset(&server);
                }
                None
            }
            server = &mut connecting => server,
        };
        let Some(mut server) = server else { return reset(&client) };
        // A connection that is gone already says so below.
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let end = {
            let (client_read, client_write) = client.split();
            let (server_read, server_write) = server.split();
            let up = self.pump(Direction::Up).run(client_read, server_write);
            let down = self.pump(Direction::Down).run(server_read, client_write);
            tokio::select! {
                biased;
                () = is_cut => End::Broken,
                end = both(up, down) => end,
            }
        };
        if end == End::Broken {
            reset(&client);
            reset(&server);
        }
    }

    fn pump(&self, direction: Direction) -> Pump {
        Pump { direction, rules: self.rules.clone(), counts: self.counts.clone() }
    }
}

/// Both are closed, or one is broken.
async fn both(up: impl Future<Output = End>, down: impl Future<Output = End>) -> End {
    tokio::pin!(up, down);
    let (mut up_is_open, mut down_is_open) = (true, true);
    while up_is_open || down_is_open {
        let end = tokio::select! {
            end = &mut up, if up_is_open => { up_is_open = false; end }
            end = &mut down, if down_is_open => { down_is_open = false; end }
        };
        if end == End::Broken {
            return End::Broken;
        }
    }
    End::Closed
}

fn reset(stream: &TcpStream) {
    // Closed with nothing lingering, a connection is reset. If it is gone already there is nothing to reset.
    let _ = stream.set_zero_linger();
}
