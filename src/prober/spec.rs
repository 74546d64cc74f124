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
/// the default that [`ProbePolicy`] and the kinds have; a name that is not known is an error.
///
/// | in | names |
/// |---|---|
/// | the spec | `interval`, `timeout`, `jitter`, `start_period`, `failure_threshold`, `success_threshold`, and a kind |
/// | `http` | `port`, and perhaps `host`, `path`, `scheme` (`"http"` or `"https"`), `status` |
/// | `tcp` | `port`, and perhaps `host` |
/// | `exec` | `command`, a list: the program and its arguments |
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
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(try_from = "raw::Spec"))]
pub struct ProbeSpec {
    /// What is probed.
    pub kind: ProbeKind,
    /// How often, and how the results are judged.
    pub policy: ProbePolicy,
}

#[cfg(feature = "serde")]
mod raw {
    use std::time::Duration;

    use serde::Deserialize;
    use serde::de::{Deserializer, Error};

    use super::super::kind::{PROBE, Scheme};
    use super::{Exec, HttpGet, ProbeKind, ProbePolicy, ProbeSpec, TcpConnect};
    use crate::ConfigError;

    /// A duration in text.
    fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
        let invalid = |flaw| {
            let text = format_args!("{text:?} is no duration, such as \"30s\" or \"1min 30s\": {flaw}");
            D::Error::custom(text)
        };
        crate::data::duration::parse(&text).map(Some).map_err(invalid)
    }

    /// Numbers are wider here than what they stand for, so that the error names the field.
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    pub(super) struct Spec {
        #[serde(default, deserialize_with = "duration")]
        interval: Option<Duration>,
        #[serde(default, deserialize_with = "duration")]
        timeout: Option<Duration>,
        #[serde(default, deserialize_with = "duration")]
        jitter: Option<Duration>,
        #[serde(default, deserialize_with = "duration")]
        start_period: Option<Duration>,
        failure_threshold: Option<i64>,
        success_threshold: Option<i64>,
        http: Option<Http>,
        tcp: Option<Tcp>,
        exec: Option<Command>,
    }

    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Http {
        scheme: Option<SchemeName>,
        host: Option<String>,
        port: i64,
        path: Option<String>,
        status: Option<i64>,
    }

    #[derive(serde::Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum SchemeName {
        Http,
        Https,
    }

    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Tcp {
        host: Option<String>,
        port: i64,
    }

    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Command {
        command: Vec<String>,
    }

    fn port(number: i64) -> Result<u16, ConfigError> {
        number.try_into().map_err(|_| PROBE.refuse("port", number, "must be from 1 to 65535"))
    }

    fn threshold(field: &'static str, count: i64) -> Result<u32, ConfigError> {
        let rule = if count < 1 { "must be at least 1" } else { "must not be greater than 4,294,967,295" };
        count.try_into().map_err(|_| PROBE.refuse(field, count, rule))
    }

    impl TryFrom<Http> for ProbeKind {
        type Error = ConfigError;

        fn try_from(http: Http) -> Result<ProbeKind, ConfigError> {
            let mut get = HttpGet::new(port(http.port)?);
            get.scheme = match http.scheme {
                None | Some(SchemeName::Http) => Scheme::Http,
                Some(SchemeName::Https) => Scheme::Https,
            };
            get.host = http.host.unwrap_or(get.host);
            get.path = http.path.unwrap_or(get.path);
            if let Some(status) = http.status {
                let refused = |_| PROBE.refuse("status", status, "must be from 100 to 599");
                get.status = status.try_into().map_err(refused)?;
            }
            get.check()?;
            Ok(ProbeKind::Http(get))
        }
    }

    impl TryFrom<Tcp> for ProbeKind {
        type Error = ConfigError;

        fn try_from(tcp: Tcp) -> Result<ProbeKind, ConfigError> {
            let mut connect = TcpConnect::new(port(tcp.port)?);
            connect.host = tcp.host.unwrap_or(connect.host);
            connect.check()?;
            Ok(ProbeKind::Tcp(connect))
        }
    }

    impl TryFrom<Command> for ProbeKind {
        type Error = ConfigError;

        fn try_from(command: Command) -> Result<ProbeKind, ConfigError> {
            let exec = Exec::new(command.command);
            exec.check()?;
            Ok(ProbeKind::Exec(exec))
        }
    }

    impl TryFrom<Spec> for ProbeSpec {
        type Error = ConfigError;

        fn try_from(spec: Spec) -> Result<ProbeSpec, ConfigError> {
            let kind = match (spec.http, spec.tcp, spec.exec) {
                (Some(http), None, None) => http.try_into()?,
                (None, Some(tcp), None) => tcp.try_into()?,
                (None, None, Some(exec)) => exec.try_into()?,
                (None, None, None) => {
                    return Err(PROBE.refuse("http, tcp, exec", format_args!("none"), "there must be one of them"));
                }
                _ => {
                    let several = format_args!("more than one");
                    return Err(PROBE.refuse("http, tcp, exec", several, "there must be only one of them"));
                }
            };
            let mut policy = ProbePolicy::builder();
            policy = spec.interval.into_iter().fold(policy, |policy, time| policy.interval(time));
            policy = spec.timeout.into_iter().fold(policy, |policy, time| policy.timeout(time));
            policy = spec.jitter.into_iter().fold(policy, |policy, time| policy.jitter(time));
            policy = spec.start_period.into_iter().fold(policy, |policy, time| policy.start_period(time));
            if let Some(count) = spec.failure_threshold {
                policy = policy.failure_threshold(threshold("failure_threshold", count)?);
            }
            if let Some(count) = spec.success_threshold {
                policy = policy.success_threshold(threshold("success_threshold", count)?);
            }
            Ok(ProbeSpec { kind, policy: policy.build()? })
        }
    }
}
