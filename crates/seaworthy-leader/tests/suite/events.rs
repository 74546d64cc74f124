use seaworthy_leader::{LeaderGuard, Local, LocalElector, Term};
use seaworthy_store::time::sleep;

use crate::doubles::{Fault, Faulty, builder, changes, millis, recorder, seconds};

/// LE-82: what happens is told in the order in which it happened, with its name.
#[tokio::test(start_paused = true)]
async fn le_82_order() {
    let (told, observer) = changes();
    let local = Local::default();
    let store = Faulty::on(&local);
    let elector = builder(&store).observer(observer).build().unwrap();
    let term = elector.campaign("a").await.unwrap();
    sleep(seconds(12)).await;
    store.set(Fault::Down);
    sleep(seconds(16)).await;
    store.heal();
    drop(term);
    elector.close().await;
    let lines = told.lines();
    let kinds: Vec<_> = lines.iter().map(|line| line.kind).filter(|kind| *kind != "renew_failed").collect();
    let expected = ["campaigning", "elected", "single_thread", "store_down", "told", "expired", "store_up"];
    assert_eq!(kinds, expected);
    for line in &lines {
        let name = if line.kind.starts_with("store") { None } else { Some("a".to_owned()) };
        assert_eq!(line.name, name, "{}", line.kind);
    }
    assert_eq!(told.texts("elected"), ["epoch=1 waited=0ns "]);
    assert_eq!(told.texts("told"), ["epoch=1 why=deadline "]);
    assert!(told.texts("expired")[0].starts_with("epoch=1 by=10"), "{:?}", told.texts("expired"));
    assert_eq!(told.texts("renew_failed")[0], "class=unavailable left=9s ");
    assert_eq!(told.texts("store_down"), ["asked=renew class=unavailable "]);
}

/// LE-82: an observer that panics, or comes back to the elector from within, stops nothing.
#[tokio::test(start_paused = true)]
async fn le_82_observers() {
    let local = Local::default();
    let inner = LocalElector::on(&local).build().unwrap();
    let elector = LocalElector::on(&local).observer({
        let inner = inner.clone();
        move |_: &seaworthy::Event<'_>| {
            assert!(format!("{inner:?}").contains("held"));
            panic!("on purpose");
        }
    });
    let elector = elector.build().unwrap();
    for epoch in 1..=3 {
        let term = elector.campaign("a").await.unwrap();
        assert_eq!(term.epoch().get(), epoch);
        sleep(seconds(20)).await;
        assert!(term.is_valid());
        term.resign().await;
    }
}

/// LE-82: the series are those of docs/metrics.md, each with the values that it is to have.
#[tokio::test(start_paused = true)]
async fn le_82_series() {
    let (told, observer) = recorder();
    let local = Local::default();
    let store = Faulty::on(&local);
    let elector = builder(&store).observer(observer).build().unwrap();
    let term = elector.campaign("a").await.unwrap();
    sleep(seconds(6)).await;
    store.set(Fault::Down);
    sleep(seconds(20)).await;
    store.heal();
    drop(term);
    elector.close().await;
    let term = elector.campaign("a").await.unwrap();
    LocalElector::on(&local).build().unwrap().revoke("a");
    sleep(seconds(6)).await;
    drop(term);
    elector.campaign("a").await.unwrap().resign().await;
    for panics in [false, true] {
        let guard = LeaderGuard::new(elector.clone(), "a", move |_: Term<Faulty>| async move {
            assert!(!panics);
            Err::<(), _>("no")
        });
        let (trigger, shutdown) = seaworthy::Shutdown::new();
        let guard = tokio::spawn(guard.run(shutdown));
        sleep(millis(1)).await;
        trigger.fire();
        assert!(guard.await.unwrap().is_ok());
    }
    let mut series: Vec<String> = told.lines().into_iter().flat_map(|line| line.series).collect();
    series.sort();
    series.dedup();
    let table = include_str!("../../docs/metrics.md");
    for line in &series {
        let name = line.split('{').next().unwrap();
        assert!(table.contains(&format!("`{name}`")), "{name} is not in docs/metrics.md");
    }
    let text = series.join("\n");
    for expected in [
        "leading{name=a} Level(1.0)",
        "leading{name=a} Level(0.0)",
        "epoch{name=a} Level(1.0)",
        "epoch{name=a} Level(2.0)",
        "terms_total{name=a,end=expired} Count(1)",
        "terms_total{name=a,end=lost} Count(1)",
        "terms_total{name=a,end=released} Count(1)",
        "terms_total{name=a,end=failed} Count(1)",
        "terms_total{name=a,end=panicked} Count(1)",
        "renewals_total{name=a,outcome=renewed} Count(1)",
        "renewals_total{name=a,outcome=failed} Count(1)",
        "renewals_total{name=a,outcome=lost} Count(1)",
        "renew_seconds{name=a} time",
        "deadline_seconds{name=a} Level(14.0)",
        "deadline_seconds{name=a} Level(0.0)",
        "store_down_seconds{} Level(0.0)",
        "store_down_seconds{} Level(1.0)",
    ] {
        assert!(text.contains(expected), "{expected} is not in\n{text}");
    }
    // Each term ended once.
    let ends =
        told.lines().iter().flat_map(|line| line.series.clone()).filter(|line| line.contains("terms_total")).count();
    assert_eq!(ends, told.texts("elected").len());
    for name in table.split('`').filter(|word| word.starts_with("seaworthy_leader_")) {
        assert!(text.contains(name), "{name} is given no value");
    }
}

/// CO-23: an observer of changes hears nothing of what goes well.
#[tokio::test(start_paused = true)]
async fn co_23_changes_only() {
    let (told, observer) = changes();
    let elector = builder(&Faulty::default()).observer(observer).build().unwrap();
    let term = elector.campaign("a").await.unwrap();
    sleep(seconds(600)).await;
    assert_eq!(told.kinds(), ["campaigning", "elected", "single_thread"]);
    term.resign().await;
    assert_eq!(told.texts("released"), ["epoch=1 end=released "]);
}
