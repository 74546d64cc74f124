//! What is visible only from the inside.

use crate::bulkhead::handle::Bulkhead;
use crate::circuit_breaker::handle::CircuitBreaker;
use crate::policy::handle::Policy;
use crate::retry::policy::RetryPolicy;

/// ER-13: a handle that is leaked takes its name along, which counts references until then.
#[test]
fn a_leaked_handle_has_a_leaked_name() {
    let name = |of: &str| format!("made for {of}");
    let circuit_breaker = CircuitBreaker::builder(name("a circuit breaker")).build().expect("valid");
    let bulkhead = Bulkhead::builder(name("a bulkhead")).build().expect("valid");
    let retry = RetryPolicy::builder(name("a retry")).build().expect("valid");
    let policy = Policy::builder(name("a policy")).bulkhead(|bulkhead| bulkhead).build().expect("valid");
    let names = [circuit_breaker.name(), bulkhead.name(), retry.name(), policy.name()].map(Clone::clone);
    assert!(names.iter().all(|name| name.counts_references()));
    let _ = (circuit_breaker.leak(), bulkhead.leak(), retry.leak(), policy.leak());
    assert!(!names.iter().any(|name| name.counts_references()));
}
