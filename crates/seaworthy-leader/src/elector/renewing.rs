//! One task for each elector renews all that is held; never the task of the work, which may block its thread.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Instant as StdInstant;

use seaworthy_store::ErrorClass;
use seaworthy_store::time::{Instant, now};

use super::board::{HeldTerm, Running, Shared};
use crate::event::{Event, Why};
use crate::machine::term::Change;
use crate::store::{Answers, LeaseStore, Renewal, Tenure};
use crate::term::TermControl;

/// In one statement.
const MOST: usize = 500;

/// Until nothing is held that is to be looked at.
pub(super) async fn renew<S: LeaseStore>(mut task: Running<S>) {
    let shared = &Arc::clone(&task.shared);
    loop {
        look(shared);
        // Under one lock, so that a term that is granted from here on either wakes this task or starts another.
        let next = {
            let mut board = shared.board();
            let next = board.terms.values().filter_map(|held| held.clock.next_look()).min();
            if next.is_none() {
                board.is_renewing = false;
                task.is_over = true;
            }
            next
        };
        let Some(next) = next else { return };
        let next = shared.start + next;
        if next > now() {
            let _sooner = tokio::time::timeout_at(next, shared.terms_changed.notified()).await;
            continue;
        }
        let (batch, begin_by) = {
            let board = shared.board();
            (due(shared, board.terms.values()), board.begin_by(shared.settings.request_timeout))
        };
        let Some(begin_by) = begin_by.filter(|_| !batch.is_empty()) else { continue };
        let sent = now();
        let renewal = shared.store.renew(&batch, shared.settings.ttl, begin_by);
        let request = pin!(shared.ask_each("renew", batch.len(), renewal));
        match until_answered(shared, request).await {
            Ok(answers) => note(shared, &batch, answers, sent),
            Err(error) => not_renewed(shared, &batch, Some(error.class()), sent),
        }
    }
}

/// Deadlines are told while a renewal hangs.
async fn until_answered<S, F: Future>(shared: &Shared<S>, mut request: Pin<&mut F>) -> F::Output {
    loop {
        let next = {
            let board = shared.board();
            board.terms.values().filter_map(|held| held.clock.next_change()).min()
        };
        let answer = match next {
            Some(next) => tokio::time::timeout_at(shared.start + next, request.as_mut()).await,
            None => Ok(request.as_mut().await),
        };
        match answer {
            Ok(answer) => return answer,
            Err(_a_change) => look(shared),
        }
    }
}

fn at<S>(shared: &Shared<S>, moment: std::time::Duration) -> StdInstant {
    (shared.start + moment).into_std()
}

/// Tells what has changed with time.
fn look<S>(shared: &Shared<S>) {
    let moment = shared.moment(now());
    let mut told: Vec<(TermControl, StdInstant)> = Vec::new();
    {
        let mut board = shared.board();
        for held in board.terms.values_mut() {
            while let Some(change) = held.clock.look(moment) {
                held.is_told_over |= matches!(change, Change::Expired { .. });
                if let Some(stop_by) = shared.teller.note_change(&held.tenure.name, &held.control, change) {
                    told.push((held.control.clone(), at(shared, stop_by)));
                }
            }
        }
    }
    for (control, stop_by) in told {
        control.tell(stop_by);
    }
    shared.tell();
}

/// Those that are due, and those that soon will be, so that after a while one statement serves all.
fn due<'a, S>(shared: &Shared<S>, terms: impl Iterator<Item = &'a HeldTerm>) -> Vec<Tenure> {
    let soon = shared.moment(now()) + shared.settings.renew_every / 2;
    let mut due: Vec<_> = terms.filter_map(|held| Some((held.clock.due().filter(|due| *due <= soon)?, held))).collect();
    due.sort_by_key(|(due, _)| *due);
    due.truncate(MOST);
    due.into_iter().map(|(_, held)| held.tenure.clone()).collect()
}

fn note<S>(shared: &Shared<S>, batch: &[Tenure], answers: Answers<Renewal>, sent: Instant) {
    let received = now();
    let elapsed = received.saturating_duration_since(sent);
    let moment = shared.moment(received);
    let mut lost = Vec::new();
    let mut left_alone = Vec::new();
    {
        let mut board = shared.board();
        board.answered_at(answers.at);
        for (tenure, answer) in batch.iter().zip(answers.each) {
            // Given back meanwhile.
            let Some(held) = board.terms.get_mut(&tenure.term) else { continue };
            let (name, epoch) = (tenure.name.clone(), held.control.epoch());
            match answer {
                Renewal::Renewed => {
                    let deadline = held.clock.renewed(shared.moment(sent), moment);
                    if deadline.is_some_and(|deadline| !held.control.renewed(at(shared, deadline))) {
                        held.clock.found_over(moment);
                    }
                    let left = held.clock.deadline().saturating_sub(moment);
                    shared.note(move |tell| tell(&Event::Renewed { name: &name, elapsed, left }));
                }
                Renewal::Lost => {
                    let stop_by = held.clock.lost(moment);
                    held.is_lost = true;
                    lost.push((held.control.clone(), at(shared, stop_by)));
                    if !std::mem::replace(&mut held.is_told_over, true) {
                        shared.note(move |tell| tell(&Event::Told { name: &name, epoch, why: Why::Lost }));
                    }
                }
                // It is known now what the row clock is.
                Renewal::Late if !std::mem::replace(&mut held.was_late, true) => {}
                Renewal::Locked | Renewal::Late => left_alone.push(tenure.clone()),
            }
            if answer != Renewal::Late {
                held.was_late = false;
            }
        }
    }
    for (control, stop_by) in lost {
        control.lost(stop_by);
    }
    not_renewed(shared, &left_alone, None, sent);
}

fn not_renewed<S>(shared: &Shared<S>, batch: &[Tenure], class: Option<ErrorClass>, sent: Instant) {
    let moment = shared.moment(now());
    {
        let mut board = shared.board();
        for tenure in batch {
            let Some(held) = board.terms.get_mut(&tenure.term) else { continue };
            held.clock.not_renewed(shared.moment(sent), moment);
            let (name, left) = (tenure.name.clone(), held.clock.deadline().saturating_sub(moment));
            shared.note(move |tell| tell(&Event::RenewFailed { name: &name, class, left }));
        }
    }
    shared.tell();
}
