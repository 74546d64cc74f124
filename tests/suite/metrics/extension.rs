use std::fmt::Display;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusBuilder;
use seaworthy::observe::{ExtensionEvent, ExtensionMetric, Interest, Measure, MeasureValue, Notifier, Severity};
use seaworthy::{Event, MetricsObserver, Name, Observer, TracingObserver};

use crate::support::{LevelFilter, Log};

#[derive(Debug)]
struct Lease {
    name: Option<Name>,
    severity: Severity,
    holder: &'static str,
}

impl ExtensionEvent for Lease {
    fn component(&self) -> &'static str {
        "leader"
    }

    fn name(&self) -> Option<&Name> {
        self.name.as_ref()
    }

    fn kind(&self) -> &'static str {
        "lease_lost"
    }

    fn severity(&self) -> Severity {
        self.severity
    }

    fn fields(&self, field: &mut dyn FnMut(&'static str, &dyn Display)) {
        field("term", &7);
        field("holder", &self.holder);
    }
}

fn lease(severity: Severity) -> Lease {
    Lease { name: Some(Name::from("billing")), severity, holder: "pod-1" }
}

/// ME-20: a companion's event is logged at its severity, on one line.
#[test]
fn me_20_logged() {
    let log = Log::default();
    let _listening = log.listen(LevelFilter::DEBUG);
    let notifier = Notifier::default().or_default();
    for severity in [Severity::Debug, Severity::Info, Severity::Warn, Severity::Error] {
        notifier.notify(Event::Extension(&lease(severity)));
    }
    notifier.notify(Event::Extension(&Lease { name: None, severity: Severity::Info, holder: "x\nFORGED" }));
    let text = log.take();
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let expected = [
        r#"DEBUG seaworthy::extension: event component="leader" name=billing kind="lease_lost" fields=term=7 holder=pod-1"#,
        r#"INFO seaworthy::extension: event component="leader" name=billing kind="lease_lost" fields=term=7 holder=pod-1"#,
        r#"WARN seaworthy::extension: event component="leader" name=billing kind="lease_lost" fields=term=7 holder=pod-1"#,
        r#"ERROR seaworthy::extension: event component="leader" name=billing kind="lease_lost" fields=term=7 holder=pod-1"#,
        r#"INFO seaworthy::extension: event component="leader" kind="lease_lost" fields=term=7 holder=x\nFORGED"#,
    ];
    assert_eq!(lines, expected);
}

/// ME-20: it is counted by component, name and kind; without a name, that label is empty.
#[test]
fn me_20_counted() {
    let recorder = PrometheusBuilder::new().build_recorder();
    metrics::with_local_recorder(&recorder, || {
        let notifier = Notifier::new((TracingObserver, MetricsObserver::new()));
        notifier.notify(Event::Extension(&lease(Severity::Warn)));
        notifier.notify(Event::Extension(&lease(Severity::Info)));
        notifier.notify(Event::Extension(&Lease { name: None, ..lease(Severity::Info) }));
    });
    let text = recorder.handle().render();
    let count = |name: &str, count: u32| {
        format!(r#"seaworthy_extension_events_total{{name="{name}",component="leader",kind="lease_lost"}} {count}"#)
    };
    assert!(text.contains(&count("billing", 2)) && text.contains(&count("", 1)), "{text}");
}

/// ME-20: of several observers, one that asks only for changes receives only changes; a panic stays in the notifier.
#[test]
fn me_20_interest_and_panics() {
    #[derive(Debug)]
    struct Renewed;
    impl ExtensionEvent for Renewed {
        fn component(&self) -> &'static str {
            "leader"
        }
        fn name(&self) -> Option<&Name> {
            None
        }
        fn kind(&self) -> &'static str {
            "renewed"
        }
        fn severity(&self) -> Severity {
            Severity::Debug
        }
        fn interest(&self) -> Interest {
            Interest::Calls
        }
    }
    let told = Arc::<Mutex<Vec<&'static str>>>::default();
    let kinds = Arc::clone(&told);
    let changes = move |event: &Event<'_>| match event {
        Event::Extension(event) => kinds.lock().unwrap().push(event.kind()),
        _ => unreachable!("nothing else is told"),
    };
    let panics = |_: &Event<'_>| panic!("on purpose");
    let notifier = Notifier::new((changes, panics, MetricsObserver::new()));
    assert_eq!((notifier.interest(), Renewed.interest()), (Interest::Calls, Interest::Calls));
    notifier.notify(Event::Extension(&Renewed));
    notifier.notify(Event::Extension(&lease(Severity::Warn)));
    assert_eq!(*told.lock().unwrap(), ["lease_lost"]);

    // Nor is it told of calls as the only observer.
    let kinds = Arc::clone(&told);
    let notifier = Notifier::new(move |event: &Event<'_>| match event {
        Event::Extension(event) => kinds.lock().unwrap().push(event.kind()),
        _ => unreachable!("nothing else is told"),
    });
    notifier.notify(Event::Extension(&Renewed));
    notifier.notify(Event::Extension(&lease(Severity::Warn)));
    assert_eq!(*told.lock().unwrap(), ["lease_lost"; 2]);
}

