//! Whose a key is.

use std::borrow::Cow;
use std::fmt::Write;
use std::sync::Arc;

use http::request::Parts;

/// The scope of all keys where there is one only.
const ONE: &str = "http";
const HASHED: &str = "sha256:";
const MOST: usize = 100;

type Told = dyn Fn(&Parts) -> Option<String> + Send + Sync;

/// Tells the scope of a request's key.
#[derive(Clone)]
pub(super) enum ScopeOf {
    One,
    Told(Arc<Told>),
}

impl ScopeOf {
    pub(super) fn told<T: AsRef<str>>(
        by: impl Fn(&Parts) -> Option<T> + Send + Sync + 'static,
        make: fn(&str) -> Cow<'_, str>,
    ) -> ScopeOf {
        ScopeOf::Told(Arc::new(move |head| {
            let scope = by(head)?;
            let scope = scope.as_ref();
            // Whoever is nobody shares nothing with nobody else.
            (!scope.is_empty()).then(|| make(scope).into_owned())
        }))
    }

    pub(super) fn of(&self, head: &Parts) -> Option<Cow<'static, str>> {
        match self {
            ScopeOf::One => Some(Cow::Borrowed(ONE)),
            ScopeOf::Told(by) => by(head).map(Cow::Owned),
        }
    }
}

/// As it is, if a key can have it. What looks like a hash is hashed, too, so that no scope can pass for another's.
pub(super) fn fitted(scope: &str) -> Cow<'_, str> {
    let fits = scope.len() <= MOST && !scope.chars().any(char::is_control) && !scope.starts_with(HASHED);
    if fits { Cow::Borrowed(scope) } else { hashed(scope) }
}

pub(super) fn hashed(scope: &str) -> Cow<'_, str> {
    let mut text = String::from(HASHED);
    for byte in hmac_sha256::Hash::hash(scope.as_bytes()) {
        // Writing to a string does not fail.
        let _written = write!(text, "{byte:02x}");
    }
    Cow::Owned(text)
}
