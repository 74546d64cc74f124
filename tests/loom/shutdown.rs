//! Shutdowns and their children: a child made while its parent is requested is requested too, in whatever order the
//! threads take their steps.

use loom::thread;
use seaworthy::Shutdown;

/// A child made while its parent is requested finds that out, and so does a child of that child.
#[test]
fn children_while_it_fires() {
    loom::model(|| {
        let (trigger, root) = Shutdown::new();
        let parent = root.clone();
        let made = thread::spawn(move || {
            let (_, child) = parent.child();
            let (_, grandchild) = child.child();
            (child, grandchild)
        });
        trigger.fire();
        let (child, grandchild) = made.join().unwrap();
        assert!(root.is_requested() && child.is_requested() && grandchild.is_requested());
    });
}

/// Two that fire at once together reach every child once.
#[test]
fn fired_twice() {
    loom::model(|| {
        let (trigger, root) = Shutdown::new();
        let (own, child) = root.child();
        let other = trigger.clone();
        let threads = [thread::spawn(move || other.fire()), thread::spawn(move || own.fire())];
        trigger.fire();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert!(root.is_requested() && child.is_requested());
    });
}
