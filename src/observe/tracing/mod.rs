mod bulkhead;
mod circuit_breaker;
mod deadline;
mod extension;
mod fallback;
mod health;
mod keyed;
mod probe;
mod retry;
mod runner;
mod timeout;

use super::event::Event;
use super::observer::Observer;

/// Logs events with `tracing`: what goes down at `warn` (a circuit that opens or would have, a check, a target), other
/// changes of state at `info`, rejections and failed attempts at `debug`, failed tasks at `warn`, or at `error` if they
/// are not run again. A call that succeeds logs nothing.
///
/// Text from outside (names, keys, errors, reasons) has its control characters, line separators and direction marks
/// escaped, so that it cannot add a second line.
///
/// A handle uses it unless it is given another observer. An observer of yours can pass events on to it:
///
/// ```
/// use seaworthy::{Event, Observer, TracingObserver};
///
/// struct Both;
///
/// impl Observer for Both {
///     fn on_event(&self, event: &Event<'_>) {
///         TracingObserver.on_event(event);
///         // … and count it.
///     }
/// }
/// ```
///
/// | target | fields |
/// |---|---|
/// | `seaworthy::circuit_breaker` | `name`, `from`, `to`, `cause`, `sequence`, the counts; or `retry_after` |
/// | `seaworthy::health` | `from` and `to`; or `name`, `required` and `reason`, as a warning; or `reason` |
/// | `seaworthy::bulkhead` | `name` and `waited` |
/// | `seaworthy::retry` | `name`, `attempt`, `delay` or `attempts`, `reason`; `error`, `error_debug` |
/// | `seaworthy::prober` | `name`, `from`, `to`, `sequence`, `successes` and `failures` in a row, `error` |
/// | `seaworthy::timeout` | `name` if there is one, `limit`, `after` |
/// | `seaworthy::deadline` | `name` if there is one, `stage`, `late`; or `header`, which was malformed |
/// | `seaworthy::runner` | `name`, `error`, `error_debug`, `panicked`, `again_in` |
/// | `seaworthy::keyed` | `name`, `max`; a `warn`, because calls go unguarded |
/// | `seaworthy::fallback` | `name`, `error` and `error_debug` |
/// | `seaworthy::extension` | `component`, `name` if there is one, `kind`, `fields` as `name=value` |
#[derive(Clone, Copy, Debug, Default)]
pub struct TracingObserver;

impl Observer for TracingObserver {
    fn on_event(&self, event: &Event<'_>) {
        match event {
            Event::CircuitBreaker(event) => circuit_breaker::log(event),
            Event::Bulkhead(event) => bulkhead::log(event),
            Event::Retry(event) => retry::log(event),
            Event::Timeout(event) => timeout::log(event),
            Event::Deadline(event) => deadline::log(event),
            Event::Fallback(event) => fallback::log(event),
            Event::Keyed(event) => keyed::log(event),
            Event::Health(event) => health::log(event),
            Event::Runner(event) => runner::log(event),
            Event::Probe(event) => probe::log(event),
            Event::Extension(event) => extension::log(*event),
        }
    }
}
