//! What the public types are, beside what they do.

use std::cell::Cell;
use std::fmt::Debug;
use std::marker::PhantomPinned;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;

use seaworthy::keyed::{
    KeyedBreaker, KeyedBreakerLayer, KeyedBuilder, KeyedBulkhead, KeyedBulkheadLayer, Owned, Snapshot,
};
use seaworthy::{Circuit, Keyed, Slots};
use static_assertions::{assert_impl_all, assert_not_impl_any};

assert_impl_all!(Keyed<String, Circuit>: Clone, Debug, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(Keyed<String, Slots>: Clone, Debug, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(KeyedBuilder<Rc<()>, Circuit>: Clone, Debug, Send, Sync, Unpin);
assert_impl_all!(Snapshot: Copy, Debug, Eq, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
// Keys lie behind locks: they have to be sent, not shared.
assert_impl_all!(Keyed<Cell<u8>, Circuit>: Clone, Send, Sync);
assert_not_impl_any!(Keyed<Rc<()>, Circuit>: Send, Sync);

type Pick = Owned<fn(&u8) -> u8>;
assert_impl_all!(KeyedBreakerLayer<u8, Pick>: Clone, Debug, Send, Sync);
assert_impl_all!(KeyedBulkheadLayer<u8, Pick>: Clone, Debug, Send, Sync);
assert_impl_all!(KeyedBreaker<Cell<u8>, u8, Pick>: Clone, Debug, Send, Unpin);
assert_not_impl_any!(KeyedBreaker<Cell<u8>, u8, Pick>: Sync);
assert_not_impl_any!(KeyedBreaker<Rc<()>, u8, Pick>: Send);
assert_not_impl_any!(KeyedBulkhead<PhantomPinned, u8, Pick>: Unpin);
