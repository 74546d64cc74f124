//! No request is awaited without a limit, and each outcome says whether the store is there.

use std::future::Future;
use std::sync::Arc;

use seaworthy::Name;
use seaworthy_store::{ErrorClass, StoreError, limit};
use tokio::runtime::Handle;

use super::board::Shared;
use super::telling::Teller;
use crate::event::Event;
use crate::sight::Sight;
use crate::store::{Answers, LeaseStore};

/// The store answered, or did not. Tells it, if that is new.
pub(crate) fn heard(sight: &Sight, teller: &Teller, asked: &'static str, error: Option<&StoreError>) {
    match error {
        None => {
            if let Some(down) = sight.answered() {
                teller.note(move |tell| tell(&Event::StoreUp { down }));
            }
        }
        Some(error) => {
            let class = error.class();
            let was_down = sight.down_for().is_some();
            let down = sight.failed();
            teller.note(move |tell| {
                tell(&if was_down {
                    Event::StillDown { asked, class, down }
                } else {
                    Event::StoreDown { asked, class }
                });
            });
        }
    }
    teller.tell();
}

impl<S: LeaseStore> Shared<S> {
    pub(super) async fn ask<T>(
        &self,
        asked: &'static str,
        request: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let answer = limit::within(self.settings.request_timeout, asked, request).await;
        heard(&self.sight, &self.teller, asked, answer.as_ref().err());
        answer
    }

    /// As [`ask`](Self::ask), of so many. What was not answered would else be due still, and asked again at once.
    pub(super) async fn ask_each<T>(
        &self,
        asked: &'static str,
        number: usize,
        request: impl Future<Output = Result<Answers<T>, StoreError>>,
    ) -> Result<Answers<T>, StoreError> {
        let why = "a store's answers are not as many as what it was asked";
        let counted = async {
            let answers = request.await?;
            let is_each = answers.each.len() == number;
            if is_each { Ok(answers) } else { Err(StoreError::new(ErrorClass::Corrupt, asked, why)) }
        };
        self.ask(asked, counted).await
    }

    /// For what comes before the first acquisition, or after one that failed: only its failure says whether the store
    /// is there. Whoever may do this may still be refused a lease.
    pub(super) async fn look<T>(
        &self,
        asked: &'static str,
        request: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let answer = limit::within(self.settings.request_timeout, asked, request).await;
        answer.inspect_err(|error| heard(&self.sight, &self.teller, asked, Some(error)))
    }

    /// Once, in the background: if it fails the ttl does it.
    pub(super) fn release(
        self: &Arc<Self>,
        runtime: &Handle,
        name: Name,
        term: u128,
        then: impl FnOnce() + Send + 'static,
    ) {
        let shared = Arc::clone(self);
        let then = Then(Some(then));
        self.tasks.spawn(runtime, async move {
            let _then = then;
            let release = shared.store.release(&name, term);
            let _left_to_its_ttl = match shared.sight.last_answer() {
                Some(_) => shared.ask("release", release).await,
                // After an acquisition that failed, which says more than this does.
                None => shared.look("release", release).await,
            };
        });
    }
}

/// Runs when it is dropped, which it is even if the runtime has shut down.
struct Then<F: FnOnce()>(Option<F>);

impl<F: FnOnce()> Drop for Then<F> {
    fn drop(&mut self) {
        if let Some(then) = self.0.take() {
            then();
        }
    }
}
