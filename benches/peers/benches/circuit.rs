//! The same rows under criterion: a group for each row, a function for each peer.

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use seaworthy_peers::{Bench, Row, entries, floors};

fn circuit(criterion: &mut Criterion) {
    for row in Row::ALL {
        let mut group = criterion.benchmark_group(row.title());
        let mut run = |name: &str, mut bench: Box<dyn Bench>| {
            group.bench_function(name, |bencher| bencher.iter_custom(|calls| bench.time(calls)));
        };
        // Built one at a time, because a probe is only held for a few seconds.
        for entry in entries() {
            match (entry.bench)(row) {
                Some(bench) => run(entry.name, bench),
                None => println!("{}: {} has nothing of the kind", row.title(), entry.name),
            }
        }
        for (name, bench) in floors(row) {
            run(name, bench);
        }
        group.finish();
    }
}

fn short() -> Criterion {
    Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(1))
}

criterion_group! {
    name = benches;
    config = short();
    targets = circuit
}
criterion_main!(benches);
