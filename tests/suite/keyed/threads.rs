use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use seaworthy::{Bulkhead, Keyed};

/// KY-02, KY-05: many threads, many keys, room for few and hardly any idle time: a holder of a key's only permit is
/// alone with it, so there was never a second bulkhead for the key; and there are never more than `max`.
#[test]
fn ky_02_never_two_for_a_key() {
    const KEYS: usize = 24;
    const MAX: u32 = 8;
    for idle in [Duration::from_nanos(1), Duration::from_secs(3600)] {
        let builder = Bulkhead::builder("tenants").limit(1).keyed().idle(idle).max(MAX);
        let tenants: Keyed<usize, Bulkhead> = builder.build().unwrap();
        let inside: Arc<[AtomicU32; KEYS]> = Arc::new([const { AtomicU32::new(0) }; KEYS]);
        let start = Barrier::new(4);
        std::thread::scope(|scope| {
            for thread in 0..4_usize {
                let (tenants, inside, start) = (tenants.clone(), &inside, &start);
                scope.spawn(move || {
                    start.wait();
                    let mut seed = thread as u64 + 1;
                    let mut kept = Vec::new();
                    for _ in 0..20_000 {
                        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                        let key = (seed >> 33) as usize % KEYS;
                        let bulkhead = tenants.get(&key);
                        if bulkhead.name().ends_with(" (overflow)") {
                            continue;
                        }
                        assert_eq!(bulkhead.name(), format!("tenants[{key}]").as_str());
                        if let Ok(permit) = bulkhead.try_acquire() {
                            assert_eq!(inside[key].fetch_add(1, Ordering::Relaxed), 0, "{key}");
                            if seed >> 62 == 0 && kept.len() < 2 {
                                kept.push((key, permit));
                            } else {
                                inside[key].fetch_sub(1, Ordering::Relaxed);
                                drop(permit);
                            }
                        }
                        if seed >> 60 == 1 {
                            for (key, permit) in kept.drain(..) {
                                inside[key].fetch_sub(1, Ordering::Relaxed);
                                drop(permit);
                            }
                        }
                        assert!(tenants.len() <= MAX as usize);
                    }
                    for (key, _) in &kept {
                        inside[*key].fetch_sub(1, Ordering::Relaxed);
                    }
                });
            }
        });
        let snapshot = tenants.snapshot();
        assert_eq!(snapshot.handles, tenants.handles().len() as u64);
        assert_eq!(snapshot.created, snapshot.handles + snapshot.evicted_idle + snapshot.evicted_for_capacity);
        // It was as crowded as it should be.
        assert!(snapshot.evicted_idle + snapshot.evicted_for_capacity > 100, "{snapshot:?}");
    }
}

/// KY-01: of many threads that ask for a new key at once, all get the same handle.
#[test]
fn ky_01_made_once() {
    for _ in 0..200 {
        let tenants: Keyed<u32, Bulkhead> = Bulkhead::builder("tenants").limit(1).keyed().build().unwrap();
        let start = Barrier::new(4);
        let bulkhead = std::thread::scope(|scope| {
            let ask = || {
                start.wait();
                tenants.get(&7).try_acquire()
            };
            let threads = [(); 4].map(|()| scope.spawn(ask));
            threads.map(|thread| thread.join().unwrap())
        });
        assert_eq!(bulkhead.iter().filter(|permit| permit.is_ok()).count(), 1);
        assert_eq!((tenants.len(), tenants.snapshot().created), (1, 1));
    }
}
