use std::fmt::Display;
use std::sync::{Arc, Mutex};

use metrics_exporter_prometheus::PrometheusBuilder;
use seaworthy::observe::{ExtensionEvent, Interest, Notifier, Severity};
use seaworthy::{Event, MetricsObserver, Name, TracingObserver};

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