const TURNS: ExtensionMetric = ExtensionMetric::new("harbour_turns_total", "Turns that were taken, by outcome");
const MOORED: ExtensionMetric = ExtensionMetric::new("harbour_moored", "Ships that are moored");
const DEPTH: ExtensionMetric = ExtensionMetric::new("harbour_depth_metres", "How deep the water is");
const TURN: ExtensionMetric = ExtensionMetric::new("harbour_turn_seconds", "How long turns took");

// Of their own, because a metric is described once, and tests run side by side.
const CALLED: ExtensionMetric = ExtensionMetric::new("harbour_called_total", "Ships that have called");
const CALL: ExtensionMetric = ExtensionMetric::new("harbour_call_seconds", "How long ships stayed");

/// Told of calls only; with what it measures.
#[derive(Debug)]
struct Turn<'a>(&'a [Measure<'a>]);

impl ExtensionEvent for Turn<'_> {
    fn component(&self) -> &'static str {
        "harbour"
    }

    fn name(&self) -> Option<&Name> {
        None
    }

    fn kind(&self) -> &'static str {
        "turn"
    }

    fn severity(&self) -> Severity {
        Severity::Debug
    }

    fn interest(&self) -> Interest {
        Interest::Calls
    }

    fn measures(&self, measure: &mut dyn FnMut(Measure<'_>)) {
        self.0.iter().copied().for_each(measure);
    }
}

fn rendered(tell: impl FnOnce()) -> String {
    let recorder = PrometheusBuilder::new().set_buckets(&[1.0]).unwrap().build_recorder();
    metrics::with_local_recorder(&recorder, tell);
    recorder.handle().render()
}

/// CO-23: what an event measures is in series of the companion's own, with its labels and no others, and the event is
/// counted like any other.
#[test]
fn co_23_measured() {
    let done = String::from("do\"ne");
    let text = rendered(|| {
        let notifier = Notifier::new((TracingObserver, MetricsObserver::new()));
        for outcome in [done.as_str(), &done, "late"] {
            let labels: &[_] = &[("name", "north"), ("outcome", outcome)];
            notifier.notify(Event::Extension(&Turn(&[
                TURNS.count(labels, 2),
                TURNS.count(&[("name", "north"), ("outcome", "failed")], 0),
                DEPTH.level(&[], 7.5),
                DEPTH.level(&[], 4.25),
                TURN.time(&[("name", "north")], Duration::from_millis(250)),
            ])));
        }
    });
    for line in [
        "# HELP harbour_turns_total Turns that were taken, by outcome",
        "# TYPE harbour_turns_total counter",
        r#"harbour_turns_total{name="north",outcome="do\"ne"} 4"#,
        r#"harbour_turns_total{name="north",outcome="late"} 2"#,
        r#"harbour_turns_total{name="north",outcome="failed"} 0"#,
        "# HELP harbour_depth_metres How deep the water is",
        "# TYPE harbour_depth_metres gauge",
        "harbour_depth_metres 4.25",
        "# TYPE harbour_turn_seconds histogram",
        r#"harbour_turn_seconds_bucket{name="north",le="1"} 3"#,
        r#"harbour_turn_seconds_sum{name="north"} 0.75"#,
        r#"seaworthy_extension_events_total{name="",component="harbour",kind="turn"} 3"#,
    ] {
        assert!(text.lines().any(|said| said == line), "{line} is missing:\n{text}");
    }
}

