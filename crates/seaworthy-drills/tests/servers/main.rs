//! The companions against real servers. A server that is missing on this machine fails the tests.

#[cfg(unix)]
mod advisory;
#[cfg(unix)]
mod dead_letters;
#[cfg(unix)]
mod dropping;
#[cfg(unix)]
mod in_schema;
#[cfg(unix)]
mod leader;
#[cfg(unix)]
#[path = "../../../seaworthy-queue/tests/suite/ledger_scenarios/mod.rs"]
#[allow(dead_code, reason = "those in memory need more of them")]
mod ledger_scenarios;
#[cfg(unix)]
mod postgres;
#[cfg(unix)]
#[path = "../processes/mod.rs"]
mod processes;
#[cfg(unix)]
mod queue;
#[cfg(unix)]
mod redis;
#[cfg(unix)]
#[path = "../../../seaworthy-queue/tests/suite/scenarios/mod.rs"]
#[allow(dead_code, reason = "those in memory need more of them")]
mod scenarios;
#[cfg(unix)]
mod space;
/// Of the example of the queue.
#[cfg(unix)]
#[path = "../../../seaworthy-queue/examples/dead_letters/tool/mod.rs"]
mod tool;
