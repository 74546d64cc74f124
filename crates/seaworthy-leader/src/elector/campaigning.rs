//! One task for each elector asks for all names that its candidates wait for.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use seaworthy::Name;
use seaworthy_store::time::{Instant, now};
use seaworthy_store::{ErrorClass, StoreError, random};
use tokio::runtime::{Handle, RuntimeFlavor};

use super::board::{Board, Candidacy, HeldTerm, Running, Shared};
use super::owner::Owner;
use crate::epoch::Epoch;
use crate::error::ElectionError;
use crate::event::Event;
use crate::machine::term::TermClock;
use crate::machine::waits::{ErrorWaits, poll_wait};
use crate::sight::Leader;
use crate::store::{Acquired, Bid, Candidate, LeaseStore, RowTime, Tenure};
use crate::term::Term;

/// In one statement.
const MOST: usize = 500;

/// Until nobody waits.
pub(super) async fn campaign<S: LeaseStore>(mut task: Running<S>, runtime: Handle) {
    let shared = &Arc::clone(&task.shared);
    let mut waits = ErrorWaits::default();
    loop {
        let (gone, next) = {
            let mut board = shared.board();
            let gone = take_gone(&mut board);
            let next = board.candidates.iter().map(|candidate| candidate.due).min();
            if next.is_none() {
                board.is_campaigning = false;
                task.is_over = true;
            }
            (gone, next)
        };
        for candidate in gone.into_iter().filter(|candidate| candidate.is_in_doubt) {
            shared.release(&runtime, candidate.name, candidate.term, || {});
        }
        let Some(next) = next else { return };
        if next > now() {
            let _sooner = tokio::time::timeout_at(next, shared.candidates_changed.notified()).await;
            continue;
        }
        let (bids, begin_by) = {
            let board = shared.board();
            (bids(shared, &board), board.begin_by(shared.settings.request_timeout))
        };
        let Some(begin_by) = begin_by else {
            // Without the row clock no request could say by when it must be begun.
            match shared.look("read", shared.store.read(&[])).await {
                Ok(answers) => shared.board().answered_at(answers.at),
                Err(error) => failed(shared, &bids, error, after_error(shared, &mut waits), false),
            }
            continue;
        };
        let sent = now();
        let settings = &shared.settings;
        let candidate = Candidate { holder: &shared.holder, hint: settings.hint.as_deref(), ttl: settings.ttl };
        let request = shared.store.acquire(&candidate, &bids, begin_by);
        match shared.ask_each("acquire", bids.len(), request).await {
            Ok(answers) => {
                let at = answers.at;
                answered(shared, &runtime, Asked { bids: &bids, answers: answers.each, at, sent }, &mut waits);
            }
            Err(error) => failed(shared, &bids, error, after_error(shared, &mut waits), true),
        }
    }
}

fn after_error<S>(shared: &Shared<S>, waits: &mut ErrorWaits) -> Duration {
    waits.after_error(shared.moment(now()), shared.settings.poll, random::fraction())
}

/// Those whose callers are gone.
fn take_gone<S>(board: &mut Board<S>) -> Vec<Candidacy<S>> {
    let (gone, present) = std::mem::take(&mut board.candidates).into_iter().partition(|c| c.answer.is_closed());
    board.candidates = present;
    gone
}

/// Of those that are due the first for each name. One whose row was locked waits for that row, and so asks by itself,
/// when nobody else is due.
fn bids<S>(shared: &Shared<S>, board: &Board<S>) -> Vec<Bid> {
    let now = now();
    let mut names = HashSet::new();
    let due = board.candidates.iter().filter(|candidate| candidate.due <= now);
    let mut first: Vec<&Candidacy<S>> = due.filter(|candidate| names.insert(&candidate.name)).collect();
    if first.iter().any(|candidate| !candidate.is_alone) {
        first.retain(|candidate| !candidate.is_alone);
        first.truncate(MOST);
    } else {
        first.truncate(1);
    }
    let bid = |candidate: &Candidacy<S>| {
        let (name, term) = (candidate.name.clone(), candidate.term);
        Bid { seen: shared.seen(board, &name), name, term }
    };
    first.into_iter().map(bid).collect()
}

struct Asked<'a> {
    bids: &'a [Bid],
    answers: Vec<Acquired>,
    at: RowTime,
    sent: Instant,
}

/// What is sent when the lock is released.
type Replies<S> = Vec<(Candidacy<S>, Result<Option<Term<S>>, ElectionError>)>;

fn answered<S: LeaseStore>(shared: &Arc<Shared<S>>, runtime: &Handle, asked: Asked<'_>, waits: &mut ErrorWaits) {
    let mut replies = Vec::new();
    {
        let board = &mut *shared.board();
        board.answered_at(asked.at);
        let again = next_poll(shared, board);
        for (bid, answer) in asked.bids.iter().zip(asked.answers) {
            let Some(place) = board.candidates.iter().position(|candidate| candidate.term == bid.term) else {
                continue;
            };
            match answer {
                Acquired::Granted { epoch, before } => {
                    let candidate = board.candidates.remove(place);
                    let term = granted(shared, runtime, board, bid, (epoch, before), (&candidate, asked.sent));
                    replies.push((candidate, Ok(Some(term))));
                    refuse_others(board, &bid.name, again, &mut replies);
                }
                Acquired::Held(row) => {
                    board.saw(&bid.name, row.epoch);
                    shared.sight.saw(&bid.name, Some(Leader::from(row)));
                    let candidate = &mut board.candidates[place];
                    (candidate.is_in_doubt, candidate.is_alone, candidate.was_late) = (false, false, false);
                    candidate.due = again;
                    refuse_others(board, &bid.name, again, &mut replies);
                }
                Acquired::Locked => {
                    let candidate = &mut board.candidates[place];
                    let was_alone = std::mem::replace(&mut candidate.is_alone, true);
                    candidate.was_late = false;
                    let soon = now() + shared.settings.retry_renew.min(shared.settings.poll);
                    candidate.due = if was_alone { again } else { soon };
                    refuse_others(board, &bid.name, again, &mut replies);
                }
                Acquired::Late => {
                    // The first time the row clock was not known well; it is now.
                    let candidate = &mut board.candidates[place];
                    let was_late = std::mem::replace(&mut candidate.was_late, true);
                    if was_late && candidate.is_once {
                        let error = StoreError::new(ErrorClass::Unavailable, "acquire", "was begun too late, twice");
                        replies.push((board.candidates.remove(place), Err(error.into())));
                    } else if was_late {
                        candidate.due = now() + after_error(shared, waits);
                    }
                }
            }
        }
    }
    reply(shared, replies);
}

