use std::time::Duration;

use seaworthy::{Bulkhead, CircuitBreaker, Keyed};

use super::template;

/// KY-11: impossible settings are refused by `build`, which names the setting, even those of the template.
#[test]
fn ky_11_bad_settings() {
    let idle = |idle| template().keyed::<u32>().idle(idle).build().map(|_| ());
    let max = |max| template().keyed::<u32>().max(max).build_labelled(|_| "x").map(|_| ());
    let table = [
        (idle(Duration::ZERO), "idle", "must be longer than zero"),
        (max(0), "max", "must be at least 1"),
        (max(1_000_001), "max", "must not be greater than 1,000,000"),
        (CircuitBreaker::builder("").keyed::<u32>().build().map(|_| ()), "name", "must not be empty"),
        (
            template().max_concurrent_probes(0).keyed::<u32>().build().map(|_| ()),
            "max_concurrent_probes",
            "must be at least 1",
        ),
        (Bulkhead::builder("x").limit(0).keyed::<u32>().build().map(|_| ()), "limit", "must be at least 1"),
    ];
    for (result, field, rule) in table {
        let error = result.unwrap_err();
        assert_eq!((error.field(), error.rule()), (field, rule));
    }
    for fine in [idle(Duration::from_nanos(1)), idle(Duration::MAX), max(1), max(1_000_000)] {
        assert_eq!(fine, Ok(()));
    }
}

/// KY-11: the defaults, and a template that makes several families.
#[test]
fn ky_11_defaults() {
    let builder = Bulkhead::builder("tenants").keyed();
    let [first, second]: [Keyed<u32, Bulkhead>; 2] = [builder.clone().build().unwrap(), builder.build().unwrap()];
    assert_eq!(first.snapshot().max, 1_000);
    let _permit = first.get(&1).try_acquire().unwrap();
    assert_eq!((first.len(), second.len()), (1, 0));
    assert_eq!(second.get(&1).in_use(), 0);
}
