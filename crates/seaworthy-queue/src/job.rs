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
    let read = |error: &serde_json::Error| DecodeError::Body(without_values(error).into());
    match version.cmp(&M::VERSION) {
        std::cmp::Ordering::Greater => Err(DecodeError::Newer),
        std::cmp::Ordering::Equal => serde_json::from_slice(body).map_err(|error| read(&error)),
        std::cmp::Ordering::Less => {
            let body = serde_json::from_slice(body).map_err(|error| read(&error))?;
            M::upgrade(version, body).map_err(|error| match error.downcast_ref() {
                Some(error) => read(error),
                None => DecodeError::Body(error),
            })
        }
    }
}

/// What was expected, and where. What was found is in the dead letter, and not in its reason, which is logged.
fn without_values(error: &serde_json::Error) -> String {
    let text = error.to_string();
    // These name nothing but what the job's type has.
    if !error.is_data() || text.starts_with("missing field `") || text.starts_with("duplicate field `") {
        return text;
    }
    match (text.rsplit_once(", expected "), error.line()) {
        // The last, because what was found is before it.
        (Some((_, expected)), _) => format!("expected {expected}"),
        (None, 0) => "a value that its type does not take".to_owned(),
        (None, line) => format!("a value that its type does not take at line {line} column {}", error.column()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Serialize, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Shaped {
        size: u8,
        place: Place,
        #[serde(default)]
        odd: Odd,
    }

    #[derive(Debug, serde::Serialize, serde::Deserialize)]
    enum Place {
        Here,
    }

    #[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
    #[serde(try_from = "String")]
    struct Odd;

    impl TryFrom<String> for Odd {
        type Error = String;

        fn try_from(text: String) -> Result<Odd, String> {
            Err(format!("{text} is not odd"))
        }
    }

    impl Job for Shaped {
        const KIND: &str = "shaped";
        const VERSION: u16 = 2;
    }

    /// SE-06, CO-24: why a body cannot be read says what was expected and where, and nothing of the body, of whichever
    /// version it is.
    #[test]
    fn bodies_are_not_told() {
        for (body, told) in [
            (r#"{"size":"hunter2, expected sun"}"#, "expected u8 at line 1 column 31"),
            (r#"{"size":70022}"#, "expected u8 at line 1 column 13"),
            (r#"{"hunter2":1}"#, "expected one of `size`, `place`, `odd` at line 1 column 10"),
            (r#"{"place":"hunter2"}"#, "expected `Here` at line 1 column 18"),
            (r#"{"odd":"hunter2"}"#, "a value that its type does not take at line 1 column 17"),
            (r#""hunter2""#, "expected struct Shaped at line 1 column 9"),
            (r#"{"size":1}"#, "missing field `place` at line 1 column 10"),
            (r#"{"size":1,"size":2}"#, "duplicate field `size` at line 1 column 16"),
            ("hunter2", "expected value at line 1 column 1"),
        ] {
            let error = decode::<Shaped>("shaped", 2, body.as_bytes()).unwrap_err();
            assert_eq!(error.to_string(), format!("a job that cannot be read: {told}"));
            let older = decode::<Shaped>("shaped", 1, body.as_bytes()).unwrap_err();
            let shown = format!("{error:?} {older:?} {older}");
            assert!(!shown.contains("hunter2") && !shown.contains("70022"), "{shown}");
        }
    }
}
