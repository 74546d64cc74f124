use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use metrics_exporter_prometheus::PrometheusBuilder;
use seaworthy::{Bulkhead, CircuitBreaker, Health, MetricsObserver, Phase, RetryPolicy, Verdict};

const CALLS: u64 = 2_000;

fn value(text: &str, series: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {series} in {text}")).parse().unwrap()
}

/// ME-06: two threads count each call once, and leave the gauges where they belong.
#[test]
fn exactly_once() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let observer = MetricsObserver::new();
    let circuit_breaker =
        CircuitBreaker::builder("me-threads").consecutive_failures(1).observer(observer).build().unwrap();
    let bulkhead = Bulkhead::builder("me-threads").limit(1).observer(observer).build().unwrap();
    let policy = RetryPolicy::builder("me-threads").no_budget().observer(observer).build().unwrap();
    metrics::with_local_recorder(&recorder, || {
        // The gauges, which were set while there was no recorder.
        circuit_breaker.force_closed();
        bulkhead.set_limit(2).unwrap();
    });
    let stop = AtomicBool::new(false);
    let work = |verdict| {
        metrics::with_local_recorder(&recorder, || {
            let mut rejected = 0;
            for _ in 0..CALLS {
                match bulkhead.try_acquire() {
                    Ok(permit) => drop(permit),
                    Err(_) => rejected += 1,
                }
                circuit_breaker.admit().unwrap().settle(verdict);
                let done = policy.run(|| std::future::ready(Ok::<_, seaworthy::BoxError>(())));
                assert!(tokio_test::block_on(done).is_ok());
            }
            rejected
        })
    };
    let looked = thread::scope(|scope| {
        let threads = [Verdict::Success, Verdict::Failure].map(|verdict| scope.spawn(move || work(verdict)));
        // Whatever is seen in between is possible.
        let watcher = scope.spawn(|| {
            let mut looked = 0;
            while !stop.load(Ordering::Acquire) {
                let text = recorder.handle().render();
                if text.contains("permits_in_use{name=\"me-threads\"}") {
                    assert!(value(&text, "seaworthy_bulkhead_permits_in_use{name=\"me-threads\"}") <= 2);
                    looked += 1;
                }
                thread::yield_now();
            }
            looked
        });
        let rejected: u64 = threads.map(|thread| thread.join().unwrap()).into_iter().sum();
        stop.store(true, Ordering::Release);
        assert_eq!(rejected, 0);
        watcher.join().unwrap()
    });
    let text = recorder.handle().render();
    for (series, expected) in [
        (r#"seaworthy_circuit_breaker_calls_total{name="me-threads",outcome="success"}"#, CALLS),
        (r#"seaworthy_circuit_breaker_calls_total{name="me-threads",outcome="failure"}"#, CALLS),
        (r#"seaworthy_bulkhead_permits_in_use{name="me-threads"}"#, 0),
        (r#"seaworthy_retry_requests_total{name="me-threads"}"#, 2 * CALLS),
    ] {
        assert_eq!(value(&text, series), expected, "{series}; looked {looked} times");
    }
}

/// ME-06: two threads time each call once. Nothing renders meanwhile: rendering empties the exporter's histograms, and
/// loses what a thread records at that moment.
#[test]
fn each_is_timed_once() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let circuit_breaker =
        CircuitBreaker::builder("me-timed").consecutive_failures(1).observer(MetricsObserver::new()).build().unwrap();
    thread::scope(|scope| {
        for verdict in [Verdict::Success, Verdict::Failure] {
            let (circuit_breaker, recorder) = (&circuit_breaker, &recorder);
            scope.spawn(move || {
                metrics::with_local_recorder(recorder, || {
                    circuit_breaker.force_closed();
                    (0..CALLS).for_each(|_| circuit_breaker.admit().unwrap().settle(verdict));
                });
            });
        }
    });
    let text = recorder.handle().render();
    for outcome in ["success", "failure"] {
        let series =
            format!(r#"seaworthy_circuit_breaker_call_duration_seconds_count{{name="me-timed",outcome="{outcome}"}}"#);
        assert_eq!(value(&text, &series), CALLS, "{series}");
    }
}

/// ME-06: two threads that open and close a circuit at will leave its state one-hot, and the changes counted.
#[test]
fn state_is_one_hot_in_the_end() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let circuit_breaker = CircuitBreaker::builder("me-hot").observer(MetricsObserver::new()).build().unwrap();
    let before = circuit_breaker.snapshot().generation;
    let mut last = 0;
    for round in 0..50 {
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    metrics::with_local_recorder(&recorder, || {
                        for _ in 0..20 {
                            circuit_breaker.force_open();
                            circuit_breaker.reset();
                        }
                        if round % 2 == 0 {
                            circuit_breaker.force_open();
                        }
                    });
                });
            }
        });
        let text = recorder.handle().render();
        let state = |state: &str| {
            value(&text, &format!("seaworthy_circuit_breaker_state{{name=\"me-hot\",state=\"{state}\"}}"))
        };
        let open = u64::from(circuit_breaker.state() == seaworthy::State::Open);
        assert_eq!((state("closed"), state("open")), (1 - open, open), "round {round}");
        let opened = value(&text, r#"seaworthy_circuit_breaker_opened_total{name="me-hot",cause="forced"}"#);
        assert!(opened > last && opened <= circuit_breaker.snapshot().generation - before);
        last = opened;
    }
}

/// ME-06, ME-15: while threads ask a check that goes up and down and others add, replace and remove it, its state ends
/// up one-hot, and nothing is left of it when the service is gone.
#[test]
fn checks_leave_nothing_behind() {
    let (recorder, _alone) = (PrometheusBuilder::new().build_recorder(), super::gauges::alone());
    let state = |required: bool, state: &str| {
        let series = format!("seaworthy_check_state{{name=\"me-flaps\",required=\"{required}\",state=\"{state}\"}}");
        value(&recorder.handle().render(), &series)
    };
    for round in 0..20 {
        let health = metrics::with_local_recorder(&recorder, || Health::observed(MetricsObserver::new()));
        let asked = Arc::new(AtomicU64::new(0));
        let flaps = || {
            let asked = Arc::clone(&asked);
            move || asked.fetch_add(1, Ordering::Relaxed) % 3 == 0
        };
        metrics::with_local_recorder(&recorder, || {
            health.advance(Phase::Serving);
            health.report("me-flaps", flaps()).unwrap();
            health.require("me-flaps", flaps()).unwrap();
        });
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    metrics::with_local_recorder(&recorder, || {
                        (0..200).for_each(|_| drop(health.admit()));
                    });
                });
            }
            scope.spawn(|| {
                metrics::with_local_recorder(&recorder, || {
                    for step in 0..60 {
                        match step % 4 {
                            3 => assert!(health.remove("me-flaps")),
                            1 => health.report("me-flaps", flaps()).unwrap(),
                            _ => health.require("me-flaps", flaps()).unwrap(),
                        }
                    }
                    health.require("me-flaps", flaps()).unwrap();
                });
            });
        });
        assert!(asked.load(Ordering::Relaxed) > 0);
        assert_eq!(state(true, "up") + state(true, "down"), 1, "round {round}");
        assert_eq!((state(false, "up"), state(false, "down")), (0, 0), "round {round}");
        let required_up = state(true, "up") == 1;
        metrics::with_local_recorder(&recorder, || drop(health));
        assert_eq!((state(true, "up"), state(true, "down")), (0, 0), "round {round}, was up: {required_up}");
    }
}
