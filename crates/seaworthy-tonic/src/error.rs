use std::error::Error as StdError;
use std::fmt;

use seaworthy::http::SplitError;
use seaworthy::http::grpc::Code;
use seaworthy::{BoxError, Rejected, StackError};
use tonic::Status;

use crate::status::{rejected_of, status_of};

/// The error of a stack whose errors are tonic's [`Status`]: a newtype, because [`StackError`] cannot be implemented
/// for a type of another crate.
///
/// It is one pointer. As the error of a stack under a tonic client it arrives as the status that it holds, with code,
/// message, details and metadata; `?` makes a [`Status`] of it in a handler.
///
/// Its text has the code only; the status is its [source](StdError::source), and a rejection the source of that.
///
/// ```
/// use seaworthy::{CircuitBreaker, StackError};
/// use seaworthy_tonic::{TonicClassifier, TonicError};
/// use tonic::{Request, Response, Status};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # async fn count(_: u64) -> Result<u64, Status> { Err(Status::unavailable("it is being restarted")) }
/// // A handler that calls something else, and answers its errors as its own.
/// async fn handle(stock: &CircuitBreaker, request: Request<u64>) -> Result<Response<u64>, Status> {
///     let call = async { count(request.into_inner()).await.map_err(TonicError::from) };
///     Ok(Response::new(stock.classify(TonicClassifier::new()).run(call).await?))
/// }
///
/// let stock = CircuitBreaker::builder("stock").consecutive_failures(1).build()?;
/// let status = handle(&stock, Request::new(7)).await.unwrap_err();
/// assert_eq!(status.message(), "it is being restarted");
/// let status = handle(&stock, Request::new(7)).await.unwrap_err();
/// assert_eq!((status.code(), status.message()), (tonic::Code::Unavailable, "circuit open"));
/// assert!(TonicError::from(status).rejected().is_some());
/// # Ok(())
/// # }
/// ```
///
/// # Clone
/// Allocates, as a clone of the status does.
#[derive(Clone)]
pub struct TonicError(Status);

impl TonicError {
    /// The status that tonic makes of any error: its own if it has one among its sources, `Unavailable` if there is no
    /// connection, otherwise mostly `Unknown`. A [`Rejected`] among them is recognised, too.
    #[must_use]
    pub fn from_error(error: impl Into<BoxError>) -> TonicError {
        match Status::try_from_error(error.into()) {
            Ok(status) => TonicError(status),
            Err(error) => match error.rejected() {
                Some(rejected) => TonicError::from(rejected.clone()),
                None => TonicError(Status::from_error(error)),
            },
        }
    }

    /// The status, which has code, message and metadata.
    #[must_use]
    pub fn status(&self) -> &Status {
        &self.0
    }

    /// The status itself.
    #[must_use]
    pub fn into_status(self) -> Status {
        self.0
    }
}

/// With [`status_of`].
impl From<Rejected> for TonicError {
    fn from(rejected: Rejected) -> TonicError {
        TonicError(status_of(&rejected))
    }
}

impl From<Status> for TonicError {
    fn from(status: Status) -> TonicError {
        TonicError(status)
    }
}

impl From<TonicError> for Status {
    fn from(error: TonicError) -> Status {
        error.0
    }
}

/// Looks for a rejection among the sources of the status, as [`rejected_of`] does.
impl StackError for TonicError {
    fn rejected(&self) -> Option<&Rejected> {
        rejected_of(&self.0)
    }
}

/// The rest is the error itself, of which nobody knows any more that it is no rejection.
impl SplitError for TonicError {
    type Rest = TonicError;

    fn split(self) -> Result<Rejected, TonicError> {
        self.rejected().cloned().ok_or(self)
    }
}

impl fmt::Debug for TonicError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TonicError").field(&self.0).finish()
    }
}

impl fmt::Display for TonicError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "gRPC call failed: {}", code_of(&self.0))
    }
}

/// The status is the source: tonic finds it there.
impl StdError for TonicError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.0)
    }
}

pub(crate) fn code_of(status: &Status) -> Code {
    Code::from(i32::from(status.code()))
}
