use std::fmt::{self, Display};
use std::time::Duration;

use seaworthy::Name;
use seaworthy::observe::{ExtensionEvent, ExtensionMetric, Interest, Measure, Severity};
use seaworthy_store::ErrorClass;

use crate::key::Key;
use crate::outcome::{ClaimOutcome, RenewalOutcome, SettleOutcome};

const CLAIMS: ExtensionMetric = ExtensionMetric::new("seaworthy_ledger_claims_total", "Claims, by their outcome");
const CLAIM_SECONDS: ExtensionMetric =
    ExtensionMetric::new("seaworthy_ledger_claim_seconds", "How long the store took to answer a claim");
const SETTLED: ExtensionMetric =
    ExtensionMetric::new("seaworthy_ledger_settled_total", "Claims that ended, by how they did");
const RENEWALS: ExtensionMetric =
    ExtensionMetric::new("seaworthy_ledger_renewals_total", "Renewals of leases, by their outcome");
const HELD: ExtensionMetric = ExtensionMetric::new("seaworthy_ledger_held", "Claims that this process holds");
const STALE: ExtensionMetric =
    ExtensionMetric::new("seaworthy_ledger_stale", "Rows that run past their lease, as the sweeper read them");

/// What a ledger reports to an [`Observer`](seaworthy::Observer), as an extension's event of the component `ledger`.
///
/// Keys are shown in part, in logs only; results never.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The store answered a claim, or did not. For observers of calls.
    Claimed {
        /// The ledger's name.
        ledger: &'a Name,
        /// The answer.
        outcome: ClaimOutcome,
        /// How long it took.
        elapsed: Duration,
    },
    /// A claim ended. For observers of calls, unless it was lost.
    Settled {
        /// The ledger's name.
        ledger: &'a Name,
        /// The key.
        key: &'a Key,
        /// How it ended.
        outcome: SettleOutcome,
    },
    /// A lease was renewed or found lost. For observers of calls.
    Renewed {
        /// The ledger's name.
        ledger: &'a Name,
        /// What became of it.
        outcome: RenewalOutcome,
    },
    /// A renewal could not be asked for; it is tried again every second until the leases' local end.
    RenewFailed {
        /// The ledger's name.
        ledger: &'a Name,
        /// The class of the store's error.
        class: ErrorClass,
        /// How many leases were to be renewed.
        keys: usize,
    },
    /// A claim that is held was lost: its work has been told to stop.
    Lost {
        /// The ledger's name.
        ledger: &'a Name,
        /// The key.
        key: &'a Key,
        /// The fence that is worth nothing any more.
        fence: u64,
    },
    /// The store is down, and a request went on without a claim, as `OnDown::Proceed` says.
    Proceeded {
        /// The ledger's name.
        ledger: &'a Name,
    },
    /// The answer of work that was done could not be kept: it was recorded as done, and who repeats it gets none.
    NotEncoded {
        /// The ledger's name.
        ledger: &'a Name,
        /// The key.
        key: &'a Key,
        /// What the codec said, or the layer.
        error: &'a str,
    },
    /// Leases are renewed on a runtime with one thread: work that blocks it stops the renewing, too. Told once.
    SingleThread {
        /// The ledger's name.
        ledger: &'a Name,
    },
    /// The sweeper was there. For observers of calls.
    Swept {
        /// The ledger's name.
        ledger: &'a Name,
        /// Rows that were removed.
        removed: u64,
        /// Rows that run past their lease.
        stale: u64,
    },
    /// The number of claims that this process holds changed. For observers of calls.
    Holding {
        /// The ledger's name.
        ledger: &'a Name,
        /// One more, or one less.
        step: i8,
    },
}

impl Event<'_> {
    fn ledger(&self) -> &Name {
        match self {
            Event::Claimed { ledger, .. }
            | Event::Settled { ledger, .. }
            | Event::Renewed { ledger, .. }
            | Event::RenewFailed { ledger, .. }
            | Event::Lost { ledger, .. }
            | Event::Proceeded { ledger }
            | Event::NotEncoded { ledger, .. }
            | Event::SingleThread { ledger }
            | Event::Swept { ledger, .. }
            | Event::Holding { ledger, .. } => ledger,
        }
    }
}

