use std::fmt::Debug;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::time::Duration;

use seaworthy::bulkhead::{BulkheadBuilder, Permit};
use seaworthy::{Bulkhead, bulkhead};
use static_assertions::{assert_impl_all, assert_not_impl_any};

use super::bulkhead;

fn named() -> BulkheadBuilder {
    Bulkhead::builder("ship")
}

/// BH-09: zero, or more than the supported maximum, is a build error that names the field; the edges are fine.
#[test]
fn bad_settings_are_refused() {
    let second = Duration::from_secs(1);
    let bad = [
        (Bulkhead::builder(""), "name"),
        (named().name(String::new()), "name"),
        (named().limit(0), "limit"),
        (named().limit(1_000_001), "limit"),
        (named().limit(u32::MAX), "limit"),
        (named().max_queued(5), "max_queued"),
        (named().max_wait(second).max_queued(1_000_001), "max_queued"),
        (named().max_wait(second).max_queued(u32::MAX), "max_queued"),
    ];
    for (builder, field) in bad {
        let shown = format!("{builder:?}");
        assert_eq!(builder.build().expect_err(&shown).field(), field, "{shown}");
    }
    let fine = [
        named().limit(1),
        named().limit(1_000_000).max_wait(Duration::MAX).max_queued(1_000_000),
        named().max_wait(Duration::ZERO),
        named().max_wait(Duration::ZERO).max_queued(7),
        named().max_wait(second).max_queued(0),
    ];
    for builder in fine {
        assert!(builder.clone().build().is_ok(), "{builder:?}");
    }
}

/// BH-09: `set_limit` refuses the same numbers, and then nothing changes.
#[test]
fn bad_limits_are_refused_later_too() {
    let bulkhead = bulkhead(3);
    for limit in [0, 1_000_001, u32::MAX] {
        assert_eq!(bulkhead.set_limit(limit).expect_err("out of range").field(), "limit");
        assert_eq!((bulkhead.limit(), bulkhead.available()), (3, 3));
    }
    for limit in [1, 1_000_000] {
        bulkhead.set_limit(limit).expect("in range");
        assert_eq!((bulkhead.limit(), bulkhead.available()), (limit, limit));
    }
}

/// BH-02: by default there are ten permits, and no call waits.
#[test]
fn defaults() {
    let bulkhead = named().build().expect("valid");
    assert_eq!((bulkhead.limit(), bulkhead.available(), bulkhead.name().as_str()), (10, 10, "ship"));
    let _held: Vec<_> = (0..10).map(|_| bulkhead.try_acquire().expect("free")).collect();
    assert!(tokio_test::assert_ready!(tokio_test::task::spawn(bulkhead.acquire()).poll()).is_err());
}

/// BH-10: a builder is a template, and what is built from it is independent.
#[test]
fn templates() {
    let template = named().limit(1);
    let one = template.clone().name("one").build().expect("valid");
    let two = template.name(String::from("two")).build().expect("valid");
    let _permit = one.try_acquire().expect("free");
    assert_eq!((one.available(), two.available()), (0, 1));
    assert_eq!((one.name().as_str(), two.name().as_str()), ("one", "two"));
}

assert_impl_all!(Bulkhead: Clone, Debug, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(BulkheadBuilder: Clone, Debug, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(bulkhead::BulkheadLayer: Clone, Debug, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(bulkhead::Snapshot: Copy, Debug, Eq, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
// A permit exists once.
assert_impl_all!(Permit: Debug, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_not_impl_any!(Permit: Clone);
assert_impl_all!(bulkhead::Acquire: Debug, Send, Sync, Unpin);
assert_impl_all!(bulkhead::BulkheadService<u8>: Clone, Debug, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(bulkhead::ResponseFuture<u8, u8, u8>: Debug, Send, Sync, Unpin);
// A future that is not `Unpin` does not become `Unpin`.
assert_not_impl_any!(bulkhead::ResponseFuture<std::marker::PhantomPinned, u8, u8>: Unpin);
