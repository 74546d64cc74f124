use http::Request;

use crate::health::Exempt;
use crate::{ConfigError, Name};

/// The paths of the health endpoints: those below a prefix, which is `/health` unless another was given. A
/// [`ReadinessLayer`](crate::health::ReadinessLayer) can let requests for them pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthPaths {
    prefix: Name,
}

impl HealthPaths {
    /// The paths below `prefix`.
    ///
    /// # Errors
    /// If it does not begin with a slash, ends with one, or has anything in it that no path can have.
    pub fn new(prefix: impl Into<Name>) -> Result<HealthPaths, ConfigError> {
        let prefix = prefix.into();
        if !prefix.starts_with('/') {
            return Err(ConfigError::new("prefix", "must begin with a slash"));
        }
        if prefix.ends_with('/') {
            return Err(ConfigError::new("prefix", "must not end with a slash"));
        }
        if !prefix.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#')) {
            return Err(ConfigError::new("prefix", "must be visible ASCII without `?` and `#`"));
        }
        Ok(HealthPaths { prefix })
    }

    /// What they begin with.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Whether `path` is the prefix or below it.
    #[must_use]
    pub fn contains(&self, path: &str) -> bool {
        path.strip_prefix(self.prefix()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// `/health`.
impl Default for HealthPaths {
    fn default() -> HealthPaths {
        HealthPaths { prefix: Name::from("/health") }
    }
}

/// Requests for these paths pass.
impl<B> Exempt<Request<B>> for HealthPaths {
    #[inline]
    fn is_exempt(&self, request: &Request<B>) -> bool {
        self.contains(request.uri().path())
    }
}
