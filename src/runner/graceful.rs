use std::io;

use tokio::task::JoinError;

use crate::error::BoxError;
use crate::error::chain::chain;

/// Whether the error means that a connection or a listener was closed, or that work was cancelled.
pub(super) fn is_closed(error: &BoxError) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected};
    let closed = [ConnectionAborted, ConnectionReset, BrokenPipe, NotConnected];
    is_cancelled(error)
        || chain(&**error)
            .any(|error| error.downcast_ref().is_some_and(|error: &io::Error| closed.contains(&error.kind())))
}

/// Whether the error means that a tokio task was cancelled.
pub(super) fn is_cancelled(error: &BoxError) -> bool {
    chain(&**error).any(|error| error.downcast_ref().is_some_and(JoinError::is_cancelled))
}

#[cfg(test)]
mod tests {
    use io::ErrorKind;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] BoxError);

    /// RN-12: a closed connection is found however deep in the error, and nothing else passes for one.
    #[tokio::test]
    async fn what_is_closed() {
        let handle = tokio::spawn(std::future::pending::<()>());
        handle.abort();
        let cancelled = handle.await.unwrap_err();
        let cancelled: BoxError = Outer(io::Error::other(cancelled).into()).into();
        assert!(is_cancelled(&cancelled) && is_closed(&cancelled));

        for (kind, closed) in [
            (ErrorKind::ConnectionAborted, true),
            (ErrorKind::ConnectionReset, true),
            (ErrorKind::BrokenPipe, true),
            (ErrorKind::NotConnected, true),
            (ErrorKind::UnexpectedEof, false),
            (ErrorKind::TimedOut, false),
            (ErrorKind::AddrInUse, false),
            (ErrorKind::Other, false),
        ] {
            let error: BoxError = Outer(io::Error::new(kind, "x").into()).into();
            assert_eq!((is_closed(&error), is_cancelled(&error)), (closed, false), "{kind}");
        }
        let panicked = tokio::spawn(async { panic!("not cancelled") }).await.unwrap_err();
        assert!(!is_closed(&panicked.into()));
    }
}
