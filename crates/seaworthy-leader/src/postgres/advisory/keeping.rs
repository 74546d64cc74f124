//! The task of one term: it keeps the session, asks it whether it lives, and notices its end.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::{Duration, Instant as StdInstant};

use seaworthy::Name;
use seaworthy_store::postgres::{Read, Session};
use seaworthy_store::time::{Instant, now, sleep_until};
use seaworthy_store::{ErrorClass, StoreError, micros};
use sqlx::Arguments;
use sqlx::postgres::PgArguments;
use tokio::sync::mpsc;
use tokio::time::timeout_at;

use super::shared::Shared;
use crate::elector::requests::heard;
use crate::event::{Event, TermEnd, Why};
use crate::machine::term::{Change, TermClock};
use crate::term::{TermControl, TermOwner};

/// Further away than any program runs.
const FAR: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

pub(super) enum Command {
    WindDown(StdInstant),
    End(TermEnd),
}

/// The term's side: each command is for the task.
pub(super) struct Owner(pub(super) mpsc::UnboundedSender<Command>);

impl TermOwner for Owner {
    fn wind_down(&self, stop_by: StdInstant) {
        let _gone = self.0.send(Command::WindDown(stop_by));
    }

    fn end(&self, end: TermEnd) {
        let _gone = self.0.send(Command::End(end));
    }
}

pub(super) struct Keeping {
    pub(super) shared: Arc<Shared>,
    pub(super) name: Name,
    pub(super) term: u128,
    pub(super) control: TermControl,
    pub(super) clock: TermClock,
    /// None when it has ended.
    pub(super) session: Option<Session>,
    pub(super) commands: mpsc::UnboundedReceiver<Command>,
    /// How it ended was told.
    pub(super) is_told_over: bool,
    /// It was given back, and until when that may take.
    pub(super) end: Option<(TermEnd, Instant)>,
}

/// What is waited for.
enum Step<T> {
    Done(T),
    Asked(Option<Command>),
    Due,
}

async fn step<T>(
    work: impl Future<Output = T>,
    commands: &mut mpsc::UnboundedReceiver<Command>,
    until: Instant,
) -> Step<T> {
    let mut work = pin!(work);
    let mut due = pin!(sleep_until(until));
    poll_fn(|cx| {
        if let Poll::Ready(command) = commands.poll_recv(cx) {
            return Poll::Ready(Step::Asked(command));
        }
        if let Poll::Ready(done) = work.as_mut().poll(cx) {
            return Poll::Ready(Step::Done(done));
        }
        due.as_mut().poll(cx).map(|()| Step::Due)
    })
    .await
}

impl Keeping {
    /// Until the term was given back.
    pub(super) async fn keep(mut self) {
        loop {
            if let Some((end, by)) = self.end {
                return self.give_back(end, by).await;
            }
            self.look();
            let moment = self.shared.now();
            if let Some(session) = self.session.take_if(|_| self.clock.due().is_some_and(|due| due <= moment)) {
                self.ping(session).await;
                continue;
            }
            let next = if self.session.is_some() { self.clock.next_look() } else { self.clock.next_change() };
            let until = next.map_or_else(|| now() + FAR, |next| self.shared.start + next);
            let ended = async {
                match &mut self.session {
                    Some(session) => session.ended().await,
                    None => std::future::pending().await,
                }
            };
            match step(ended, &mut self.commands, until).await {
                Step::Done(()) => self.lost(),
                Step::Asked(command) => self.note(command),
                Step::Due => {}
            }
        }
    }

    fn at(&self, moment: Duration) -> StdInstant {
        (self.shared.start + moment).into_std()
    }

    fn note(&mut self, command: Option<Command>) {
        match command {
            Some(Command::WindDown(stop_by)) => {
                let was_told = self.clock.is_told();
                self.clock.wind_down(self.shared.now(), self.shared.moment(stop_by.into()));
                if !was_told {
                    self.note_told(Why::Shutdown);
                    self.shared.teller.tell();
                }
            }
            Some(Command::End(end)) => self.end = Some((end, now() + self.shared.settings.request_timeout)),
            None => self.end = Some((TermEnd::Released, now())),
        }
    }

    fn note_told(&self, why: Why) {
        let (name, epoch) = (self.name.clone(), self.control.epoch());
        self.shared.teller.note(move |tell| tell(&Event::Told { name: &name, epoch, why }));
    }

    /// Tells what has changed with time.
    fn look(&mut self) {
        let moment = self.shared.now();
        while let Some(change) = self.clock.look(moment) {
            self.is_told_over |= matches!(change, Change::Expired { .. });
            if let Some(stop_by) = self.shared.teller.note_change(&self.name, &self.control, change) {
                self.control.tell(self.at(stop_by));
            }
        }
        self.shared.teller.tell();
    }

