use std::collections::HashSet;
use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use seaworthy::{BoxError, ConfigError};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::claim_ref::ClaimRef;
use crate::decode_error::DecodeError;
use crate::error::LedgerError;
use crate::memory::Memory;
use crate::store::{LedgerStore, StepKept};

/// Steps of one piece of work whose results are kept with its key, so that whoever claims it next does not do them
/// again.
///
/// A step may still be done twice: whoever dies in it, or before its result is kept, leaves no trace of it. Where that
/// matters send [`idempotency_key`](Self::idempotency_key) along.
///
/// ```
/// use seaworthy_ledger::{Claimed, Key, Ledger};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let ledger = Ledger::memory("instances").build()?;
/// # let key = Key::new("provision", "instance-4")?;
/// let Claimed::Mine(mut claim) = ledger.claim(&key).await? else { return Ok(()) };
/// claim.begin();
/// let steps = claim.checkpoints();
/// let network: String = steps.run("network", || async { Ok::<_, std::io::Error>("net-7".to_owned()) }).await?;
/// let disk: u32 = steps.run("disk", || async { Ok::<_, std::io::Error>(42) }).await?;
/// # let _ = (network, disk);
/// claim.complete("instance-4").await?;
/// # Ok(())
/// # }
/// ```
///
/// # Clone
/// Costs reference counts; clones know the same names.
pub struct Checkpoints<S = Memory> {
    work: ClaimRef<S>,
    used: Arc<Mutex<HashSet<Box<str>>>>,
}

/// Why a step gave no result.
#[derive(Debug)]
#[non_exhaustive]
pub enum StepError<E> {
    /// The step's own error. It can be run again under the same name.
    Step(E),
    /// The store's; or the result is too large. Whether the step was done is known only if it was asked for before it.
    Ledger(LedgerError),
    /// The claim was lost: whoever has it now will do the step, if it is not kept.
    Lost,
    /// The name was used before in this run, or cannot be one.
    Name(ConfigError),
    /// What is kept of the step is not of the type that was asked for; it was not run again.
    Decode(DecodeError),
    /// The step's result cannot be encoded; it was done, and is not kept.
    Encode(BoxError),
}

impl<S: LedgerStore> Checkpoints<S> {
    pub(crate) fn new(work: ClaimRef<S>) -> Checkpoints<S> {
        Checkpoints { work, used: Arc::default() }
    }

    /// Gives the kept result of this step; if there is none, does it and keeps what it gives (as JSON, at most
    /// `max_result` bytes). Steps may be run in any order, and at the same time.
    ///
    /// The name is 1 to 100 bytes without control characters, and the same in every version of the code for as long as
    /// the step means the same.
    ///
    /// # Errors
    /// See [`StepError`].
    ///
    /// # Cancellation
    /// Dropping it drops the step; if that had ended, its result may be lost.
    pub async fn run<T, E, F>(&self, name: &str, step: impl FnOnce() -> F) -> Result<T, StepError<E>>
    where
        T: Serialize + DeserializeOwned,
        F: Future<Output = Result<T, E>>,
    {
        let mut using = self.using(name)?;
        let (ledger, holder) = (&self.work.ledger, &self.work.holder);
        if let Some(kept) = ledger.within("step", ledger.0.store.step(&holder.key, name)).await? {
            using.is_done = true;
            return DecodeError::json(&kept).map_err(StepError::Decode);
        }
        let value = step().await.map_err(StepError::Step)?;
        // From here on it would be done a second time.
        using.is_done = true;
        let result = Bytes::from(serde_json::to_vec(&value).map_err(|error| StepError::Encode(error.into()))?);
        let limit = ledger.0.settings.max_result;
        if result.len() > limit {
            return Err(LedgerError::TooLarge { size: result.len(), limit }.into());
        }
        match ledger.within("keep_step", ledger.0.store.keep_step(holder, name, &result)).await? {
            StepKept::Stored(kept) if kept == result => Ok(value),
            // Whoever was first has said what it is.
            StepKept::Stored(kept) => DecodeError::json(&kept).map_err(StepError::Decode),
            StepKept::Lost => Err(StepError::Lost),
        }
    }

    /// 32 hex digits, the same for this step in every claim of the key: to be sent to a remote that honours such keys.
    #[must_use]
    pub fn idempotency_key(&self, name: &str) -> String {
        self.work.holder.key.hashed(name.as_bytes())
    }

    fn using<'a, E>(&'a self, name: &'a str) -> Result<Using<'a>, StepError<E>> {
        let refuse = |rule| Err(StepError::Name(ConfigError::new("step", "name", name, rule)));
        if !(1..=100).contains(&name.len()) {
            return refuse("must be 1 to 100 bytes");
        }
        if name.chars().any(char::is_control) {
            return refuse("must not have control characters");
        }
        if !self.used.lock().unwrap_or_else(PoisonError::into_inner).insert(name.into()) {
            return refuse("must be new in each run");
        }
        Ok(Using { used: &self.used, name, is_done: false })
    }
}

/// The name of a step that may be run again if it does not end.
struct Using<'a> {
    used: &'a Mutex<HashSet<Box<str>>>,
    name: &'a str,
    is_done: bool,
}

impl Drop for Using<'_> {
    fn drop(&mut self) {
        if !self.is_done {
            self.used.lock().unwrap_or_else(PoisonError::into_inner).remove(self.name);
        }
    }
}

impl<S> Clone for Checkpoints<S> {
    fn clone(&self) -> Checkpoints<S> {
        Checkpoints { work: self.work.clone(), used: Arc::clone(&self.used) }
    }
}

impl<S> fmt::Debug for Checkpoints<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checkpoints").field("work", &self.work).finish_non_exhaustive()
    }
}

impl<E: fmt::Display> fmt::Display for StepError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StepError::Step(error) => write!(f, "the step failed: {error}"),
            StepError::Ledger(error) => write!(f, "{error}"),
            StepError::Lost => f.write_str("the claim was lost"),
            StepError::Name(error) => write!(f, "{error}"),
            StepError::Decode(error) => write!(f, "the step's result: {error}"),
            StepError::Encode(error) => write!(f, "the step's result cannot be encoded: {error}"),
        }
    }
}

impl<E: Error + 'static> Error for StepError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            StepError::Step(error) => error.source(),
            StepError::Ledger(error) => error.source(),
            StepError::Encode(error) => error.source(),
            StepError::Name(_) | StepError::Lost | StepError::Decode(_) => None,
        }
    }
}

impl<E> From<LedgerError> for StepError<E> {
    fn from(error: LedgerError) -> StepError<E> {
        StepError::Ledger(error)
    }
}

impl<E> From<seaworthy_store::StoreError> for StepError<E> {
    fn from(error: seaworthy_store::StoreError) -> StepError<E> {
        StepError::Ledger(error.into())
    }
}
