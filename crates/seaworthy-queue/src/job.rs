use std::error::Error;
use std::fmt;

use seaworthy::BoxError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// What is to be done, as data.
///
/// ```
/// use seaworthy_queue::Job;
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Provision {
///     tenant: String,
/// }
///
/// impl Job for Provision {
///     const KIND: &str = "provision";
/// }
/// ```
pub trait Job: Serialize + DeserializeOwned + Send + 'static {
    /// What kind of job it is. A job of another kind that lies in the queue ends as a dead letter.
    const KIND: &str;
    /// Of the body. A job of a newer version is put off, for a deployment to finish; one of an older is
    /// [upgraded](Job::upgrade).
    const VERSION: u16 = 1;

    /// Makes one of this version from the body of an older.
    ///
    /// # Errors
    /// If that cannot be; the job ends as a dead letter with the error's text.
    fn upgrade(from: u16, body: Value) -> Result<Self, BoxError> {
        let _same_shape = from;
        Ok(serde_json::from_value(body)?)
    }
}

/// Why a job cannot be given to its service.
#[derive(Debug)]
#[non_exhaustive]
pub enum DecodeError {
    /// It is of another kind.
    Kind,
    /// It is of a newer version than this program knows.
    Newer,
    /// Its body cannot be read.
    Body(BoxError),
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DecodeError::Kind => f.write_str("a job of another kind"),
            DecodeError::Newer => f.write_str("a job of a newer version"),
            DecodeError::Body(error) => write!(f, "a job that cannot be read: {error}"),
        }
    }
}

impl Error for DecodeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            DecodeError::Kind | DecodeError::Newer => None,
            // Its text is in ours.
            DecodeError::Body(error) => error.source(),
        }
    }
}

/// The job of a delivery.
pub(crate) fn decode<M: Job>(kind: &str, version: u16, body: &[u8]) -> Result<M, DecodeError> {
    if kind != M::KIND {
        return Err(DecodeError::Kind);
    }
    let read = |error: serde_json::Error| DecodeError::Body(error.into());
    match version.cmp(&M::VERSION) {
        std::cmp::Ordering::Greater => Err(DecodeError::Newer),
        std::cmp::Ordering::Equal => serde_json::from_slice(body).map_err(read),
        std::cmp::Ordering::Less => {
            let body = serde_json::from_slice(body).map_err(read)?;
            M::upgrade(version, body).map_err(DecodeError::Body)
        }
    }
}