impl ExtensionEvent for Event<'_> {
    fn component(&self) -> &'static str {
        "ledger"
    }

    fn name(&self) -> Option<&Name> {
        Some(self.ledger())
    }

    fn kind(&self) -> &'static str {
        match self {
            Event::Claimed { .. } => "claimed",
            Event::Settled { .. } => "settled",
            Event::Renewed { .. } => "renewed",
            Event::RenewFailed { .. } => "renew_failed",
            Event::Lost { .. } => "lost",
            Event::Proceeded { .. } => "proceeded",
            Event::NotEncoded { .. } => "not_encoded",
            Event::SingleThread { .. } => "single_thread",
            Event::Swept { .. } => "swept",
            Event::Holding { .. } => "holding",
        }
    }

    fn severity(&self) -> Severity {
        match self {
            Event::RenewFailed { .. } | Event::Lost { .. } | Event::Proceeded { .. } | Event::SingleThread { .. } => {
                Severity::Warn
            }
            Event::NotEncoded { .. } => Severity::Error,
            Event::Settled { outcome: SettleOutcome::Lost, .. } => Severity::Info,
            _ => Severity::Debug,
        }
    }

    fn interest(&self) -> Interest {
        match self {
            Event::Settled { outcome: SettleOutcome::Lost, .. } => Interest::Changes,
            Event::Claimed { .. }
            | Event::Settled { .. }
            | Event::Renewed { .. }
            | Event::Swept { .. }
            | Event::Holding { .. } => Interest::Calls,
            _ => Interest::Changes,
        }
    }

    fn fields(&self, field: &mut dyn FnMut(&'static str, &dyn Display)) {
        match self {
            Event::Claimed { outcome, elapsed, .. } => {
                field("outcome", &outcome.as_str());
                field("elapsed", &Millis(*elapsed));
            }
            Event::Settled { key, outcome, .. } => {
                field("key", key);
                field("outcome", &outcome.as_str());
            }
            Event::Renewed { outcome, .. } => field("outcome", &outcome.as_str()),
            Event::RenewFailed { class, keys, .. } => {
                field("class", class);
                field("keys", keys);
            }
            Event::Lost { key, fence, .. } => {
                field("key", key);
                field("fence", fence);
            }
            Event::NotEncoded { key, error, .. } => {
                field("key", key);
                field("error", error);
            }
            Event::Swept { removed, stale, .. } => {
                field("removed", removed);
                field("stale", stale);
            }
            Event::Proceeded { .. } | Event::SingleThread { .. } | Event::Holding { .. } => {}
        }
    }

    fn measures(&self, measure: &mut dyn FnMut(Measure<'_>)) {
        let name = ("name", self.ledger().as_str());
        match self {
            Event::Claimed { outcome, elapsed, .. } => {
                measure(CLAIMS.count(&[name, ("outcome", outcome.as_str())], 1));
                measure(CLAIM_SECONDS.time(&[name], *elapsed));
            }
            Event::Settled { outcome, .. } => {
                measure(SETTLED.count(&[name, ("outcome", outcome.as_str())], 1));
            }
            Event::Renewed { outcome, .. } => {
                measure(RENEWALS.count(&[name, ("outcome", outcome.as_str())], 1));
            }
            Event::RenewFailed { keys, .. } => {
                measure(RENEWALS.count(&[name, ("outcome", "failed")], *keys as u64));
            }
            Event::Holding { step, .. } => measure(HELD.step(&[name], i64::from(*step))),
            Event::Swept { stale, .. } => measure(STALE.level(&[name], *stale as f64)),
            Event::Lost { .. } | Event::Proceeded { .. } | Event::NotEncoded { .. } | Event::SingleThread { .. } => {}
        }
    }
}

struct Millis(Duration);

impl Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}
