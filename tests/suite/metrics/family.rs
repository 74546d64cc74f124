//! SO-08: the names of a keyed family's handles in metrics.

use metrics_exporter_prometheus::PrometheusBuilder;
use seaworthy::{CircuitBreaker, Keyed, MetricsObserver, Verdict};

/// The lines of a family of this name, after two keys were used, one of which is open.
fn exported(name: &'static str, observer: MetricsObserver) -> Vec<String> {
    let recorder = PrometheusBuilder::new().build_recorder();
    metrics::with_local_recorder(&recorder, || {
        let builder = CircuitBreaker::builder(name).consecutive_failures(1).observer(observer);
        let keyed: Keyed<&'static str, CircuitBreaker> = builder.keyed().build().unwrap();
        keyed.get(&"well").admit().unwrap().settle(Verdict::Success);
        keyed.get(&"ill").admit().unwrap().settle(Verdict::Failure);
        let text = recorder.handle().render();
        text.lines().filter(|line| line.contains(&format!("\"{name}"))).map(str::to_owned).collect()
    })
}

/// SO-08: by default all handles share the series of the family, which are added up; the overflow is one of them.
#[test]
fn so_08_the_family_by_default() {
    let lines = exported("pets", MetricsObserver::new());
    assert!(lines.iter().all(|line| line.contains("name=\"pets\"")), "{lines:#?}");
    for line in [
        "seaworthy_circuit_breaker_calls_total{name=\"pets\",outcome=\"success\"} 1",
        "seaworthy_circuit_breaker_calls_total{name=\"pets\",outcome=\"failure\"} 1",
        "seaworthy_circuit_breaker_state{name=\"pets\",state=\"closed\"} 2",
        "seaworthy_circuit_breaker_state{name=\"pets\",state=\"open\"} 1",
        "seaworthy_keyed_handles{name=\"pets\"} 2",
    ] {
        assert!(lines.iter().any(|known| known == line), "no {line} in {lines:#?}");
    }
}

/// SO-08: each key has its own series if asked for.
#[test]
fn so_08_keys_where_they_are_asked_for() {
    let lines = exported("hosts", MetricsObserver::new().label_keys());
    for line in [
        "seaworthy_circuit_breaker_calls_total{name=\"hosts[well]\",outcome=\"success\"} 1",
        "seaworthy_circuit_breaker_state{name=\"hosts[ill]\",state=\"open\"} 1",
        "seaworthy_circuit_breaker_state{name=\"hosts (overflow)\",state=\"closed\"} 1",
        "seaworthy_keyed_handles{name=\"hosts\"} 2",
    ] {
        assert!(lines.iter().any(|known| known == line), "no {line} in {lines:#?}");
    }
    assert!(
        !lines.iter().any(|line| line.starts_with("seaworthy_circuit") && line.contains("\"hosts\"")),
        "{lines:#?}"
    );
}
