use seaworthy::{Check, Health};
use seaworthy_leader::{LeaderGuard, LeaderStatus, LeaderWatch, Local, Term};
use seaworthy_store::time::{now, sleep};

use super::start;
use crate::doubles::{Fault, Faulty, builder, candidate, millis, seconds, settle_down};

/// LE-36: what a guard is at: follower with the leader and its hint, leading, ending, store down.
#[tokio::test(start_paused = true)]
async fn le_36_status() {
    let local = Local::default();
    let other = builder(&Faulty::on(&local)).hint("10.0.0.9").build().unwrap();
    let leads = other.campaign("a").await.unwrap();
    let (elector, store) = candidate(&local);
    let running = start(&elector, |term| async move {
        term.ended().requested().await;
        std::future::pending().await
    });
    let unknown = LeaderStatus::Follower { leader: None, hint: None };
    assert_eq!(running.watch.status(), unknown);
    sleep(seconds(1)).await;
    let leader = Some(other.holder().to_owned());
    assert_eq!(running.watch.status(), LeaderStatus::Follower { leader, hint: Some("10.0.0.9".to_owned()) });
    leads.resign().await;
    sleep(seconds(5)).await;
    let LeaderStatus::Leading { epoch, since, deadline } = running.watch.status() else { panic!() };
    let since = now().into_std() - since;
    assert_eq!((epoch.get(), deadline > now().into_std(), since <= seconds(5)), (2, true, true));
    store.set(Fault::Down);
    while running.watch.epoch().is_some() {
        sleep(millis(1)).await;
    }
    assert_eq!(running.watch.status(), LeaderStatus::Ending);
    sleep(seconds(6)).await;
    assert!(matches!(running.watch.status(), LeaderStatus::Store { down } if down > seconds(5)));
    store.heal();
    sleep(seconds(30)).await;
    assert!(matches!(running.watch.status(), LeaderStatus::Leading { .. }));
    drop(running);
}

/// LE-36: what watches one term only says what that is at, and that nobody leads when it is over.
#[tokio::test(start_paused = true)]
async fn le_36_one_term() {
    let (elector, store) = candidate(&Local::default());
    let term = elector.campaign("a").await.unwrap();
    let watch = LeaderWatch::from(term.watch());
    assert!(matches!(watch.status(), LeaderStatus::Leading { epoch, .. } if epoch == term.epoch()));
    assert!(watch.leading().status().is_up() && watch.store().status().is_up());
    store.set(Fault::Down);
    term.ended().requested().await;
    assert_eq!((watch.status(), watch.epoch()), (LeaderStatus::Ending, None));
    drop(term);
    assert_eq!(watch.status(), LeaderStatus::Follower { leader: None, hint: None });
    assert!(!watch.leading().status().is_up() && watch.leader().is_none());
    store.heal();
    // Nobody keeps this one's term.
    let watch = LeaderWatch::from(elector.campaign("b").await.unwrap().watch());
    assert!(watch.epoch().is_none());
}

/// LE-36: as checks: up while it leads, for `require`; and up while the store answers within a ttl, for `report`.
#[tokio::test(start_paused = true)]
async fn le_36_checks() {
    let local = Local::default();
    let (elector, store) = candidate(&local);
    let health = Health::new();
    let guard = LeaderGuard::new(elector, "a", |term: Term<Faulty>| async move {
        term.ended().requested().await;
        Ok::<(), seaworthy::BoxError>(())
    });
    let (leading, answers) = (guard.leading(), guard.store());
    assert!(matches!(guard.status(), LeaderStatus::Follower { .. }));
    health.require("leader", guard.leading()).unwrap();
    health.report("election", guard.store()).unwrap();
    assert_eq!(leading.status().reason().unwrap(), "not leader");
    assert_eq!(answers.status().reason().unwrap(), "has not answered yet");
    let (trigger, shutdown) = seaworthy::Shutdown::new();
    let task = tokio::spawn(guard.run(shutdown));
    settle_down().await;
    assert!(leading.status().is_up() && answers.status().is_up());
    sleep(seconds(102)).await;
    assert!(leading.status().is_up() && answers.status().is_up());
    store.set(Fault::Down);
    sleep(seconds(11)).await;
    assert!(!leading.status().is_up() && answers.status().is_up());
    sleep(seconds(6)).await;
    assert_eq!(answers.status().reason().unwrap(), "does not answer");
    store.heal();
    sleep(seconds(35)).await;
    assert!(leading.status().is_up() && answers.status().is_up());
    trigger.fire();
    sleep(millis(1)).await;
    assert!(task.is_finished() && !leading.status().is_up() && answers.status().is_up());
}
