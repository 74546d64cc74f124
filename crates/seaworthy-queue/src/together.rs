//! Requests of one kind that come while another is under way are sent together, as one.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};

use seaworthy_store::{ErrorClass, StoreError};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::yield_now;

/// In one request.
const MOST: usize = 256;

type Tell<R> = oneshot::Sender<Result<R, StoreError>>;

/// What waits to be asked for, each with whom to tell.
pub(crate) struct Together<T, R> {
    waiting: Mutex<VecDeque<(T, Tell<R>)>>,
    /// Whoever has it sends for all that wait.
    turn: Semaphore,
}

impl<T, R> Default for Together<T, R> {
    fn default() -> Together<T, R> {
        Together { waiting: Mutex::default(), turn: Semaphore::new(1) }
    }
}

impl<T, R> Together<T, R> {
    /// What is answered for this one. `send` asks for many, and is answered for each in the same order. What waited
    /// while somebody else was sending goes at once then, so that nothing waits for company.
    ///
    /// # Errors
    /// As `send`; [`Unavailable`](ErrorClass::Unavailable) if who sent it gave up, so that it is unknown.
    ///
    /// # Cancellation
    /// Dropping it sends nothing, or is as if `send` was dropped, for all that it was sent with.
    pub(crate) async fn ask<F>(
        &self,
        asked: &'static str,
        one: T,
        send: impl FnOnce(Vec<T>) -> F,
    ) -> Result<R, StoreError>
    where
        F: Future<Output = Result<Vec<R>, StoreError>>,
    {
        let (tell, mut told) = oneshot::channel();
        self.waiting().push_back((one, tell));
        let given_up = |_| {
            let why = "the request that it was sent with was given up";
            StoreError::new(ErrorClass::Unavailable, asked, why)
        };
        // It is never closed.
        let _turn = tokio::select! {
            biased;
            answer = &mut told => return answer.map_err(given_up)?,
            turn = self.turn.acquire() => turn,
        };
        // Others that are ready by now come along.
        yield_now().await;
        let (all, tells) = self.next();
        // None is left if somebody else had ours, and answered just before it was our turn.
        if !all.is_empty() {
            let answer = send(all).await;
            spread(asked, answer, tells);
        }
        told.await.map_err(given_up)?
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<(T, Tell<R>)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those that have waited for the longest, and whose askers are still there.
    fn next(&self) -> (Vec<T>, Vec<Tell<R>>) {
        let mut waiting = self.waiting();
        let count = waiting.len().min(MOST);
        waiting.drain(..count).filter(|(_, tell)| !tell.is_closed()).unzip()
    }
}

fn spread<R>(asked: &'static str, answer: Result<Vec<R>, StoreError>, tells: Vec<Tell<R>>) {
    match answer {
        Ok(answers) => {
            for (tell, answer) in tells.into_iter().zip(answers) {
                let _told = tell.send(Ok(answer));
            }
        }
        Err(error) => {
            let class = error.class();
            let mut tells = tells.into_iter();
            // The first has it with its cause.
            if let Some(tell) = tells.next() {
                let _told = tell.send(Err(error));
            }
            for tell in tells {
                let _told = tell.send(Err(StoreError::new(class, asked, "the request that it was sent with failed")));
            }
        }
    }
}