/// CO-23, ME-07: a gauge that is given steps shows their sum, in whichever order threads tell them, and also to a
/// recorder that was not there for the first of them; it is never below 0.
#[test]
fn co_23_steps() {
    let labels: &[_] = &[("name", "steps")];
    let step = |by| {
        Notifier::new(MetricsObserver::new()).notify(Event::Extension(&Turn(&[MOORED.step(labels, by)])));
    };
    step(3);
    let shown = |by| rendered(|| step(by)).lines().find(|line| line.starts_with("harbour_moored{")).map(String::from);
    assert_eq!(shown(-1).as_deref(), Some(r#"harbour_moored{name="steps"} 2"#));
    assert_eq!(shown(-3).as_deref(), Some(r#"harbour_moored{name="steps"} 0"#));
    assert_eq!(shown(1).as_deref(), Some(r#"harbour_moored{name="steps"} 0"#), "its other half was told first");
    assert_eq!(shown(1).as_deref(), Some(r#"harbour_moored{name="steps"} 1"#));
}

/// CO-23: an observer of the user's own reads what is measured, if it hears of calls; one that does not is not even told
/// of the event. A panic in an extension stays in the notifier.
#[test]
fn co_23_interest() {
    #[derive(Default)]
    struct Reads(Mutex<Vec<(&'static str, MeasureValue, usize)>>);
    impl Observer for Reads {
        fn on_event(&self, event: &Event<'_>) {
            let Event::Extension(event) = event else { unreachable!("nothing else is told") };
            event.measures(&mut |measure| {
                let (metric, labels) = (measure.metric(), measure.labels().len());
                self.0.lock().unwrap().push((metric.name(), measure.value(), labels));
            });
        }
        fn interest(&self) -> Interest {
            Interest::Calls
        }
    }
    let reads = Arc::new(Reads::default());
    let changes_only = |_: &Event<'_>| panic!("it asked for changes only");
    let notifier = Notifier::new((Arc::clone(&reads), changes_only));
    let second = Duration::from_secs(1);
    notifier.notify(Event::Extension(&Turn(&[CALLED.count(&[("outcome", "done")], 1), CALL.time(&[], second)])));
    let read = [(CALLED.name(), MeasureValue::Count(1), 1), (CALL.name(), MeasureValue::Time(second), 0)];
    assert_eq!(*reads.0.lock().unwrap(), read);

    #[derive(Debug)]
    struct Panics;
    impl ExtensionEvent for Panics {
        fn component(&self) -> &'static str {
            "harbour"
        }
        fn name(&self) -> Option<&Name> {
            None
        }
        fn kind(&self) -> &'static str {
            "panics"
        }
        fn severity(&self) -> Severity {
            Severity::Info
        }
        fn measures(&self, _: &mut dyn FnMut(Measure<'_>)) {
            panic!("on purpose");
        }
    }
    let text = rendered(|| {
        let notifier = Notifier::new((Arc::clone(&reads), MetricsObserver::new()));
        notifier.notify(Event::Extension(&Panics));
        notifier.notify(Event::Extension(&Turn(&[CALLED.count(&[], 1)])));
    });
    assert_eq!(reads.0.lock().unwrap().len(), 3);
    assert!(text.lines().any(|line| line == "harbour_called_total 1"), "{text}");
}
