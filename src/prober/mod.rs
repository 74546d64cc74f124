//! A health prober: checks targets regularly, whether or not they get calls, and keeps their state.
//!
//! ```text
//!   disabled      no policy                  unknown      does not run
//!
//!                         enough successes in a row
//!   starting ──────────────────────────────────────────────▶ healthy
//!      │                                                      │   ▲
//!      │ enough failures in a row,                            ▼   │ enough successes
//!      └──────────────────────────────────────────────────▶ unhealthy
//!        after the start period, which being found healthy ends
//! ```
//!
//! A [`Prober`] has many [`Target`]s, each with a [`ProbePolicy`] and a [`Probe`]: an HTTP `GET`, a TCP connection, a
//! command, a closure, or with feature `grpc` a check in gRPC's health protocol. The next probe begins one interval
//! after the last one ended. A target never has two probes at once, and the total at a time is limited. One timer
//! serves all targets.
//!
//! A target is a [`Check`](crate::Check), and can [drive a circuit breaker](Target::drive).
//!
//! ```
//! use seaworthy::prober::{ProbePolicy, Prober};
//! use seaworthy::ProbeState;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), seaworthy::ConfigError> {
//! let prober = Prober::builder().build()?;
//! let disk = prober.add("disk", ProbePolicy::default(), || async { Ok::<(), String>(()) })?;
//! let task = prober.spawn();
//! # while disk.state() == ProbeState::Starting { tokio::task::yield_now().await }
//! // … and a moment later:
//! assert_eq!(disk.state(), ProbeState::Healthy);
//! task.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! To run as part of a task that has a signal for its end: `prober.run(signal)`.

mod address;
mod body;
mod builder;
#[cfg(feature = "serde")]
mod data;
mod driver;
mod exec;
#[cfg(feature = "grpc")]
mod grpc;
mod handle;
mod http;
mod kind;
mod policy;
mod probe;
mod resolver;
mod run;
mod shared;
mod spec;
mod status;
mod table;
mod target;
mod tcp;
mod under_way;

pub use builder::ProberBuilder;
pub use exec::ExecProbe;
#[cfg(feature = "grpc")]
pub use grpc::{GrpcHealth, GrpcProbe};
pub use handle::{Prober, ProberTask};
pub use kind::{Exec, TcpConnect};
pub use policy::{ProbePolicy, ProbePolicyBuilder};
pub use probe::Probe;
pub use resolver::Resolver;
pub use spec::{ProbeKind, ProbeSpec};
pub use status::ProbeStatus;
pub use target::Target;
pub use tcp::TcpProbe;

pub use self::http::{GivenClient, HttpGet, HttpProbe, OwnConnections, Scheme};
pub use crate::machine::probe::track::TargetPhase;
