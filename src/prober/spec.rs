#[cfg(feature = "grpc")]
use super::grpc::GrpcHealth;
use super::http::HttpGet;
use super::kind::{Exec, TcpConnect};
use super::policy::ProbePolicy;

/// What is probed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProbeKind {
    /// An HTTP request, by default a `GET`, that expects a certain status.
    Http(HttpGet),
    /// A TCP connection that has to be accepted.
    Tcp(TcpConnect),
    /// A command that has to exit with code 0.
    Exec(Exec),
    /// A check in gRPC's health protocol, which has to say `SERVING`. Feature `grpc`.
    #[cfg(feature = "grpc")]
    Grpc(GrpcHealth),
}

/// A policy and what it applies to, as read from a settings file (feature `serde`).
///
/// There is exactly one of `http`, `tcp`, `exec` and, with feature `grpc`, `grpc`. Durations are texts like `"10s"`.
/// Everything optional has the defaults of [`ProbePolicy`] and of the kinds; an unknown name is an error. Errors give
/// the path of the key, what must be there, and what is: ``http.port: must be a number from 1 to 65535, is "http"``.
///
/// | in | names |
/// |---|---|
/// | the spec | `interval`, `timeout`, `jitter`, `start_period`, `failure_threshold`, `success_threshold`, and a kind |
/// | `http` | `port`; optional: `host`, `path`, `scheme`, `method`, `headers` (a table), `status` |
/// | `tcp` | `port`; optional: `host` |
/// | `exec` | `command`, a list: the program and its arguments |
/// | `grpc` | `port`; optional: `host`, `service` |
///
/// `scheme` is `"http"` or `"https"`, and `status` is `200`, `"200-299"`, or a list of these.
///
/// A probe from a Kubernetes manifest is read unchanged, with the defaults and the meaning it has there: any status
/// from 200 to 399 is good, and 0 or empty means not set.
///
/// | Kubernetes | here |
/// |---|---|
/// | `httpGet` (`path`, `port`, `host`, `scheme`, `httpHeaders`) | `http` |
/// | `tcpSocket`, `exec`, `grpc` | `tcp`, `exec`, `grpc` |
/// | `periodSeconds` (10), `timeoutSeconds` (1) | `interval`, `timeout` |
/// | `successThreshold` (1), `failureThreshold` (3) | `success_threshold`, `failure_threshold` |
/// | `initialDelaySeconds` (0) | `start_period`: it is probed from the start, and failures do not mark it |
/// | `terminationGracePeriodSeconds` | an error: a prober terminates nothing |
///
/// The host is `127.0.0.1` where Kubernetes would use the pod's, and a port must be a number. `exec` alone and
/// `grpc` alone are the same in both notations, and have the defaults used here.
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
    /// How often it is probed, and how the results are judged.
    pub policy: ProbePolicy,
}