/// When those ask again that somebody else is before: together with others that wait already, if that is in time.
fn next_poll<S>(shared: &Shared<S>, board: &Board<S>) -> Instant {
    let (now, poll) = (now(), shared.settings.poll);
    let longest = now + poll_wait(poll, 1.0);
    let waiting =
        board.candidates.iter().map(|candidate| candidate.due).filter(|due| (now + poll..longest).contains(due));
    waiting.min().unwrap_or_else(|| now + poll_wait(poll, random::fraction()))
}

/// Who else is due for this name has its answer, too.
fn refuse_others<S>(board: &mut Board<S>, name: &Name, again: Instant, replies: &mut Replies<S>) {
    let now = now();
    let (refused, others) = std::mem::take(&mut board.candidates).into_iter().partition(|candidate: &Candidacy<S>| {
        candidate.name == *name
            && candidate.is_once
            && (candidate.due <= now || candidate.is_alone || candidate.due == again)
    });
    board.candidates = others;
    for candidate in board.candidates.iter_mut().filter(|candidate| candidate.name == *name && candidate.due <= now) {
        candidate.due = again;
    }
    replies.extend(refused.into_iter().map(|candidate: Candidacy<S>| (candidate, Ok(None))));
}

fn granted<S: LeaseStore>(
    shared: &Arc<Shared<S>>,
    runtime: &Handle,
    board: &mut Board<S>,
    bid: &Bid,
    (epoch, before): (u64, u64),
    (candidate, sent): (&Candidacy<S>, Instant),
) -> Term<S> {
    board.saw(&bid.name, epoch);
    shared.sight.saw(&bid.name, None);
    let clock = TermClock::granted(shared.settings.timing(), shared.moment(sent));
    let deadline = (shared.start + clock.deadline()).into_std();
    let owner = Arc::new(Owner { shared: Arc::clone(shared), term: bid.term, runtime: runtime.clone() });
    let (name, fence) = (bid.name.clone(), Epoch::new(epoch));
    let (term, control) = Term::granted(name.clone(), fence, deadline, shared.store.clone(), owner);
    let term = term.with_transaction_limit(shared.settings.transaction_limit());
    let tenure = Tenure { name: name.clone(), epoch, term: bid.term };
    board
        .terms
        .insert(bid.term, HeldTerm { tenure, control, clock, is_told_over: false, is_lost: false, was_late: false });
    let (seen, got) = (Epoch::new(bid.seen), Epoch::new(before));
    let waited = now().saturating_duration_since(candidate.began);
    shared.note(move |tell| {
        if got < seen {
            tell(&Event::EpochWentBack { name: &name, seen, got });
        }
        tell(&Event::Elected { name: &name, epoch: fence, waited });
    });
    term
}

/// Nobody knows what became of it, or the store refuses.
fn failed<S: LeaseStore>(shared: &Arc<Shared<S>>, bids: &[Bid], error: StoreError, wait: Duration, is_bid: bool) {
    let is_waited_for = matches!(error.class(), ErrorClass::Unavailable | ErrorClass::Full);
    let error = ElectionError::from(error);
    let again = now() + wait;
    let mut replies = Vec::new();
    {
        let mut board = shared.board();
        let asked = |candidate: &Candidacy<S>| bids.iter().any(|bid| bid.name == candidate.name);
        for candidate in &mut board.candidates {
            if asked(candidate) {
                candidate.is_in_doubt |= is_bid && bids.iter().any(|bid| bid.term == candidate.term);
                candidate.due = candidate.due.max(again);
            }
        }
        let (over, others): (Vec<_>, _) = std::mem::take(&mut board.candidates)
            .into_iter()
            .partition(|candidate| asked(candidate) && (candidate.is_once || !is_waited_for));
        board.candidates = others;
        replies.extend(over.into_iter().map(|candidate| (candidate, Err(error.clone()))));
    }
    reply(shared, replies);
}

fn reply<S: LeaseStore>(shared: &Arc<Shared<S>>, replies: Replies<S>) {
    shared.tell();
    let runtime = Handle::current();
    for (candidate, outcome) in replies {
        if let Ok(Some(term)) = &outcome {
            let name = term.name().clone();
            if runtime.runtime_flavor() == RuntimeFlavor::CurrentThread {
                shared.warned.call_once(|| shared.note(move |tell| tell(&Event::SingleThread { name: &name })));
                shared.tell();
            }
            shared.keep_renewing(&runtime);
        }
        if outcome.is_err() && candidate.is_in_doubt {
            shared.release(&runtime, candidate.name, candidate.term, || {});
        }
        // A term that nobody waits for any more is dropped here, and so given back.
        let _nobody = candidate.answer.send(outcome);
    }
}
