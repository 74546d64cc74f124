use http::Request;

use crate::error::ConfigError;
use crate::error::check::Subject;
use crate::health::Exempt;
use crate::name::Name;

/// The paths of the health endpoints: by default `/health` and everything below it. A
/// [`ReadinessLayer`](crate::health::ReadinessLayer) can let requests for them pass.
///
/// ```
/// use seaworthy::http::HealthPaths;
///
/// let paths = HealthPaths::new("/healthz")?.live("/livez")?.ready("/readyz")?.startup("startup")?;
/// for path in ["/healthz", "/livez", "/readyz", "/healthz/startup"] {
///     assert!(paths.contains(path));
/// }
/// # Ok::<(), seaworthy::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthPaths {
    prefix: Name,
    names: [(Endpoint, Name); 3],
}

/// The endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    Live,
    Ready,
    Startup,
}

impl HealthPaths {
    /// The paths below `prefix`.
    ///
    /// # Errors
    /// If it does not begin with a slash, ends with one, or contains a character that no path can have.
    pub fn new(prefix: impl Into<Name>) -> Result<HealthPaths, ConfigError> {
        HealthPaths::default().with_prefix(prefix.into())
    }

    pub(super) fn with_prefix(mut self, prefix: Name) -> Result<HealthPaths, ConfigError> {
        HEALTH.require(prefix.starts_with('/'), "prefix", &prefix, "must begin with a slash")?;
        check("prefix", &prefix)?;
        self.prefix = prefix;
        Ok(self)
    }

    /// Names the liveness endpoint below the prefix, `live` if not set; a name that begins with a slash is the whole
    /// path.
    ///
    /// # Errors
    /// If it is empty, ends with a slash, contains a character that no path can have, or belongs to another endpoint.
    pub fn live(self, name: impl Into<Name>) -> Result<HealthPaths, ConfigError> {
        self.named(Endpoint::Live, "live", name.into())
    }

    /// Names the readiness endpoint below the prefix, `ready` if not set; a name that begins with a slash is the whole
    /// path. The prefix alone answers the same.
    ///
    /// # Errors
    /// As [`live`](Self::live).
    pub fn ready(self, name: impl Into<Name>) -> Result<HealthPaths, ConfigError> {
        self.named(Endpoint::Ready, "ready", name.into())
    }

    /// Names the startup endpoint below the prefix, `startup` if not set; a name that begins with a slash is the whole
    /// path.
    ///
    /// # Errors
    /// As [`live`](Self::live).
    pub fn startup(self, name: impl Into<Name>) -> Result<HealthPaths, ConfigError> {
        self.named(Endpoint::Startup, "startup", name.into())
    }

    fn named(mut self, endpoint: Endpoint, field: &'static str, name: Name) -> Result<HealthPaths, ConfigError> {
        HEALTH.require(!name.is_empty(), field, &name, "must not be empty")?;
        check(field, &name)?;
        let taken = self.names.iter().any(|(other, taken)| *other != endpoint && *taken == name);
        HEALTH.require(!taken, field, &name, "must not be the name of another endpoint")?;
        for (other, former) in &mut self.names {
            if *other == endpoint {
                *former = name.clone();
            }
        }
        Ok(self)
    }

    /// The prefix of all endpoints that have no path of their own.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Whether `path` is the prefix, below it, or the own path of an endpoint.
    #[must_use]
    pub fn contains(&self, path: &str) -> bool {
        self.below_prefix(path).is_some() || self.names.iter().any(|(_, name)| name.starts_with('/') && *name == path)
    }

    /// The rest after the prefix: empty, or a slash and more.
    fn below_prefix<'a>(&self, path: &'a str) -> Option<&'a str> {
        path.strip_prefix(self.prefix()).filter(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The endpoint at this path. A router may have stripped the prefix.
    pub(super) fn endpoint(&self, path: &str) -> Option<Endpoint> {
        let rest = self.below_prefix(path).unwrap_or(path);
        if matches!(rest, "" | "/") {
            return Some(Endpoint::Ready);
        }
        let is_it = |name: &Name| match name.starts_with('/') {
            true => *name == path,
            false => rest.strip_prefix('/').is_some_and(|rest| *name == rest),
        };
        self.names.iter().find(|(_, name)| is_it(name)).map(|(endpoint, _)| *endpoint)
    }
}

fn check(field: &'static str, path: &str) -> Result<(), ConfigError> {
    let one_line = path.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#'));
    HEALTH.require(!path.ends_with('/'), field, path, "must not end with a slash")?;
    HEALTH.require(one_line, field, path, "must be visible ASCII without `?` and `#`")
}

const HEALTH: Subject<'static> = Subject::of("health");

/// `/health`, and below it `live`, `ready` and `startup`.
impl Default for HealthPaths {
    fn default() -> HealthPaths {
        let names = [(Endpoint::Live, "live"), (Endpoint::Ready, "ready"), (Endpoint::Startup, "startup")];
        HealthPaths { prefix: Name::from("/health"), names: names.map(|(endpoint, name)| (endpoint, Name::from(name))) }
    }
}

/// Lets requests for these paths pass.
impl<B> Exempt<Request<B>> for HealthPaths {
    #[inline]
    fn is_exempt(&self, request: &Request<B>) -> bool {
        self.contains(request.uri().path())
    }
}
