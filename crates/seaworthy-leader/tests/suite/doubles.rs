//! A store that can be told to be down, slow, or to lose its answers; and an observer that remembers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use seaworthy::observe::{Interest, MeasureValue};
use seaworthy::{Event, Name, Observer};
use seaworthy_leader::store::{Acquired, Answers, Bid, Candidate, LeaseStore, Renewal, Row, RowTime, Tenure};
use seaworthy_leader::{ElectorBuilder, ErrorClass, LeaseElector, Local, StoreError};
use seaworthy_store::time::sleep;

/// What the store does in place of its work.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Fault {
    #[default]
    None,
    /// Answers at once that it cannot be reached.
    Down,
    /// Answers at once that it is not usable.
    Refused,
    /// Accepts, and never answers; nothing is done.
    Hangs,
    /// Does it, and the answer never comes.
    LosesAnswers,
    /// Does it, and answers later.
    SlowAnswer(Duration),
    /// Is held up on the way, and then begun, whoever waits for it.
    HeldUp(Duration),
    /// Says that the row is locked by a transaction.
    Locked,
    /// The next one only says that it was begun too late.
    LateOnce,
    /// Has no answer to what it was asked, and from the thousandth time on none at all.
    TooFew,
}

/// Leases in memory, with faults of this one's own: clones of `inner` are other ways to the same rows.
#[derive(Clone, Default)]
pub(crate) struct Faulty {
    pub(crate) inner: Local,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    fault: Fault,
    faults: HashMap<&'static str, Fault>,
    calls: Vec<&'static str>,
    sizes: Vec<usize>,
}

impl Faulty {
    pub(crate) fn on(inner: &Local) -> Faulty {
        Faulty { inner: inner.clone(), state: Arc::default() }
    }

    pub(crate) fn set(&self, fault: Fault) {
        self.state.lock().unwrap().fault = fault;
    }

    /// For these requests only, by the name of the method.
    pub(crate) fn set_for(&self, what: &'static str, fault: Fault) {
        self.state.lock().unwrap().faults.insert(what, fault);
    }

    /// From now on it works.
    pub(crate) fn heal(&self) {
        let mut state = self.state.lock().unwrap();
        state.fault = Fault::None;
        state.faults.clear();
    }

    /// What was asked for, since this was last called.
    pub(crate) fn take_calls(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.state.lock().unwrap().calls)
    }

    /// How often it was asked this, since the calls were last taken.
    pub(crate) fn count(&self, what: &str) -> usize {
        self.state.lock().unwrap().calls.iter().filter(|call| **call == what).count()
    }

    /// How many names the statements were for.
    pub(crate) fn take_sizes(&self) -> Vec<usize> {
        std::mem::take(&mut self.state.lock().unwrap().sizes)
    }

    fn fault_of(&self, what: &'static str, size: usize) -> Fault {
        let mut state = self.state.lock().unwrap();
        state.calls.push(what);
        state.sizes.push(size);
        let fault = state.faults.get(what).copied().unwrap_or(state.fault);
        if fault == Fault::LateOnce {
            state.faults.remove(what);
            state.fault = Fault::None;
        }
        fault
    }

    async fn asked<T: Send + 'static>(
        &self,
        what: &'static str,
        fault: Fault,
        work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        match fault {
            Fault::TooFew if self.count(what) > 1000 => std::future::pending().await,
            Fault::None | Fault::Locked | Fault::LateOnce | Fault::TooFew => work.await,
            Fault::Down => Err(StoreError::new(ErrorClass::Unavailable, what, "told to be down")),
            Fault::Refused => Err(StoreError::new(ErrorClass::Refused, what, "told to refuse")),
            Fault::Hangs => std::future::pending().await,
            Fault::LosesAnswers => {
                let _lost = work.await;
                std::future::pending().await
            }
            Fault::SlowAnswer(span) => {
                let answer = work.await;
                sleep(span).await;
                answer
            }
            Fault::HeldUp(span) => tokio::spawn(async move {
                sleep(span).await;
                work.await
            })
            .await
            .unwrap(),
        }
    }
}

