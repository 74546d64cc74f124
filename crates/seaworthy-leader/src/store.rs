//! The seam between a lease elector and where its rows are: what an engine does, one statement a method.
//!
//! An engine keeps one row for each name: its epoch, its holder, the 128 random bits of the term, when the lease is
//! over, and a hint. It decides by its own clock (the *row clock*), in the statement that acts, what is over. Rows are
//! never deleted. It is asked by a [`LeaseElector`](crate::LeaseElector), which sees to limits of time, renewing,
//! deadlines and what goes on in the background; an engine sees to being atomic, and to being cancelled anywhere. The
//! `conformance` suite (feature `test-util`) holds an engine to it.

use std::future::Future;
use std::time::Duration;

use seaworthy::Name;
use seaworthy_store::StoreError;

use crate::machine::lease::LeaseRow;

/// A moment of the row clock, in microseconds since a beginning of the engine's choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowTime(pub i64);

impl RowTime {
    /// So much later; the last moment that there is, if there is none so late.
    #[must_use]
    pub fn after(self, span: Duration) -> RowTime {
        RowTime(self.0.saturating_add(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }

    /// From `earlier` to this; zero if that is later.
    #[must_use]
    pub fn since(self, earlier: RowTime) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// Who asks for leases, and on which terms.
#[derive(Clone, Debug)]
pub struct Candidate<'a> {
    /// Its name, for people. Nothing is decided by it.
    pub holder: &'a str,
    /// What followers can read of it, an address for instance.
    pub hint: Option<&'a str>,
    /// How long a lease is, by the row clock from when it is granted or renewed.
    pub ttl: Duration,
}

/// One lease that is asked for.
#[derive(Clone, Debug)]
pub struct Bid {
    /// Whose lease.
    pub name: Name,
    /// The term that it would be. A row that has this one already, live or not, is granted again: the answer to the
    /// first asking was lost.
    pub term: u128,
    /// The highest epoch that the candidate has seen.
    pub seen: u64,
}

/// What became of a [`Bid`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Acquired {
    /// There was no row, its lease was over, or it was of this very term: it now has the term, the holder and the hint,
    /// and a lease that is over one ttl from now.
    Granted {
        /// One more than the greater of `seen` and the row's before.
        epoch: u64,
        /// The row's before, 0 without a row.
        before: u64,
    },
    /// Somebody's lease is live.
    Held(Row),
    /// The lease is over, and the row is locked by a transaction. Ask again soon.
    Locked,
    /// The request was begun too late, and nothing was done.
    Late,
}

/// A term that is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenure {
    /// Whose lease.
    pub name: Name,
    /// As granted.
    pub epoch: u64,
    /// As asked for.
    pub term: u128,
}

/// What became of one renewal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Renewal {
    /// The lease is over one ttl from now.
    Renewed,
    /// Term or epoch is another, there is no row, or the lease was over although nobody took it.
    Lost,
    /// The row is locked by a transaction that is not its holder's guard, so it was left alone; ask again soon.
    Locked,
    /// The request was begun too late, and nothing was done.
    Late,
}

/// What a live lease looks like to others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Whose it is, for people.
    pub holder: Box<str>,
    /// Of its term.
    pub epoch: u64,
    /// What its holder wants to be known.
    pub hint: Option<Box<str>>,
    /// To the end of the lease.
    pub left: Duration,
}

impl Row {
    pub(crate) fn of(row: &LeaseRow, now: Duration) -> Row {
        let left = row.over_at.saturating_sub(now);
        Row { holder: row.holder.clone(), epoch: row.epoch, hint: row.hint.clone(), left }
    }
}

/// Answers, in the order asked, and the row clock when they were made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answers<T> {
    /// Read while the statement ran.
    pub at: RowTime,
    /// One for each that was asked for.
    pub each: Vec<T>,
}

/// Where leases are.
///
/// `begin_by` makes late statements harmless: one that the engine begins when its clock is past that does nothing at
/// all and answers `Late` to each.
///
/// # Cancellation
/// Each future may be dropped at any await. What it asked for then happens wholly or not at all, and no lock, open
/// transaction or half-read answer is left behind for the next who asks.
///
/// # Errors
/// Each method fails with [`StoreError`] in the class that tells what can be done about it. An engine that can see that
/// a statement did nothing because others interfered (a serialization failure, a deadlock) repeats it by itself, up to
/// three times.
pub trait LeaseStore: Clone + Send + Sync + 'static {
    /// Takes each lease that is over, or is of the very term. Among any number of candidates at most one gets a lease
    /// while it is live. At most 500, no name twice.
    ///
    /// An engine whose transactions can hold a share lock on a row (a guard of the leader's) locks the row for itself
    /// *before* it updates it, so that no transaction of an old term is committed after a new one began. One bid alone
    /// may wait for such a lock, for a second at most; several are not held up by one, which is answered
    /// [`Locked`](Acquired::Locked) and asked for again by itself.
    fn acquire(
        &self,
        candidate: &Candidate<'_>,
        bids: &[Bid],
        begin_by: RowTime,
    ) -> impl Future<Output = Result<Answers<Acquired>, StoreError>> + Send;

    /// Moves the end of each lease to one ttl from now if term and epoch are the row's and the lease is not over, and
    /// touches nothing else. At most 500.
    fn renew(
        &self,
        tenures: &[Tenure],
        ttl: Duration,
        begin_by: RowTime,
    ) -> impl Future<Output = Result<Answers<Renewal>, StoreError>> + Send;

    /// Ends the lease now and empties the holder and the hint if the term is the row's, whatever its epoch. The epoch
    /// stays.
    fn release(&self, name: &Name, term: u128) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Reads the row clock and the leases of these names, without a lock: none for one that nobody holds.
    fn read(&self, names: &[Name]) -> impl Future<Output = Result<Answers<Option<Row>>, StoreError>> + Send;
}

/// A store whose leases fence the transactions of the same database: see [`Term::guard`](crate::Term::guard).
///
/// # Cancellation
/// The caller's transaction rolls back as the driver does.
///
/// # Errors
/// In the classes of [`StoreError`]; nothing is repeated, because after an error the transaction can only be rolled
/// back.
pub trait FencingStore: Send + Sync + 'static {
    /// What the caller's transaction runs on.
    type Connection: Send;

    /// Whether the row has this epoch, and its lease is not over by the row clock. If so nobody is granted the name
    /// before the transaction has ended, for which it has `limit` from now, where the store can see to that; renewals
    /// go on beside it.
    fn guard(
        &self,
        connection: &mut Self::Connection,
        name: &Name,
        epoch: u64,
        limit: Duration,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
}
