//! `Shutdown` and its trigger.

use std::future::{pending, ready};
use std::sync::Arc;
use std::thread;

use seaworthy::{Shutdown, ShutdownTrigger};
use static_assertions::assert_impl_all;
use tokio_test::{assert_pending, assert_ready, assert_ready_eq, task};

assert_impl_all!(Shutdown: Clone, std::fmt::Debug, Send, Sync, Unpin);
assert_impl_all!(ShutdownTrigger: Clone, std::fmt::Debug, Send, Sync, Unpin);

/// All that wait are woken, later checks see it, and firing again changes nothing.
#[test]
fn tells_everybody() {
    let (trigger, shutdown) = Shutdown::new();
    let mut waits = task::spawn(shutdown.requested());
    let mut owns = task::spawn(shutdown.clone().requested_owned());
    let mut other = task::spawn(trigger.shutdown().requested_owned());
    assert_pending!(waits.poll());
    assert_pending!(owns.poll());
    // This one was made before, and not polled.
    assert!(!shutdown.is_requested());
    trigger.clone().fire();
    trigger.fire();
    assert!(shutdown.is_requested() && trigger.shutdown().is_requested());
    assert!(waits.is_woken() && owns.is_woken());
    assert_ready!(waits.poll());
    assert_ready!(owns.poll());
    assert_ready!(other.poll());
    assert_ready!(task::spawn(shutdown.requested()).poll());
    assert_eq!(
        format!("{shutdown:?} {trigger:?}"),
        "Shutdown { is_requested: true } ShutdownTrigger { has_fired: true }"
    );
}

/// A trigger that is dropped fires nothing, and a wait that is dropped takes nothing from others.
#[test]
fn dropped() {
    let (trigger, shutdown) = Shutdown::new();
    let mut waits = task::spawn(shutdown.requested());
    let mut gives_up = task::spawn(shutdown.requested());
    assert_pending!(waits.poll());
    assert_pending!(gives_up.poll());
    let clone = trigger.clone();
    drop(trigger);
    assert!(!waits.is_woken());
    assert_pending!(waits.poll());
    drop(gives_up);
    clone.fire();
    assert!(waits.is_woken());
    assert_ready!(waits.poll());

    let (trigger, shutdown) = Shutdown::new();
    drop(trigger);
    assert_pending!(task::spawn(shutdown.requested()).poll());
}

/// A child is requested by its own trigger or with its parent, to any depth; the parent never by the child.
#[test]
fn children() {
    let (trigger, parent) = Shutdown::new();
    let (own, child) = parent.child();
    let (_, sibling) = parent.child();
    let (_, grandchild) = sibling.child();
    own.fire();
    assert!(child.is_requested() && !parent.is_requested() && !sibling.is_requested());
    let mut waits = task::spawn(grandchild.requested());
    assert_pending!(waits.poll());
    trigger.fire();
    assert!(waits.is_woken() && sibling.is_requested());
    assert_ready!(waits.poll());
    assert!(grandchild.child().1.is_requested(), "told from the start");

    // A chain so long that no recursion would survive it.
    let (trigger, root) = Shutdown::new();
    let mut chain = vec![root];
    for _ in 0..100_000 {
        let child = chain[chain.len() - 1].child().1;
        chain.push(child);
    }
    trigger.fire();
    assert!(chain.iter().all(Shutdown::is_requested));
    // Nothing else holds the one in the middle any more.
    let (trigger, root) = Shutdown::new();
    let orphan = root.child().1.child().1;
    trigger.fire();
    assert!(orphan.is_requested());
}

/// `until` returns the output, or none once it is requested; then a future that is ready is not even polled.
#[test]
fn until() {
    let (trigger, shutdown) = Shutdown::new();
    assert_ready_eq!(task::spawn(shutdown.until(ready(7))).poll(), Some(7));
    let held = Arc::new(());
    let inside = Arc::clone(&held);
    let mut cut = task::spawn(shutdown.until(async move {
        let _inside = inside;
        pending::<()>().await
    }));
    assert_pending!(cut.poll());
    trigger.fire();
    assert!(cut.is_woken());
    assert_ready_eq!(cut.poll(), None);
    drop(cut);
    assert_eq!(Arc::strong_count(&held), 1);
    assert_ready_eq!(task::spawn(shutdown.until(async { unreachable!("polled after the end") })).poll(), None::<()>);
}

/// Children that come and go while it fires: every one that exists in the end was requested.
#[test]
fn children_while_it_fires() {
    for _ in 0..200 {
        let (trigger, root) = Shutdown::new();
        let threads = [(); 2].map(|()| {
            let root = root.clone();
            thread::spawn(move || {
                let mut kept = Vec::new();
                while kept.len() < 1_000 {
                    let (_, child) = root.child();
                    if kept.len() % 3 == 0 {
                        drop(root.child());
                    }
                    kept.push(child);
                    if root.is_requested() {
                        break;
                    }
                }
                kept
            })
        });
        thread::yield_now();
        trigger.fire();
        for thread in threads {
            let kept = thread.join().unwrap();
            assert!(kept.iter().all(Shutdown::is_requested), "{} children", kept.len());
        }
    }
}
