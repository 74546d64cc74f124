use super::kind::{Exec, HttpGet, TcpConnect};
use super::policy::ProbePolicy;

/// What is probed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProbeKind {
    /// An HTTP `GET` that has to be answered with a certain status.
    Http(HttpGet),
    /// A TCP connection that has to be accepted.
    Tcp(TcpConnect),
    /// A command that has to exit with code 0.
    Exec(Exec),
}

/// A policy and what it is for, as it stands in a file of settings (feature `serde`).
///
/// There is exactly one of `http`, `tcp` and `exec`. Durations are texts like `"10s"`. Everything that may be left out has
/// the default that [`ProbePolicy`] and the kinds have; a name that is not known is an error. Errors name the path of the
/// key, what must stand there, and what does: ``http.port: must be a number from 1 to 65535, is "http"``.
///
/// | in | names |
/// |---|---|
/// | the spec | `interval`, `timeout`, `jitter`, `start_period`, `failure_threshold`, `success_threshold`, and a kind |
/// | `http` | `port`, and perhaps `host`, `path`, `scheme` (`"http"` or `"https"`), `method`, `headers` (a table), `status` (`200`, `"200-299"`, or a list of these) |
/// | `tcp` | `port`, and perhaps `host` |
/// | `exec` | `command`, a list: the program and its arguments |
///
/// A probe as it stands in a Kubernetes manifest is read as it is, with the defaults that it has there, and by what it means
/// there: any status from 200 to 399 is good, and what is 0 or empty is not set.
///
/// | there | here |
/// |---|---|
/// | `httpGet` (`path`, `port`, `host`, `scheme`, `httpHeaders`), `tcpSocket`, `exec` | `http`, `tcp`, `exec`; the host is `127.0.0.1` where it would be the pod's, and a port is a number |
/// | `periodSeconds` (10), `timeoutSeconds` (1) | `interval`, `timeout` |
/// | `successThreshold` (1), `failureThreshold` (3) | `success_threshold`, `failure_threshold` |
/// | `initialDelaySeconds` (0) | `start_period`: it is probed from the start, and failures do not mark it |
/// | `terminationGracePeriodSeconds` | an error: a prober ends nothing |
/// | `grpc` | an error: not supported yet |
///
/// `exec` alone is written alike in both, and has the defaults of here.
///
#[cfg_attr(feature = "serde", doc = "```")]
#[cfg_attr(not(feature = "serde"), doc = "```ignore")]
/// use seaworthy::prober::{ProbeKind, ProbeSpec};
///
/// let spec: ProbeSpec = serde_json::from_str(
///     r#"{ "interval": "5s", "http": { "port": 8080, "path": "/health?full=1" } }"#,
/// )?;
/// assert!(matches!(spec.kind, ProbeKind::Http(_)));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeSpec {
    /// What is probed.
    pub kind: ProbeKind,
    /// How often, and how the results are judged.
    pub policy: ProbePolicy,
}