    /// One question, on which the term's time goes by when it was sent, however late it is answered. Nothing can be
    /// asked behind it, so that it is waited for until the term is over.
    async fn ping(&mut self, mut session: Session) {
        let shared = Arc::clone(&self.shared);
        let (name, term) = (self.name.clone(), self.term);
        let epoch = i64::try_from(self.control.epoch().get()).unwrap_or(i64::MAX);
        let bind = |arguments: &mut PgArguments| {
            arguments.add(name.as_str())?;
            arguments.add(epoch)?;
            arguments.add(term.to_be_bytes())?;
            arguments.add(micros::of(shared.settings.session_timeout))
        };
        let sent = now();
        let limit = sent + shared.settings.request_timeout;
        let answer = {
            let mut asking = Box::pin(session.rows("ping", &shared.statements.ping, bind));
            let mut is_late = false;
            loop {
                let deadline = shared.start + self.clock.deadline();
                if let Some((_, by)) = self.end {
                    break timeout_at(by.min(deadline), &mut asking).await.ok();
                }
                self.look();
                if !is_late && now() >= limit {
                    is_late = true;
                    let error = StoreError::timed_out("ping", shared.settings.request_timeout);
                    heard(&shared.sight, &shared.teller, "ping", Some(&error));
                    self.not_renewed(error.class(), sent);
                }
                if now() >= deadline {
                    break None;
                }
                let change = self.clock.next_change().map_or(deadline, |next| deadline.min(shared.start + next));
                let until = if is_late { change } else { change.min(limit) };
                match step(&mut asking, &mut self.commands, until).await {
                    Step::Done(answer) => break Some(answer),
                    Step::Asked(command) => self.note(command),
                    Step::Due => {}
                }
            }
        };
        let is_broken = session.is_broken();
        self.session = Some(session);
        let Some(answer) = answer else { return };
        heard(&shared.sight, &shared.teller, "ping", answer.as_ref().err());
        if self.end.is_some() {
            return;
        }
        match answer.and_then(|rows| Read::first("ping", &rows)?.get("is_ours")) {
            Ok(true) => self.renewed(sent),
            Err(error) if !is_broken => self.not_renewed(error.class(), sent),
            // The row is another's, or the connection has ended.
            Ok(false) | Err(_) => self.lost(),
        }
    }

    fn renewed(&mut self, sent: Instant) {
        let received = now();
        let moment = self.shared.moment(received);
        let deadline = self.clock.renewed(self.shared.moment(sent), moment);
        if deadline.is_some_and(|deadline| !self.control.renewed(self.at(deadline))) {
            self.clock.found_over(moment);
        }
        let (name, elapsed) = (self.name.clone(), received.saturating_duration_since(sent));
        let left = self.clock.deadline().saturating_sub(moment);
        self.shared.teller.note(move |tell| tell(&Event::Renewed { name: &name, elapsed, left }));
        self.shared.teller.tell();
    }

    fn not_renewed(&mut self, class: ErrorClass, sent: Instant) {
        let moment = self.shared.now();
        self.clock.not_renewed(self.shared.moment(sent), moment);
        let (name, left) = (self.name.clone(), self.clock.deadline().saturating_sub(moment));
        self.shared.teller.note(move |tell| tell(&Event::RenewFailed { name: &name, class: Some(class), left }));
        self.shared.teller.tell();
    }

    /// The server has ended the session, or another has the row. Whoever has the lock by now, it is not this one.
    fn lost(&mut self) {
        self.session = None;
        let stop_by = self.clock.lost(self.shared.now());
        // Before whoever listens does something that is told, too.
        if !std::mem::replace(&mut self.is_told_over, true) {
            self.note_told(Why::Lost);
        }
        self.control.lost(self.at(stop_by));
        self.shared.teller.tell();
    }

    /// Tells the row, and closes the connection, which gives the lock back.
    async fn give_back(mut self, end: TermEnd, by: Instant) {
        if !std::mem::replace(&mut self.is_told_over, true) {
            let (name, epoch) = (self.name.clone(), self.control.epoch());
            self.shared.teller.note(move |tell| tell(&Event::Released { name: &name, epoch, end }));
            self.shared.teller.tell();
        }
        let Some(mut session) = self.session.take_if(|session| !session.is_broken()) else { return };
        let bind = |arguments: &mut PgArguments| {
            arguments.add(self.name.as_str())?;
            arguments.add(self.term.to_be_bytes())
        };
        let telling = session.rows("release", &self.shared.statements.of_leases.release, bind);
        let told = timeout_at(by, Box::pin(telling)).await;
        let told = told.unwrap_or_else(|_| Err(StoreError::timed_out("release", self.shared.settings.request_timeout)));
        heard(&self.shared.sight, &self.shared.teller, "release", told.as_ref().err());
    }
}

/// Even if its runtime has shut down: the connection is closed, and whoever waits for that is told.
impl Drop for Keeping {
    fn drop(&mut self) {
        drop(self.session.take());
        self.shared.held.fetch_sub(1, Ordering::Relaxed);
        self.control.released();
    }
}
