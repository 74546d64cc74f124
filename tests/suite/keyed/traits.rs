//! What the public types are, besides what they do.

use std::cell::Cell;
use std::fmt::Debug;
use std::marker::PhantomPinned;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;

use seaworthy::keyed::{
    KeyedBuilder, KeyedBulkheadLayer, KeyedBulkheadService, KeyedCircuitBreakerLayer, KeyedCircuitBreakerService,
    MakeKey, Snapshot,
};
use seaworthy::{Bulkhead, CircuitBreaker, Keyed};
use static_assertions::{assert_impl_all, assert_not_impl_any};

assert_impl_all!(Keyed<String, CircuitBreaker>: Clone, Debug, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(Keyed<String, Bulkhead>: Clone, Debug, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(KeyedBuilder<Rc<()>, CircuitBreaker>: Clone, Debug, Send, Sync, Unpin);
assert_impl_all!(Snapshot: Copy, Debug, Eq, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
// Keys are stored behind locks: they have to be `Send`, not `Sync`.
assert_impl_all!(Keyed<Cell<u8>, CircuitBreaker>: Clone, Send, Sync);
assert_not_impl_any!(Keyed<Rc<()>, CircuitBreaker>: Send, Sync);

type Pick = MakeKey<fn(&u8) -> u8>;
assert_impl_all!(KeyedCircuitBreakerLayer<u8, Pick>: Clone, Debug, Send, Sync);
assert_impl_all!(KeyedBulkheadLayer<u8, Pick>: Clone, Debug, Send, Sync);
assert_impl_all!(KeyedCircuitBreakerService<Cell<u8>, u8, Pick>: Clone, Debug, Send, Unpin);
assert_not_impl_any!(KeyedCircuitBreakerService<Cell<u8>, u8, Pick>: Sync);
assert_not_impl_any!(KeyedCircuitBreakerService<Rc<()>, u8, Pick>: Send);
assert_not_impl_any!(KeyedBulkheadService<PhantomPinned, u8, Pick>: Unpin);
