//! One direction of one connection: what is read on one side is written on the other, as the rules of the moment say.
//!
//! All of a proxy runs on one thread. Between a look at the rules and the write that it allows there is no await, so
//! that nothing is forwarded once whoever asked for a stall was told that it is one.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::rules::{Counts, Direction, Rules};

/// As much as is read at once.
const CHUNK: usize = 16 * 1024;
/// As many chunks are on their way in the proxy; beyond it the sender has to wait, as if the network was full.
const CHUNKS: usize = 64;

/// How a direction has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The sender has said all that it had to say, and the receiver knows.
    Closed,
    /// The connection is broken: both sides are to see that.
    Broken,
}

/// What was read, and when it is due on the other side.
struct Item {
    due: Instant,
    what: What,
}

enum What {
    Bytes(Vec<u8>),
    Closed,
    Broken,
}

pub(super) struct Pump {
    pub direction: Direction,
    pub rules: watch::Sender<Rules>,
    pub counts: Arc<Counts>,
}

impl Pump {
    /// Forwards until the end of this direction.
    pub(super) async fn run(self, from: ReadHalf<'_>, mut to: WriteHalf<'_>) -> End {
        let (sender, receiver) = mpsc::channel(CHUNKS);
        let reading = read(from, sender, self.rules.subscribe());
        // A writer that has ended drops the receiver, which ends the reader.
        let (end, ()) = tokio::join!(self.write(receiver, &mut to), reading);
        end
    }

    async fn write(self, mut items: mpsc::Receiver<Item>, to: &mut WriteHalf<'_>) -> End {
        let mut rules = self.rules.subscribe();
        let mut has_lost = false;
        while let Some(item) = self.next(&mut items, &mut rules, has_lost).await {
            sleep_until(item.due).await;
            let bytes = match item.what {
                What::Bytes(bytes) => bytes,
                What::Closed => {
                    unstalled(&mut rules, self.direction).await;
                    // If the receiver is gone the other direction says so.
                    let _ = to.shutdown().await;
                    return End::Closed;
                }
                What::Broken => {
                    unstalled(&mut rules, self.direction).await;
                    return End::Broken;
                }
            };
            match self.forward(&bytes, to, &mut rules, &mut has_lost).await {
                Ok(()) => {}
                // The receiver is gone, which the sender learns as soon as anything may reach it.
                Err(_) => {
                    unstalled(&mut rules, self.direction.opposite()).await;
                    return End::Broken;
                }
            }
        }
        End::Broken
    }

    /// None once a connection that has lost bytes is to be cut: TCP delivers nothing after a hole.
    async fn next(
        &self,
        items: &mut mpsc::Receiver<Item>,
        rules: &mut watch::Receiver<Rules>,
        has_lost: bool,
    ) -> Option<Item> {
        let direction = self.direction;
        let lost_enough = async {
            // The sender of the rules is this pump's, so there is one.
            let _ = rules.wait_for(|rules| has_lost && rules.way(direction).drop == 0).await;
        };
        tokio::select! {
            biased;
            () = lost_enough => None,
            item = items.recv() => item,
        }
    }

    async fn forward(
        &self,
        mut bytes: &[u8],
        to: &mut WriteHalf<'_>,
        rules: &mut watch::Receiver<Rules>,
        has_lost: &mut bool,
    ) -> io::Result<()> {
        while !bytes.is_empty() {
            unstalled(rules, self.direction).await;
            if !*has_lost {
                to.writable().await?;
            }
            let (stalled, drop) = {
                let now = rules.borrow_and_update();
                let way = now.way(self.direction);
                (way.stalled, way.drop)
            };
            if stalled {
                continue;
            }
            let lost = drop.min(bytes.len() as u64);
            if lost > 0 {
                *has_lost = true;
                self.rules.send_modify(|rules| rules.way_mut(self.direction).drop -= lost);
            }
            if *has_lost {
                return Ok(());
            }
            match to.try_write(bytes) {
                Ok(written) => {
                    self.counts.add(self.direction, written);
                    bytes = &bytes[written..];
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Reads ahead of the writer, so that a delay delays each byte and not the next ones as well.
async fn read(from: ReadHalf<'_>, to: mpsc::Sender<Item>, rules: watch::Receiver<Rules>) {
    let mut buffer = vec![0; CHUNK];
    loop {
        let Ok(room) = to.reserve().await else { return };
        let ready = tokio::select! {
            ready = from.readable() => ready,
            // Nobody will write it any more.
            () = to.closed() => return,
        };
        let what = match ready.and_then(|()| from.try_read(&mut buffer)) {
            Ok(0) => What::Closed,
            Ok(length) => What::Bytes(buffer[..length].to_vec()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            Err(_) => What::Broken,
        };
        let is_last = !matches!(what, What::Bytes(_));
        let delay: Duration = rules.borrow().delay;
        room.send(Item { due: Instant::now() + delay, what });
        if is_last {
            return;
        }
    }
}

async fn unstalled(rules: &mut watch::Receiver<Rules>, direction: Direction) {
    // It fails when the proxy ends, which ends all that it runs.
    let _ = rules.wait_for(|rules| !rules.way(direction).stalled).await;
}
