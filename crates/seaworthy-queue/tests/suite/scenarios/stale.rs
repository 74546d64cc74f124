//! Whoever had a job, and comes back when somebody else has it.

use std::time::Duration;

use seaworthy_queue::StoreError;
use seaworthy_queue::store::{Held, Holder, QueueStore, Settlement, Source};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::support::{ACK, LONG, accept, counts, id, millis, one};

/// What a holder can ask for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Operation {
    Ack,
    Extend,
    Retry,
    Defer,
    Release,
    Bury,
}

impl Operation {
    pub(crate) const ALL: [Operation; 6] =
        [Operation::Ack, Operation::Extend, Operation::Retry, Operation::Defer, Operation::Release, Operation::Bury];

    pub(crate) async fn ask<S: Source>(self, store: &S, holder: &Holder) -> Result<Held, StoreError> {
        let settlement = match self {
            Operation::Extend => return Ok(store.extend(std::slice::from_ref(holder), LONG).await?[0]),
            Operation::Ack => ACK,
            Operation::Retry => Settlement::Retry { after: Duration::ZERO, reason: "stale".into() },
            Operation::Defer => Settlement::Defer { after: Duration::ZERO },
            Operation::Release => Settlement::Release,
            Operation::Bury => Settlement::Dead { reason: "stale".into() },
        };
        store.settle(holder, &settlement).await
    }
}

/// What the holder does while it goes stale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Nothing.
    Silent,
    /// It has asked, and what it asked for is under way until it is back.
    HeldUp,
    /// It blocks its thread.
    Blocked,
}

/// A way to go stale.
pub(crate) trait Way {
    const MANNER: Manner;

    /// From now on the holder is out of touch.
    async fn cut(&self) {}

    /// Until its lease is over.
    async fn pass(&self, lease: Duration) {
        tokio::time::sleep(lease).await;
    }

    /// It is back.
    async fn heal(&self) {}
}

/// Nothing happens at all.
pub(crate) struct Asleep;

impl Way for Asleep {
    const MANNER: Manner = Manner::Silent;
}

/// Needs more threads than one, and real time.
pub(crate) struct Blocked;

impl Way for Blocked {
    const MANNER: Manner = Manner::Blocked;
}

/// Whatever the `old` owner of a job asks for when it is back is refused, and the job is the new owner's as if nobody had
/// asked. How many were refused: as many as there are operations.
pub(crate) async fn refused<O: QueueStore, N: QueueStore>(old: &O, new: &N, lease: Duration, way: &impl Way) -> usize {
    for (number, operation) in Operation::ALL.into_iter().enumerate() {
        // While it is the holder's it may.
        accept(new, "held").await;
        let (held, _) = one(old, LONG).await;
        assert_eq!(operation.ask(old, &held).await.unwrap(), Held::Yes, "{operation:?}");
        clear(new, held).await;

        let name = format!("job-{number}");
        accept(new, &name).await;
        let (stale, _) = one(old, lease).await;
        way.cut().await;
        let (back, is_back) = Back::new();
        let asked = asking(old.clone(), operation, stale.clone(), matching(way), is_back);
        way.pass(lease).await;
        let (owned, taken) = one(new, LONG).await;
        assert_eq!((taken.id.as_str(), taken.attempt, taken.abandoned), (&*name, 2, 1), "{operation:?}");
        assert!(owned.fence > stale.fence);
        way.heal().await;
        back.tell();
        assert_eq!(asked.await.unwrap(), Held::Lost, "{operation:?}");
        untouched(new, &owned).await;
    }
    Operation::ALL.len()
}

fn matching<W: Way>(_: &W) -> Manner {
    W::MANNER
}

/// The new owner has the job, and nothing of it is anywhere else; it is done by it.
pub(crate) async fn untouched<S: QueueStore>(store: &S, owned: &Holder) {
    assert_eq!(counts(store).await, (0, 0, 1, 0));
    assert!(store.get(&owned.id).await.unwrap().is_none());
    assert_eq!(Operation::Extend.ask(store, owned).await.unwrap(), Held::Yes);
    assert_eq!(Operation::Ack.ask(store, owned).await.unwrap(), Held::Yes);
    assert_eq!(counts(store).await, (0, 0, 0, 0));
}

/// Wherever the job is by now.
async fn clear<S: QueueStore>(store: &S, held: Holder) {
    if store.settle(&held, &ACK).await.unwrap() == Held::Lost && !store.discard(&held.id).await.unwrap() {
        // Acked before, or in the queue again.
        let is_there = store.cancel(&id("held")).await.unwrap();
        assert_ne!(is_there, seaworthy_queue::store::Cancelled::Running);
    }
    assert_eq!(counts(store).await, (0, 0, 0, 0));
}

/// Told to a holder whose task waits, or whose thread does.
struct Back(oneshot::Sender<()>, std::sync::mpsc::Sender<()>);

struct IsBack(oneshot::Receiver<()>, std::sync::mpsc::Receiver<()>);

impl Back {
    fn new() -> (Back, IsBack) {
        let (task, told) = oneshot::channel();
        let (thread, heard) = std::sync::mpsc::channel();
        (Back(task, thread), IsBack(told, heard))
    }

    fn tell(self) {
        // Whoever has asked at once does not listen.
        let _heard = (self.0.send(()), self.1.send(()));
    }
}

/// Asks, in a task of its own, until it has an answer.
fn asking<S: QueueStore>(
    store: S,
    operation: Operation,
    holder: Holder,
    manner: Manner,
    is_back: IsBack,
) -> JoinHandle<Held> {
    tokio::spawn(async move {
        let IsBack(task, thread) = is_back;
        match manner {
            Manner::HeldUp => {}
            Manner::Silent => task.await.unwrap(),
            Manner::Blocked => thread.recv().unwrap(),
        }
        loop {
            match operation.ask(&store, &holder).await {
                Ok(held) => return held,
                Err(error) => assert!(error.is_unavailable(), "{error}"),
            }
            tokio::time::sleep(millis(50)).await;
        }
    })
}
