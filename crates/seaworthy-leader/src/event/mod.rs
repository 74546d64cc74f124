//! What is reported to observers.

mod extension;

use std::time::Duration;

use seaworthy::Name;
use seaworthy_store::ErrorClass;

use crate::epoch::Epoch;

/// What an elector and its guards report to an [`Observer`](seaworthy::Observer), as an extension's event of the
/// component `leader`. For one name, in the order in which it happened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Somebody waits to lead.
    Campaigning {
        /// What is to be led.
        name: &'a Name,
    },
    /// A term was granted.
    Elected {
        /// What is led.
        name: &'a Name,
        /// Its fence.
        epoch: Epoch,
        /// Since the campaign began.
        waited: Duration,
    },
    /// A lease was renewed. For observers of calls.
    Renewed {
        /// What is led.
        name: &'a Name,
        /// How long the store took.
        elapsed: Duration,
        /// To the deadline.
        left: Duration,
    },
    /// A lease could not be renewed; it is tried again.
    RenewFailed {
        /// What is led.
        name: &'a Name,
        /// The class of the store's error; none if the row was locked by a transaction.
        class: Option<ErrorClass>,
        /// To the deadline.
        left: Duration,
    },
    /// The work of a term was told to end.
    Told {
        /// What is led.
        name: &'a Name,
        /// The term.
        epoch: Epoch,
        /// The reason.
        why: Why,
    },
    /// A term was given back.
    Released {
        /// What was led.
        name: &'a Name,
        /// The term.
        epoch: Epoch,
        /// How it ended.
        end: TermEnd,
    },
    /// The deadline of a term has passed and it has not been given back.
    Expired {
        /// What was led.
        name: &'a Name,
        /// The term.
        epoch: Epoch,
        /// How long after the deadline that was noticed. It is long if the process was stopped.
        by: Duration,
    },
    /// The store's epoch was lower than one that was seen before: the row was deleted, or restored from an older copy.
    /// It has been put right.
    EpochWentBack {
        /// What is led.
        name: &'a Name,
        /// The highest that was seen.
        seen: Epoch,
        /// The store's.
        got: Epoch,
    },
    /// The store gives no answer.
    StoreDown {
        /// What it was asked.
        asked: &'static str,
        /// The class of its error.
        class: ErrorClass,
    },
    /// The store gave no answer, as before. For observers of calls.
    StillDown {
        /// What it was asked.
        asked: &'static str,
        /// The class of its error.
        class: ErrorClass,
        /// Since the first that was not answered.
        down: Duration,
    },
    /// The store answers again.
    StoreUp {
        /// For how long it did not.
        down: Duration,
    },
    /// The work of a term should be gone, and cannot be dropped, because it blocks its thread. The name is not given
    /// back, and its guard waits.
    WorkStuck {
        /// What was led.
        name: &'a Name,
        /// The term.
        epoch: Epoch,
        /// Since it was told to end.
        since: Duration,
    },
    /// The work of a term failed or panicked.
    WorkFailed {
        /// What is led.
        name: &'a Name,
        /// The term.
        epoch: Epoch,
        /// The error or the panic, as text.
        error: &'a str,
    },
    /// Leases are renewed on a runtime with one thread: work that blocks it stops the renewing, too. Told once.
    SingleThread {
        /// What is led.
        name: &'a Name,
    },
}

/// Why work was told to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// The lease could not be renewed, and its deadline is near.
    Deadline,
    /// The store says that the lease is somebody else's, or was over.
    Lost,
    /// Its leader shuts down.
    Shutdown,
}

/// How a term that was given back ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TermEnd {
    /// It was resigned or dropped, or its work ended well, or was dropped.
    Released,
    /// Its work failed.
    Failed,
    /// Its work panicked.
    Panicked,
}

impl Why {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Why::Deadline => "deadline",
            Why::Lost => "lost",
            Why::Shutdown => "shutdown",
        }
    }
}

impl TermEnd {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            TermEnd::Released => "released",
            TermEnd::Failed => "failed",
            TermEnd::Panicked => "panicked",
        }
    }
}
