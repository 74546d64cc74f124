use seaworthy_leader::{Epoch, Local, LocalElector};
use seaworthy_store::time::{now, sleep};

use crate::doubles::{candidate, millis, seconds, settle_down};

/// LE-70: a lease that is revoked is lost at once for a leader of the same elector, and at its next renewal for another's.
#[tokio::test(start_paused = true)]
async fn le_70_revoke() {
    let elector = LocalElector::builder().build().unwrap();
    let (other, kept) = (elector.campaign("a").await.unwrap(), elector.campaign("b").await.unwrap());
    elector.revoke("a");
    elector.revoke("unknown");
    settle_down().await;
    assert!(!other.is_valid() && kept.is_valid());
    let another = LocalElector::on(elector.store()).build().unwrap();
    let term = another.campaign("a").await.unwrap();
    assert_eq!(term.epoch(), Epoch::new(2));
    elector.revoke("a");
    settle_down().await;
    assert!(term.is_valid());
    sleep(seconds(6)).await;
    assert!(!term.is_valid());
}

/// LE-70: a leader that is not renewed is told at 11 s and over at 14 s, and the next one is renewed again.
#[tokio::test(start_paused = true)]
async fn le_70_stop_renewing() {
    let elector = LocalElector::builder().build().unwrap();
    let term = elector.campaign("a").await.unwrap();
    let from = now();
    elector.stop_renewing("a");
    term.ended().requested().await;
    assert!(now() - from >= seconds(11) && now() - from <= millis(11_002));
    drop(term);
    let next = elector.campaign("a").await.unwrap();
    sleep(seconds(60)).await;
    assert!(next.is_valid());
}

/// LE-70: a row that went back is lost for its leader, and the next epoch is above what its elector has seen.
#[tokio::test(start_paused = true)]
async fn le_70_go_back() {
    let elector = LocalElector::builder().build().unwrap();
    let term = elector.campaign("a").await.unwrap();
    elector.go_back("a");
    settle_down().await;
    assert!(!term.is_valid());
    assert_eq!(elector.campaign("a").await.unwrap().epoch(), Epoch::new(2));
}

/// LE-70: electors on one store are candidates that compete; electors of their own are not.
#[tokio::test(start_paused = true)]
async fn le_70_shared() {
    let local = Local::default();
    let _term = LocalElector::on(&local).build().unwrap().campaign("a").await.unwrap();
    assert!(candidate(&local).0.try_campaign("a").await.unwrap().is_none());
    assert!(LocalElector::builder().build().unwrap().try_campaign("a").await.unwrap().is_some());
}
