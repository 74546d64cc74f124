//! Requests of one kind that come while another is under way are sent together, as one.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};

use seaworthy_store::{ErrorClass, StoreError};
use tokio::sync::{Semaphore, oneshot};

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

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::task::Poll;

    use tokio::sync::Notify;

    use super::*;

    /// QU-24: what comes while another is sent goes together, each with its own answer, and in the order in which it
    /// came; what was dropped before it went is not sent.
    #[tokio::test]
    async fn company() {
        let (together, sent, gate) = (Together::<u32, u32>::default(), RefCell::new(Vec::new()), Notify::new());
        let ask = |one: u32| {
            together.ask("settle", one, |all| {
                sent.borrow_mut().push(all.clone());
                let answers = all.iter().map(|one| one * 10).collect();
                let gate = &gate;
                async move {
                    gate.notified().await;
                    Ok(answers)
                }
            })
        };
        let mut first = Box::pin(ask(1));
        for _ in 0..3 {
            assert!(poll_once(&mut first).await.is_pending());
        }
        let (mut second, mut dropped, mut third) = (Box::pin(ask(2)), Box::pin(ask(9)), Box::pin(ask(3)));
        assert!(poll_once(&mut second).await.is_pending());
        assert!(poll_once(&mut dropped).await.is_pending());
        assert!(poll_once(&mut third).await.is_pending());
        drop(dropped);
        let open = async {
            for _ in 0..20 {
                gate.notify_one();
                tokio::task::yield_now().await;
            }
        };
        let (first, second, third, ()) = tokio::join!(first, second, third, open);
        assert_eq!((first.unwrap(), second.unwrap(), third.unwrap()), (10, 20, 30));
        assert_eq!(*sent.borrow(), [vec![1], vec![2, 3]]);
    }

    /// QU-25: who was sent with others by somebody who gave up is told that it is unknown, and the next is sent.
    #[tokio::test]
    async fn given_up() {
        let (together, sends, gate) = (Together::<u32, u32>::default(), Cell::new(0), Notify::new());
        let ask = |one: u32| {
            together.ask("settle", one, |all| {
                sends.set(sends.get() + 1);
                let (number, gate) = (sends.get(), &gate);
                async move {
                    match number {
                        1 => gate.notified().await,
                        2 => std::future::pending().await,
                        _ => {}
                    }
                    Ok(all)
                }
            })
        };
        let (mut first, mut second, mut third) = (Box::pin(ask(1)), Box::pin(ask(2)), Box::pin(ask(3)));
        for ask in [&mut first, &mut second, &mut third] {
            assert!(poll_once(ask).await.is_pending());
        }
        gate.notify_one();
        assert_eq!(first.await.unwrap(), 1);
        // It sends both, and is dropped.
        assert!(poll_once(&mut second).await.is_pending());
        drop(second);
        assert_eq!(third.await.unwrap_err().class(), ErrorClass::Unavailable);
        assert_eq!((ask(4).await.unwrap(), sends.get()), (4, 3));
    }

    /// QU-25: where the request fails, all are told in which class.
    #[tokio::test]
    async fn failed() {
        let together = Together::<u32, u32>::default();
        let full = || async { Err(StoreError::new(ErrorClass::Full, "settle", "no room")) };
        let (one, two) = tokio::join!(together.ask("settle", 1, |_| full()), together.ask("settle", 2, |_| full()));
        assert_eq!([one.unwrap_err().class(), two.unwrap_err().class()], [ErrorClass::Full; 2]);
    }

    async fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
        std::future::poll_fn(|cx| Poll::Ready(std::pin::Pin::new(&mut *future).poll(cx))).await
    }
}
