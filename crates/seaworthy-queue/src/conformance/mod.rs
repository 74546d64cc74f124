//! Holds a store to the contract of [`QueueStore`].
//!
//! Each check is a function, named after what it asks for, that begins with an empty queue and panics with the number
//! of the statement, what was expected and what was answered. [`run`] runs them all; which statement a number stands
//! for is in the package's `docs/behaviour.md`.
//!
//! ```
//! use std::time::Duration;
//!
//! use seaworthy_queue::Memory;
//! use seaworthy_queue::conformance::{self, Subject};
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

mod accepting;
mod case;
mod crowd;
mod dead;
mod delivering;
mod dropped;
mod settling;
mod stale;

use std::future::Future;
use std::time::Duration;

use crate::store::QueueStore;

pub use accepting::{all_or_none, ids_are_told_apart, jobs_come_as_they_were, later_is_later};
pub use crowd::{each_to_one, parked_and_promoted};
pub use dead::{dead_are_listed, dead_are_redriven, dead_are_swept};
pub use delivering::{
    abandoned_come_back, dead_after_the_most, lost_answers_are_repeated, repetitions_begin_anew, room_is_kept,
};
pub use dropped::dropped_anywhere;
pub use settling::{attempts_are_counted, done_is_gone, settled_once};
pub use stale::{extensions_keep, stale_owners_change_nothing};

/// What is held to the contract: a kind of store, and a way to let its time pass.
///
/// # Clone
/// Tasks get clones; they have to mean the same.
pub trait Subject: Clone + Send + Sync + 'static {
    /// The store.
    type Store: QueueStore;

    /// An empty queue that shares nothing with those before.
    fn fresh(&self) -> impl Future<Output = Self::Store> + Send;

    /// Lets the row clock go on by at least `span`: by waiting, or by advancing it if it can be. Spans are at most half
    /// a second, and a run of all checks asks for less than 10 s together.
    fn pass(&self, span: Duration) -> impl Future<Output = ()> + Send;
}

/// Runs every check, with numbers that a store on a disk answers within some ten seconds.
///
/// # Panics
/// At the first statement that does not hold, with its number.
pub async fn run<S: Subject>(subject: &S) {
    jobs_come_as_they_were(subject).await;
    ids_are_told_apart(subject).await;
    all_or_none(subject).await;
    later_is_later(subject).await;
    room_is_kept(subject).await;
    abandoned_come_back(subject).await;
    dead_after_the_most(subject).await;
    lost_answers_are_repeated(subject).await;
    repetitions_begin_anew(subject).await;
    attempts_are_counted(subject).await;
    done_is_gone(subject).await;
    settled_once(subject).await;
    extensions_keep(subject).await;
    stale_owners_change_nothing(subject).await;
    dead_are_listed(subject).await;
    dead_are_redriven(subject).await;
    dead_are_swept(subject).await;
    each_to_one(subject, 8, 200).await;
    parked_and_promoted(subject, 6, 40).await;
    dropped_anywhere(subject).await;
}
