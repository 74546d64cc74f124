//! An elector of somebody else's: it compares and swaps one value, sees that it is over and is not told, and renews
//! nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use seaworthy::observe::Notifier;
use seaworthy::{BoxError, Name, Shutdown};
use seaworthy_leader::conformance::{self, ElectorSubject};
use seaworthy_leader::{
    ElectionError, Elector, Epoch, Leader, LeaderGuard, Pace, Sight, Term, TermControl, TermEnd, TermOwner,
};
use seaworthy_store::time::{now, sleep};

const TTL: Duration = Duration::from_secs(15);

#[derive(Clone, Default)]
struct Swaps {
    held: Arc<Mutex<HashMap<Name, (u64, bool)>>>,
    sight: Sight,
    notifier: Notifier,
}

struct Owner {
    swaps: Swaps,
    name: Name,
    epoch: u64,
    control: Mutex<Option<TermControl>>,
}

impl TermOwner for Owner {
    fn wind_down(&self, _: Instant) {}

    fn end(&self, _: TermEnd) {
        let mut held = self.swaps.held.lock().unwrap();
        if held.get(&self.name) == Some(&(self.epoch, true)) {
            held.insert(self.name.clone(), (self.epoch, false));
        }
        drop(held);
        if let Some(control) = self.control.lock().unwrap().take() {
            control.released();
        }
    }
}

impl Swaps {
    fn swap(&self, name: &Name) -> Option<Term<()>> {
        let epoch = {
            let mut held = self.held.lock().unwrap();
            let (epoch, is_held) = held.get(name).copied().unwrap_or_default();
            if is_held {
                return None;
            }
            held.insert(name.clone(), (epoch + 1, true));
            epoch + 1
        };
        self.sight.answered();
        let owner = Arc::new(Owner { swaps: self.clone(), name: name.clone(), epoch, control: Mutex::default() });
        let deadline = (now() + TTL).into_std();
        let (term, control) = Term::granted(name.clone(), Epoch::new(epoch), deadline, (), owner.clone());
        *owner.control.lock().unwrap() = Some(control);
        Some(term)
    }
}

fn checked(name: Name) -> Result<Name, ElectionError> {
    if name.is_empty() || name.len() > 100 || name.chars().any(char::is_control) {
        return Err(seaworthy::ConfigError::new("lease", "name", name.as_str(), "must be a name").into());
    }
    Ok(name)
}

impl Elector for Swaps {
    type Store = ();

    async fn campaign(&self, name: Name) -> Result<Term<()>, ElectionError> {
        let name = checked(name)?;
        loop {
            if let Some(term) = self.swap(&name) {
                return Ok(term);
            }
            sleep(Duration::from_millis(10)).await;
        }
    }

    async fn try_campaign(&self, name: Name) -> Result<Option<Term<()>>, ElectionError> {
        Ok(self.swap(&checked(name)?))
    }

    async fn leader(&self, name: Name) -> Result<Option<Leader>, ElectionError> {
        let held = self.held.lock().unwrap().get(&checked(name)?).copied();
        let leader = |(epoch, _)| Leader::new("somebody", Epoch::new(epoch), None, TTL);
        Ok(held.filter(|(_, is_held)| *is_held).map(leader))
    }

    fn pace(&self) -> Pace {
        Pace::new(TTL, Duration::from_secs(3), Duration::from_secs(10), Duration::from_millis(10))
    }

    fn sight(&self) -> &Sight {
        &self.sight
    }

    fn notifier(&self) -> &Notifier {
        &self.notifier
    }
}

#[derive(Clone)]
struct OfSwaps;

impl ElectorSubject for OfSwaps {
    type Elector = Swaps;

    async fn candidates(&self, number: usize) -> Vec<Swaps> {
        let swaps = Swaps::default();
        (0..number).map(|_| swaps.clone()).collect()
    }

    async fn pass(&self, span: Duration) {
        sleep(span).await;
    }
}

/// LE-01, LE-72: an elector of another kind, that compares and swaps, can be written on public types alone; it passes the
/// suite, and guards work on it.
#[tokio::test(start_paused = true)]
async fn own_elector_conforms() {
    conformance::run_elector(&OfSwaps).await;
    let swaps = Swaps::default();
    let guard = LeaderGuard::new(swaps.clone(), "a", |term: Term<()>| async move {
        term.ended().requested().await;
        Ok::<(), BoxError>(())
    });
    let (watch, (trigger, shutdown)) = (guard.watch(), Shutdown::new());
    let guard = tokio::spawn(guard.run(shutdown));
    sleep(Duration::from_secs(1)).await;
    assert_eq!(watch.epoch(), Some(Epoch::new(1)));
    trigger.fire();
    assert!(guard.await.unwrap().is_ok());
    assert!(swaps.try_campaign("a".into()).await.unwrap().is_some());
}

/// LE-04, LE-06: what such an elector says of a term is held to the same: a renewal moves the deadline, never backward;
/// told is told; lost, or found over, is for ever.
#[tokio::test(start_paused = true)]
async fn terms_of_own() {
    let granted = || {
        let owner = Arc::new(Owner { swaps: Swaps::default(), name: "a".into(), epoch: 1, control: Mutex::default() });
        let deadline = (now() + Duration::from_secs(5)).into_std();
        Term::granted("a".into(), Epoch::new(1), deadline, (), owner)
    };
    let in_seconds = |seconds| (now() + Duration::from_secs(seconds)).into_std();
    let (term, control) = granted();
    assert!(control.renewed(in_seconds(10)) && control.renewed(in_seconds(1)));
    assert_eq!(term.deadline(), Some(in_seconds(10)));
    control.tell(in_seconds(3));
    assert!(term.is_valid() && term.ended().is_requested());
    sleep(Duration::from_secs(10)).await;
    assert!(!term.is_valid());
    assert!(!control.renewed(in_seconds(10)) && !term.is_valid() && term.deadline().is_none());

    let (term, control) = granted();
    control.lost(in_seconds(3));
    assert!(!term.is_valid() && term.ended().is_requested() && !control.renewed(in_seconds(10)));
    let (term, control) = granted();
    let watch = term.watch();
    drop(term);
    assert!(!watch.is_valid() && watch.ended().is_requested() && !control.renewed(in_seconds(10)));
}
