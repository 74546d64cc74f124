use std::time::Duration;

use seaworthy_queue::redis::Redis;
use seaworthy_queue::store::{Cancelled, DeadLetters, Held, Producer, Settlement, Source};

use super::support::{ACK, LONG, Space, all, dead, holder, id, one, retry, take};

/// QU-60: a stream that another program fills is consumed: the entry's id is the job's, through all that can happen to it,
/// and its dead letters are where that program looks for them.
#[tokio::test]
async fn entries_of_another_program() {
    let space = Space::new().await;
    let letters = space.beside("letters");
    let queue = Redis::new(&space.stream(), &space.store).plain_kind("provision").dead_letters(&letters);
    let add = |payload: &str| {
        let added = space.ask(&["XADD", &space.stream(), "*", "payload", payload]);
        added.text().unwrap().to_owned()
    };
    let first = add("{\"tenant\":1}");
    let cancelled = add("{}");
    let asked = take(1);
    let (taken, held) = one(&queue, &asked).await;
    assert_eq!((taken.id.as_str(), &*taken.kind, taken.version), (first.as_str(), "provision", 1));
    assert_eq!((&*taken.body, taken.attempt), (&b"{\"tenant\":1}"[..], 1));
    assert!(taken.waited < Duration::from_secs(5) && !taken.accepted_at.is_zero());
    assert_eq!(queue.cancel(&id(&cancelled)).await.unwrap(), Cancelled::Removed);
    assert_eq!(queue.settle(&held, &retry(Duration::ZERO)).await.unwrap(), Held::Yes);
    let (taken, held) = one(&queue, &take(1)).await;
    assert_eq!((taken.id.as_str(), &*taken.kind, taken.attempt, taken.fence), (first.as_str(), "provision", 2, 2));
    assert_eq!(queue.extend(std::slice::from_ref(&held), LONG).await.unwrap(), [Held::Yes]);
    assert_eq!(queue.settle(&held, &dead("never")).await.unwrap(), Held::Yes);
    assert_eq!(space.number(&["XLEN", &letters]), 1);
    let found = queue.get(&id(&first)).await.unwrap().unwrap();
    assert_eq!((found.attempts, &*found.kind, &*found.reason), (2, "provision", "never"));
    assert!(queue.redrive(&id(&first)).await.unwrap());
    let asked = take(9);
    let again = all(&queue, &asked).await;
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].headers.get("redriven"), Some("1"));
    assert_eq!(queue.settle(&holder(&asked, &again[0]), &ACK).await.unwrap(), Held::Yes);
    // Its own dead letters, too, can be listed and given another chance.
    space.ask(&["XADD", &letters, "*", "payload", "{}", "error", "theirs"]);
    let theirs = queue.list(None, 9).await.unwrap().remove(0);
    assert_eq!(&*theirs.body, b"{}");
    assert!(queue.redrive(&theirs.id).await.unwrap());
    let asked = take(9);
    let taken = all(&queue, &asked).await.remove(0);
    assert_eq!(taken.id, theirs.id);
    assert_eq!(queue.settle(&holder(&asked, &taken), &Settlement::Release).await.unwrap(), Held::Yes);
    assert_eq!(space.number(&["XLEN", &letters]), 0);
}

/// QU-17: an entry without a payload is handed out as an empty body, which no codec reads, and is not dropped.
#[tokio::test]
async fn no_payload() {
    let space = Space::new().await;
    space.ask(&["XADD", &space.stream(), "*", "other", "x"]);
    let (taken, _) = one(&space.queue, &take(1)).await;
    assert!(taken.body.is_empty() && taken.kind.is_empty());
}
