//! What is done while this process leads. It listens to its term.

use std::sync::Arc;
use std::time::Duration;

use seaworthy::BoxError;
use seaworthy_faults::clock;
use seaworthy_faults::journal::{Entry, Writer};
use seaworthy_leader::Term;

use super::resource::{Answer, CRON, Resource};

/// Between two ticks of the cron.
const TICK: Duration = Duration::from_millis(100);
/// What [`Resource`] is written to under [`Entry::begin`] and [`Entry::end`].
pub(super) const LEADS: &str = "leads";

pub(super) struct Work<D> {
    pub(super) database: Arc<D>,
    pub(super) journal: Arc<Writer>,
    pub(super) every: Duration,
}

/// From when the work begins to when its future is gone, however that ends.
struct Span(Arc<Writer>);

impl Span {
    fn begin(journal: &Arc<Writer>, epoch: i64) -> Span {
        journal.write(Entry::begin(LEADS));
        journal.write(Entry::note("leads").with("epoch", epoch));
        Span(Arc::clone(journal))
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        self.0.write(Entry::end(LEADS));
    }
}

pub(super) async fn work<D: Resource>(work: Work<D>, term: Term<D::Leases>) -> Result<(), BoxError> {
    let epoch = i64::try_from(term.epoch().get())?;
    let _span = Span::begin(&work.journal, epoch);
    let ended = term.ended();
    let mut writer = Leading { work: &work, term: &term, epoch, connection: None, last_tick: None, written: 0 };
    loop {
        writer.step().await;
        if ended.until(tokio::time::sleep(work.every)).await.is_none() {
            break;
        }
    }
    // Its last write, which is refused if it comes too late.
    work.journal.write(Entry::note("ending").with("epoch", epoch));
    writer.write_guarded().await;
    work.journal.write(Entry::note("finished").with("epoch", epoch));
    Ok(())
}

struct Leading<'a, D: Resource> {
    work: &'a Work<D>,
    term: &'a Term<D::Leases>,
    epoch: i64,
    /// None after an error.
    connection: Option<D::Connection>,
    /// None before the row is its own.
    last_tick: Option<i64>,
    written: i64,
}

impl<D: Resource> Leading<'_, D> {
    async fn step(&mut self) {
        self.write_guarded().await;
        self.tick().await;
    }

    async fn connected(&mut self) -> Option<&mut D::Connection> {
        if self.connection.is_none() {
            match self.work.database.reconnect().await {
                Ok(connection) => self.connection = Some(connection),
                Err(error) => self.failed("connect", &error),
            }
        }
        self.connection.as_mut()
    }

    fn failed(&mut self, how: &str, error: &str) {
        self.connection = None;
        self.work.journal.write(Entry::note("failed").with("how", how).with("error", error));
    }

    /// Whether it was accepted.
    fn note(&mut self, how: &str, answer: Answer) -> bool {
        match answer {
            Answer::Accepted => return true,
            Answer::Refused => {
                self.work.journal.write(Entry::note("refused").with("how", how).with("epoch", self.epoch));
            }
            Answer::Failed(error) => self.failed(how, &error),
        }
        false
    }

    /// Its transaction is guarded by the term.
    async fn write_guarded(&mut self) {
        self.written += 1;
        let (term, written) = (self.term, self.written);
        let Some(connection) = self.connected().await else { return };
        let answer = D::guarded(connection, term, written).await;
        self.note("guarded", answer);
    }

    /// One tick each [`TICK`]. Which was the last is known by the row, which is first made its own.
    async fn tick(&mut self) {
        let epoch = self.epoch;
        let Some(last) = self.last_tick else {
            let Some(connection) = self.connected().await else { return };
            match D::take(connection, CRON, epoch).await {
                Ok(Some(last)) => self.last_tick = Some(last),
                Ok(None) => drop(self.note("take", Answer::Refused)),
                Err(error) => self.failed("take", &error),
            }
            return;
        };
        let tick = i64::try_from(clock::now().as_millis() / TICK.as_millis()).unwrap_or(i64::MAX);
        if tick <= last {
            return;
        }
        let Some(connection) = self.connected().await else { return };
        let answer = D::fenced(connection, CRON, epoch, tick).await;
        if self.note("tick", answer) {
            self.work.journal.write(Entry::effect(format!("tick {tick}")));
            self.last_tick = Some(tick);
        } else {
            // Whether it was written is not known.
            self.last_tick = None;
        }
    }
}