impl LeaseStore for Faulty {
    async fn acquire(
        &self,
        candidate: &Candidate<'_>,
        bids: &[Bid],
        begin_by: RowTime,
    ) -> Result<Answers<Acquired>, StoreError> {
        let fault = self.fault_of("acquire", bids.len());
        let (holder, hint) = (candidate.holder.to_owned(), candidate.hint.map(str::to_owned));
        let (inner, bids, ttl) = (self.inner.clone(), bids.to_vec(), candidate.ttl);
        let each = bids.len();
        let work = async move {
            let candidate = Candidate { holder: &holder, hint: hint.as_deref(), ttl };
            match fault {
                Fault::LateOnce => inner.acquire(&candidate, &bids, RowTime(i64::MIN)).await,
                Fault::Locked => {
                    let at = inner.read(&[]).await?.at;
                    Ok(Answers { at, each: vec![Acquired::Locked; each] })
                }
                Fault::TooFew => Ok(Answers { at: inner.read(&[]).await?.at, each: Vec::new() }),
                _ => inner.acquire(&candidate, &bids, begin_by).await,
            }
        };
        self.asked("acquire", fault, work).await
    }

    async fn renew(
        &self,
        tenures: &[Tenure],
        ttl: Duration,
        begin_by: RowTime,
    ) -> Result<Answers<Renewal>, StoreError> {
        let fault = self.fault_of("renew", tenures.len());
        let (inner, tenures) = (self.inner.clone(), tenures.to_vec());
        let work = async move {
            match fault {
                Fault::LateOnce => inner.renew(&tenures, ttl, RowTime(i64::MIN)).await,
                Fault::Locked => {
                    let at = inner.read(&[]).await?.at;
                    Ok(Answers { at, each: vec![Renewal::Locked; tenures.len()] })
                }
                Fault::TooFew => Ok(Answers { at: inner.read(&[]).await?.at, each: Vec::new() }),
                _ => inner.renew(&tenures, ttl, begin_by).await,
            }
        };
        self.asked("renew", fault, work).await
    }

    async fn release(&self, name: &Name, term: u128) -> Result<(), StoreError> {
        let fault = self.fault_of("release", 1);
        let (inner, name) = (self.inner.clone(), name.clone());
        self.asked("release", fault, async move { inner.release(&name, term).await }).await
    }

    async fn read(&self, names: &[Name]) -> Result<Answers<Option<Row>>, StoreError> {
        let fault = self.fault_of("read", names.len());
        let (inner, names) = (self.inner.clone(), names.to_vec());
        self.asked("read", fault, async move { inner.read(&names).await }).await
    }
}

/// A candidate with faults of its own, for the rows of `local`.
pub(crate) fn candidate(local: &Local) -> (LeaseElector<Faulty>, Faulty) {
    let store = Faulty::on(local);
    (builder(&store).build().unwrap(), store)
}

pub(crate) fn builder(store: &Faulty) -> ElectorBuilder<Faulty> {
    LeaseElector::with_store(store.clone())
}

/// What an observer was told.
#[derive(Clone, Default)]
pub(crate) struct Told(Arc<Mutex<Vec<Line>>>);

#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) kind: &'static str,
    pub(crate) name: Option<String>,
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

    /// The fields of the events of this kind.
    pub(crate) fn texts(&self, kind: &str) -> Vec<String> {
        self.lines().into_iter().filter(|line| line.kind == kind).map(|line| line.text).collect()
    }
}

struct Recorder(Told, Interest);

impl Observer for Recorder {
    fn on_event(&self, event: &Event<'_>) {
        let Event::Extension(event) = event else { return };
        assert_eq!(event.component(), "leader");
        let name = event.name().map(|name| name.to_string());
        let mut line = Line { kind: event.kind(), name, text: String::new(), series: Vec::new() };
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
        self.1
    }
}

/// An observer of calls.
pub(crate) fn recorder() -> (Told, impl Observer + 'static) {
    let told = Told::default();
    (told.clone(), Recorder(told, Interest::Calls))
}

/// An observer of changes.
pub(crate) fn changes() -> (Told, impl Observer + 'static) {
    let told = Told::default();
    (told.clone(), Recorder(told, Interest::Changes))
}

/// Lets the other tasks of a paused runtime run.
pub(crate) async fn settle_down() {
    for _ in 0..30 {
        tokio::task::yield_now().await;
    }
}

pub(crate) const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}
