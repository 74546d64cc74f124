//! The default observer. It belongs to the process, so it is tested in a process of its own.

use std::process::Command;
use std::sync::{Arc, Mutex};

use seaworthy::circuit_breaker::CircuitBreakerBuilder;
use seaworthy::{
    BoxError, Bulkhead, CircuitBreaker, Event, Fallback, Health, Keyed, Observer, Phase, Policy, RetryPolicy, Timeout,
    observe,
};

use crate::support::MS;

const CHILD: &str = "SEAWORTHY_TEST_OBSERVE";

/// SO-01: everything built after the default was set without an observer of its own reports to it; what was built
/// before, or names one, does not. A second default is an error.
#[test]
fn so_01_a_default_for_all() {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "observe::in_a_process_of_its_own", "--ignored", "--nocapture"]).env(CHILD, "1");
    let output = child.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}{}", String::from_utf8_lossy(&output.stderr));
}

/// The kinds of the events so far.
#[derive(Clone, Default)]
struct Kinds(Arc<Mutex<Vec<String>>>);

impl Observer for Kinds {
    fn on_event(&self, event: &Event<'_>) {
        let text = format!("{event:?}");
        let kind = text.split(" {").next().unwrap_or_default();
        self.0.lock().unwrap().push(kind.replace('(', "::"));
    }

    fn interest(&self) -> observe::Interest {
        observe::Interest::Calls
    }
}

impl Kinds {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// Whether there was an event of this kind since the last look.
    fn told(&self, kind: &str) -> bool {
        self.take().iter().any(|told| told == kind)
    }
}

fn fragile(name: &'static str) -> CircuitBreakerBuilder {
    CircuitBreaker::builder(name).consecutive_failures(1)
}

async fn fail() -> Result<(), BoxError> {
    Err("down".into())
}

#[derive(Debug)]
struct Elected;

impl observe::ExtensionEvent for Elected {
    fn component(&self) -> &'static str {
        "leader"
    }

    fn name(&self) -> Option<&seaworthy::Name> {
        None
    }

    fn kind(&self) -> &'static str {
        "elected"
    }

    fn severity(&self) -> observe::Severity {
        observe::Severity::Info
    }
}

#[tokio::test(start_paused = true)]
#[ignore = "so_01_a_default_for_all runs it, in a process of its own"]
async fn in_a_process_of_its_own() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let (default, own) = (Kinds::default(), Kinds::default());
    let (before, builder) = (fragile("before").build().unwrap(), fragile("builder"));
    let timeout = Timeout::builder(MS).build().unwrap();
    observe::set_default(default.clone()).unwrap();
    assert_eq!(observe::set_default(Kinds::default()).unwrap_err().to_string(), "a default observer was set already");

    before.force_open();
    assert!(timeout.run(std::future::pending::<Result<(), BoxError>>()).await.is_err());
    assert_eq!(default.take(), [""; 0], "they are older");
    // The builder is, too, but not what it builds.
    builder.build().unwrap().force_open();
    assert!(default.told("CircuitBreaker::Transition"));

    // ME-20: and so does a companion's notifier, if it is told to look for a default.
    observe::Notifier::default().or_default().notify(Event::Extension(&Elected));
    let told = default.take();
    assert!(told.len() == 1 && told[0].contains("Elected"), "{told:?}");
    observe::Notifier::new(own.clone()).or_default().notify(Event::Extension(&Elected));
    assert_eq!((default.take(), own.take().len()), (vec![], 1), "its own goes first");

    let _named = fragile("named").observer(own.clone()).build().unwrap();
    let policy = Policy::builder("named")
        .circuit_breaker(|circuit_breaker| circuit_breaker)
        .observer(own.clone())
        .build()
        .unwrap();
    policy.circuit_breaker().unwrap().force_open();
    assert_eq!(
        (default.take(), own.told("CircuitBreaker::Transition")),
        (vec![], true),
        "that of the policy goes first"
    );

    parts(&default).await;
    #[cfg(feature = "http")]
    a_body(&default).await;
    #[cfg(feature = "serde")]
    {
        let policies: seaworthy::Policies = toml::from_str("[storage.circuit_breaker]").unwrap();
        policies.get("storage").unwrap().circuit_breaker().unwrap().force_open();
        assert!(default.told("CircuitBreaker::Transition"));
    }
    #[cfg(feature = "lifecycle")]
    {
        let runner = seaworthy::Runner::builder().signals([]).build().unwrap();
        runner.handle().task("task", |_| fail()).unwrap();
        assert!(default.told("Runner::TaskStarted"));
    }
    #[cfg(feature = "prober")]
    {
        let prober = seaworthy::prober::Prober::builder().build().unwrap();
        let _target = prober.add("target", None, fail).unwrap();
        assert!(default.told("Probe::TargetAdded"));
    }
}

async fn parts(default: &Kinds) {
    fragile("circuit").build().unwrap().force_open();
    assert!(default.told("CircuitBreaker::Transition"));
    let keyed: Keyed<u32, CircuitBreaker> = fragile("family").keyed().build().unwrap();
    keyed.get(&1).force_open();
    let told = default.take();
    assert!(
        ["Keyed::Built", "Keyed::Added", "CircuitBreaker::Transition"]
            .iter()
            .all(|kind| told.iter().any(|told| told == kind))
    );
    let bulkhead = Bulkhead::builder("slots").limit(1).build().unwrap();
    let _permit = bulkhead.try_acquire().unwrap();
    assert!(bulkhead.try_acquire().is_err() && default.told("Bulkhead::Acquired"));
    let retry = RetryPolicy::builder("retry").attempts(1).build().unwrap();
    assert!(retry.run(fail).await.is_err() && default.told("Retry::Stopped"));
    let timeout = Timeout::new(MS);
    assert!(
        timeout.run(std::future::pending::<Result<(), BoxError>>()).await.is_err() && default.told("Timeout::TimedOut")
    );
    let timeout = Timeout::builder(MS).name("named").build().unwrap();
    assert!(
        timeout.run(std::future::pending::<Result<(), BoxError>>()).await.is_err() && default.told("Timeout::TimedOut")
    );
    let fallback = Fallback::value("fallback", ()).when(|_: &BoxError| true).build().unwrap();
    assert!(fallback.run(fail()).await.is_ok() && default.told("Fallback::FellBack"));
    Health::new().advance(Phase::Serving);
    assert!(default.told("Health::PhaseChanged"));
    let policy =
        Policy::builder("policy").timeout(MS).circuit_breaker(|circuit_breaker| circuit_breaker).build().unwrap();
    let late = policy.run(async || std::future::pending::<Result<(), BoxError>>().await).await;
    assert!(late.is_err() && default.told("Timeout::TimedOut"));
    policy.circuit_breaker().unwrap().force_open();
    assert!(default.told("CircuitBreaker::Transition"));
}

#[cfg(feature = "http")]
async fn a_body(default: &Kinds) {
    use http_body_util::BodyExt;

    struct Silent;

    impl http_body::Body for Silent {
        type Data = bytes::Bytes;
        type Error = BoxError;

        fn poll_frame(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<http_body::Frame<bytes::Bytes>, BoxError>>> {
            std::task::Poll::Pending
        }
    }

    let layer = seaworthy::http::BodyTimeoutLayer::builder().idle(MS).build().unwrap();
    let mut body = std::pin::pin!(layer.wrap(Silent));
    assert!(body.frame().await.unwrap().is_err() && default.told("Timeout::TimedOut"));
}
