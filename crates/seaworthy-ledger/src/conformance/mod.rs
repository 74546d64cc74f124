//! Holds a store to the contract of [`LedgerStore`]: what each method answers, in every state of a row, with one who
//! asks and with many at once, and dropped anywhere.
//!
//! Each check is a function, named after what it asks for, that begins with an empty store and panics with the number
//! of the statement, what was expected and what was answered. [`run`] runs them all; which statement a number stands
//! for is in the package's `docs/behaviour.md`.
//!
//! ```
//! use std::time::Duration;
//!
//! use seaworthy_ledger::Memory;
//! use seaworthy_ledger::conformance::{self, Subject};
//!
//! #[derive(Clone)]
//! struct InMemory;
//!
//! impl Subject for InMemory {
//!     type Store = Memory;
//!
//!     async fn fresh(&self) -> Memory {
//!         Memory::default()
//!     }
//!
//!     async fn pass(&self, span: Duration) {
//!         tokio::time::advance(span).await;
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//! conformance::run(&InMemory).await;
//! # }
//! ```

mod cancellation;
mod case;
mod claiming;
mod crowd;
mod fingerprints;
mod history;
mod leases;
mod looking;
mod ranks;
mod retention;
mod settling;
mod stale_owners;
mod steps;

use std::future::Future;
use std::time::Duration;

use crate::store::LedgerStore;

pub use cancellation::dropped_anywhere;
pub use claiming::{
    done_is_answered_to_everybody, free_keys_are_granted, keys_are_told_apart, live_lease_is_busy,
    lost_answer_is_granted,
};
pub use crowd::{one_winner, settled_at_once};
pub use fingerprints::{failed_key_takes_fingerprint, other_fingerprint_mismatches};
pub use history::history;
pub use leases::{many_renewals_at_once, over_lease_is_not_renewed, over_lease_is_settled, renewal_moves_end};
pub use looking::{lookup_tells, stale_rows_are_counted};
pub use ranks::higher_rank_takes;
pub use retention::{fences_start_again, sweep_removes_what_is_over};
pub use settling::{failed_key_is_free, released_key_is_uncounted, settled_twice};
pub use stale_owners::stale_owners_change_nothing;
pub use steps::{lost_claim_stores_no_step, steps_are_stored_once, steps_go_with_their_row};

/// What is held to the contract: a kind of store, and a way to let its time pass.
///
/// # Clone
/// Tasks get clones; they have to mean the same.
pub trait Subject: Clone + Send + Sync + 'static {
    /// The store.
    type Store: LedgerStore;

    /// An empty store that shares nothing with those before.
    fn fresh(&self) -> impl Future<Output = Self::Store> + Send;

    /// Lets the row clock go on by at least `span`: by waiting, or by advancing it if it can be. Spans are at most a
    /// quarter of a second, and a run of all checks asks for less than 5 s together.
    fn pass(&self, span: Duration) -> impl Future<Output = ()> + Send;
}

/// Runs every check, with numbers that a store on a disk answers within some ten seconds.
///
/// # Panics
/// At the first statement that does not hold, with its number.
pub async fn run<S: Subject>(subject: &S) {
    free_keys_are_granted(subject).await;
    live_lease_is_busy(subject).await;
    done_is_answered_to_everybody(subject).await;
    lost_answer_is_granted(subject).await;
    keys_are_told_apart(subject).await;
    other_fingerprint_mismatches(subject).await;
    failed_key_takes_fingerprint(subject).await;
    renewal_moves_end(subject).await;
    over_lease_is_not_renewed(subject).await;
    many_renewals_at_once(subject).await;
    over_lease_is_settled(subject).await;
    failed_key_is_free(subject).await;
    released_key_is_uncounted(subject).await;
    settled_twice(subject).await;
    stale_owners_change_nothing(subject, 200).await;
    higher_rank_takes(subject).await;
    lookup_tells(subject).await;
    stale_rows_are_counted(subject).await;
    fences_start_again(subject).await;
    sweep_removes_what_is_over(subject).await;
    steps_are_stored_once(subject).await;
    lost_claim_stores_no_step(subject).await;
    steps_go_with_their_row(subject).await;
    one_winner(subject, 8).await;
    settled_at_once(subject).await;
    dropped_anywhere(subject).await;
    history(subject, 1, 20).await;
}
