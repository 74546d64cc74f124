use seaworthy::BoxError;
use seaworthy_ledger::{AnyLedger, AnyStore, Claimed, IdempotencyLayer, Ledger, Memory, WithClaim};
use tower::{Layer, ServiceExt};

use super::given::{Request, inner, key, key_of};
use crate::doubles::{Fault, Faulty};

/// CO-08d: a ledger whose store is hidden does what one with the store itself does, under a type that does not say which
/// it is; clones of the store are the same store.
#[tokio::test(start_paused = true)]
async fn any_store() {
    let store = Faulty::default();
    let any = AnyStore::new(store.clone());
    let ledgers: [AnyLedger; 3] = [
        Ledger::with_store("one", any.clone()).build().unwrap(),
        Ledger::with_store("same", any).build().unwrap(),
        Ledger::with_store("other", AnyStore::new(Memory::default())).build().unwrap(),
    ];
    let inner = inner(|request: WithClaim<Request, AnyStore>, call| async move {
        Ok::<_, BoxError>(format!("{} {call} {:?}", request.get_ref(), request.fence()))
    });
    let [one, same, other] =
        ledgers.clone().map(|ledger| IdempotencyLayer::new(ledger, key_of).with_claim().layer(inner.clone()));
    assert_eq!(one.clone().oneshot("a").await.unwrap(), "a 1 Some(1)");
    assert_eq!(same.clone().oneshot("a").await.unwrap(), "a 1 Some(1)");
    assert_eq!(other.oneshot("a").await.unwrap(), "a 2 Some(1)");
    let Claimed::Mine(mut claim) = ledgers[0].claim(&key("b")).await.unwrap() else { panic!("not mine") };
    assert!(claim.renew().await.unwrap().is_yes());
    let kept: u32 = claim.checkpoints().run("step", || async { Ok::<_, BoxError>(7) }).await.unwrap();
    let again: u32 = claim.checkpoints().run("step", || async { Ok::<_, BoxError>(8) }).await.unwrap();
    assert_eq!((kept, again), (7, 7));
    assert!(claim.fail("no").await.unwrap().is_yes());
    assert!(ledgers[1].lookup(&key("b")).await.unwrap().unwrap().reason.is_some());
    assert_eq!(ledgers[1].sweep().await.unwrap(), 0);
    store.set(Fault::Down);
    assert!(ledgers[1].claim(&key("b")).await.unwrap_err().is_unavailable());
    assert!(!format!("{:?}", ledgers[1].store()).is_empty());
}

/// A hidden memory, where tokio's clock is paused.
#[cfg(feature = "test-util")]
#[derive(Clone)]
struct Hidden;

#[cfg(feature = "test-util")]
impl seaworthy_ledger::conformance::Subject for Hidden {
    type Store = AnyStore;

    async fn fresh(&self) -> AnyStore {
        AnyStore::new(Memory::default())
    }

    async fn pass(&self, span: std::time::Duration) {
        tokio::time::advance(span).await;
    }
}

/// CO-08d, LG-21: a hidden store passes the suite that every store is held to.
#[cfg(feature = "test-util")]
#[tokio::test(start_paused = true)]
async fn conformance() {
    seaworthy_ledger::conformance::run(&Hidden).await;
}
