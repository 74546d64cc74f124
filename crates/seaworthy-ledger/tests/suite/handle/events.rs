use std::sync::{Arc, Mutex};
use std::time::Duration;

use seaworthy::observe::{Interest, MeasureValue};
use seaworthy::{Event, Observer};
use seaworthy_ledger::{Claimed, Ledger};
use seaworthy_store::time::sleep;

use super::{LEASE, key, mine};
use crate::doubles::{Fault, Faulty};

/// What an observer was told.
#[derive(Clone, Default)]
pub(crate) struct Told(Arc<Mutex<Vec<Line>>>);

#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) kind: &'static str,
    pub(crate) text: String,
    pub(crate) series: Vec<String>,
}

impl Told {
    pub(crate) fn lines(&self) -> Vec<Line> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn kinds(&self) -> Vec<&'static str> {
        self.lines().iter().map(|line| line.kind).collect()
    }

    pub(crate) fn swept(&self) -> Option<(u64, u64)> {
        let line = self.lines().into_iter().find(|line| line.kind == "swept")?;
        let mut numbers = line.text.split(' ').filter_map(|word| word.split_once('=')?.1.parse().ok());
        Some((numbers.next()?, numbers.next()?))
    }
}

struct Recorder(Told);

impl Observer for Recorder {
    fn on_event(&self, event: &Event<'_>) {
        let Event::Extension(event) = event else { return };
        assert_eq!((event.component(), event.name().map(|name| name.as_str())), ("ledger", Some("tests")));
        let mut line = Line { kind: event.kind(), text: String::new(), series: Vec::new() };
        event.fields(&mut |name, value| line.text += &format!("{name}={value} "));
        event.measures(&mut |measure| {
            let labels: Vec<_> = measure.labels().iter().map(|(name, value)| format!("{name}={value}")).collect();
            let value = match measure.value() {
                MeasureValue::Time(_) => "time".to_owned(),
                value => format!("{value:?}"),
            };
            line.series.push(format!("{}{{{}}} {value}", measure.metric().name(), labels.join(",")));
        });
        self.0.0.lock().unwrap().push(line);
    }

    fn interest(&self) -> Interest {
        Interest::Calls
    }
}

pub(crate) fn recorder() -> (Told, impl Observer + 'static) {
    let told = Told::default();
    (told.clone(), Recorder(told))
}

/// CO-23: each thing that happens is told once, and gives its series a value; the series are those of docs/metrics.md.
#[tokio::test(start_paused = true)]
async fn co_23_series() {
    let (told, observer) = recorder();
    let store = Faulty::default();
    let ledger = Ledger::with_store("tests", store.clone()).observer(observer).build().unwrap();
    let mut claim = mine(&ledger, &key("a")).await;
    claim.hold();
    assert!(matches!(ledger.claim(&key("a")).await.unwrap(), Claimed::Busy { .. }));
    sleep(LEASE / 2).await;
    assert!(claim.fail("x").await.unwrap().is_yes());
    assert!(mine(&ledger, &key("a")).await.complete("secret result").await.unwrap().is_yes());
    assert!(matches!(ledger.claim(&key("a")).await.unwrap(), Claimed::Done(_)));
    drop(mine(&ledger, &key("b")).await);
    ledger.close().await;
    store.set(Fault::Down);
    assert!(ledger.claim(&key("c")).await.is_err());
    store.set(Fault::None);
    let mut claim = mine(&ledger, &key("d")).await;
    claim.hold();
    store.set(Fault::Down);
    sleep(LEASE).await;
    let mut series: Vec<String> = told.lines().into_iter().flat_map(|line| line.series).collect();
    series.sort();
    series.dedup();
    let table = include_str!("../../../docs/metrics.md");
    for line in &series {
        let name = line.split('{').next().unwrap();
        assert!(table.contains(&format!("`{name}`")), "{name} is not in docs/metrics.md");
    }
    let text = series.join("\n");
    for expected in [
        "claims_total{name=tests,outcome=first}",
        "claims_total{name=tests,outcome=again}",
        "claims_total{name=tests,outcome=done}",
        "claims_total{name=tests,outcome=down}",
        "claim_seconds{name=tests} time",
        "settled_total{name=tests,outcome=failed}",
        "settled_total{name=tests,outcome=done}",
        "settled_total{name=tests,outcome=released}",
        "renewals_total{name=tests,outcome=renewed}",
        "renewals_total{name=tests,outcome=failed}",
        "held{name=tests} Step(1)",
        "held{name=tests} Step(-1)",
    ] {
        assert!(text.contains(expected), "{expected} is not in\n{text}");
    }
    let lost: Vec<_> = told.lines().into_iter().filter(|line| line.kind == "lost").collect();
    assert_eq!(lost.len(), 1);
    assert_eq!(lost[0].text, "key=tests/d fence=1 ");
    // CO-24: no result is ever told.
    assert!(!told.lines().iter().any(|line| line.text.contains("secret")));
}

/// CO-23: an observer that wants changes only hears of what was lost, and of nothing that goes well.
#[tokio::test(start_paused = true)]
async fn co_23_changes_only() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let ledger = Ledger::memory("tests").observer({
        let told = Arc::clone(&told);
        move |event: &Event<'_>| {
            let Event::Extension(event) = event else { return };
            told.lock().unwrap().push(event.kind());
        }
    });
    let ledger = ledger.build().unwrap();
    let mut old = mine(&ledger, &key("a")).await;
    old.begin();
    sleep(LEASE + Duration::from_secs(1)).await;
    assert!(mine(&ledger, &key("a")).await.complete("x").await.unwrap().is_yes());
    assert!(!old.complete("x").await.unwrap().is_yes());
    assert_eq!(*told.lock().unwrap(), ["settled"]);
}
