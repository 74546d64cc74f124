//! Holds a store to the contract of [`LeaseStore`], and an elector to that of [`Elector`].
//!
//! Each check is a function, named after what it asks for, that begins with an empty place and panics with the number
//! of the statement, what was expected and what was answered. [`run`] runs all that a store is held to, [`run_elector`]
//! all that an elector is; which statement a number stands for is in the package's `docs/behaviour.md`.
//!
//! ```
//! use std::time::Duration;
//!
//! use seaworthy_leader::conformance::{self, Subject};
//! use seaworthy_leader::Local;
//!
//! #[derive(Clone)]
//! struct InMemory;
//!
//! impl Subject for InMemory {
//!     type Store = Local;
//!
//!     async fn fresh(&self) -> Local {
//!         Local::default()
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

mod acquiring;
mod case;
mod crowd;
mod dropped;
mod electors;
mod late;
mod renewing;

use std::future::Future;
use std::time::Duration;

use crate::elector::Elector;
use crate::store::LeaseStore;

pub use acquiring::{
    epochs_grow, free_leases_are_granted, live_leases_are_held, lost_answers_are_granted, names_are_told_apart,
};
pub use crowd::{many_in_one_statement, one_leader};
pub use dropped::dropped_anywhere;
pub use electors::{
    campaigns_wait, epochs_of_terms_grow, followers_read, names_are_checked, one_term_at_a_time, resigned_is_over,
    same_process_waits,
};
pub use late::late_statements_do_nothing;
pub use renewing::{over_leases_are_not_renewed, released_is_free, renewals_move_the_end};

/// What is held to the contract of a store: a kind of store, and a way to let its time pass.
///
/// # Clone
/// Tasks get clones; they have to mean the same.
pub trait Subject: Clone + Send + Sync + 'static {
    /// The store.
    type Store: LeaseStore;

    /// An empty store that shares nothing with those before.
    fn fresh(&self) -> impl Future<Output = Self::Store> + Send;

    /// Lets the row clock go on by at least `span`: by waiting, or by advancing it if it can be. Spans are at most a
    /// quarter of a second, and a run of all checks asks for less than 5 s together.
    fn pass(&self, span: Duration) -> impl Future<Output = ()> + Send;
}

/// What is held to the contract of an elector.
///
/// # Clone
/// Tasks get clones; they have to mean the same.
pub trait ElectorSubject: Clone + Send + Sync + 'static {
    /// The elector.
    type Elector: Elector;

    /// So many electors that compete in a place where nobody leads yet, each as if it were in a process of its own.
    fn candidates(&self, number: usize) -> impl Future<Output = Vec<Self::Elector>> + Send;

    /// Waits: on tokio's clock, which may be paused, or by the wall.
    fn pass(&self, span: Duration) -> impl Future<Output = ()> + Send;
}

/// Runs every check of a store, with numbers that one on a disk answers within some ten seconds.
///
/// # Panics
/// At the first statement that does not hold, with its number.
pub async fn run<S: Subject>(subject: &S) {
    free_leases_are_granted(subject).await;
    live_leases_are_held(subject).await;
    epochs_grow(subject).await;
    lost_answers_are_granted(subject).await;
    names_are_told_apart(subject).await;
    renewals_move_the_end(subject).await;
    over_leases_are_not_renewed(subject).await;
    released_is_free(subject).await;
    late_statements_do_nothing(subject).await;
    many_in_one_statement(subject).await;
    one_leader(subject, 8).await;
    dropped_anywhere(subject).await;
}

/// Runs every check of an elector. On a clock that is not paused it takes some polls.
///
/// # Panics
/// At the first statement that does not hold, with its number.
pub async fn run_elector<S: ElectorSubject>(subject: &S) {
    campaigns_wait(subject).await;
    one_term_at_a_time(subject, 8).await;
    epochs_of_terms_grow(subject).await;
    resigned_is_over(subject).await;
    followers_read(subject).await;
    names_are_checked(subject).await;
    same_process_waits(subject).await;
}
