/// What a finished call says about the backend.
///
/// | verdict | a run of consecutive failures | rates | as a half-open trial |
/// |---|---|---|---|
/// | `Success` | ends it | a call that went well | succeeds |
/// | `Failure` | one more | a call that failed | fails |
/// | `Throttled` | leaves it as it is | a call that failed | fails |
/// | `Ignored` | leaves it as it is | not counted | not counted; another call may probe |
/// | `DeadlineExceeded` | as `Failure` or `Ignored` | | |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verdict {
    /// The backend did its work.
    Success,
    /// The backend did not do its work.
    Failure,
    /// The backend is up and asked for less traffic: HTTP 429 is the usual example.
    Throttled,
    /// The call says nothing about the backend: it never got there, or the caller was at fault.
    Ignored,
    /// The caller's [deadline](crate::Deadline) ended the call. It counts as the circuit breaker's
    /// [`OnDeadline`](crate::OnDeadline) says, so events and windows know the other verdicts only.
    DeadlineExceeded,
}
