use std::fmt;
use std::future::Future;

use crate::error::BoxError;

/// One connection's events: what [`Follow`](super::Follow) gets when it connects.
///
/// It is asked for one after the other, and never again once it has ended or failed.
///
/// ```
/// use seaworthy::BoxError;
/// use seaworthy::runner::{EventStream, Streamed};
///
/// /// Lines of a log, each with its number.
/// struct Lines {
///     lines: tokio::sync::mpsc::Receiver<String>,
///     number: u64,
/// }
///
/// impl EventStream for Lines {
///     type Event = String;
///     type Cursor = u64;
///     type Error = BoxError;
///
///     async fn next(&mut self) -> Result<Option<Streamed<String, u64>>, BoxError> {
///         let Some(line) = self.lines.recv().await else { return Ok(None) };
///         self.number += 1;
///         Ok(Some(Streamed::Event(line, self.number)))
///     }
/// }
/// ```
pub trait EventStream: Send + 'static {
    /// What is applied.
    type Event: Send + 'static;
    /// Where a connection begins. Its `Debug` stands in errors and logs.
    type Cursor: Clone + fmt::Debug + Send + 'static;
    /// Why a connection broke.
    type Error: Into<BoxError>;

    /// The next that comes; `None` at the end.
    ///
    /// # Cancellation
    /// It is dropped at shutdown and at the idle limit, and the stream with it.
    #[allow(clippy::type_complexity, reason = "an implementation spells it out anyhow")]
    fn next(&mut self)
    -> impl Future<Output = Result<Option<Streamed<Self::Event, Self::Cursor>>, Self::Error>> + Send;
}

/// What comes on a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Streamed<T, C> {
    /// An event, and the cursor from which a later connection goes on after it.
    Event(T, C),
    /// No event, but the cursor has moved (a bookmark).
    Cursor(C),
    /// Nothing, but the connection is alive.
    KeepAlive,
}
