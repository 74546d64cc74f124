//! Random histories, compared with a naive model.

mod action;
mod chance;
mod model;
mod sequence;

use tokio::task::JoinSet;

use super::Subject;
use sequence::Sequence;

/// How many sequences go on at the same time, each with keys of its own.
const AT_ONCE: usize = 16;

/// IN-08: in `sequences` random histories of 40 steps (claim, expire, renew, complete, fail, release, store a step,
/// look, forget) by live and stale owners, with and without ranks and fingerprints, every answer is that of a naive
/// model: fences grow, and an old one completes nothing.
///
/// The same `seed` does the same again.
///
/// # Panics
/// At the first answer that is another, with the seed and the history.
pub async fn history<S: Subject>(subject: &S, seed: u64, sequences: usize) {
    let store = subject.fresh().await;
    let mut workers = JoinSet::new();
    for worker in 0..AT_ONCE.min(sequences) {
        let (subject, store) = (subject.clone(), store.clone());
        workers.spawn(async move {
            for number in (worker..sequences).step_by(AT_ONCE) {
                Sequence::new(&subject, &store, seed, number).run().await;
            }
        });
    }
    workers.join_all().await;
}
