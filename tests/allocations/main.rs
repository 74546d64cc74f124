//! What calls and handles cost in heap. A separate binary, because it replaces the allocator with one that counts, for
//! each thread separately. Bytes are as requested; what an allocator adds to them does not count.

#[cfg(feature = "http")]
mod body;
mod bulkhead;
mod circuit_breaker;
mod deadline;
mod fallback;
#[cfg(feature = "grpc")]
mod grpc;
#[cfg(feature = "http")]
mod hops;
mod keyed;
mod observer;
mod readiness;
mod retry;
mod timeout;

use std::hint::black_box;

/// Allocations during `work`.
fn allocations(work: impl FnOnce()) -> u64 {
    allocation_counter::measure(work).count_total
}

/// A check that cannot fail is not a check.
#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| drop(black_box(Box::new(1)))), 1);
    assert_eq!(allocations(|| _ = black_box(1)), 0);
}
