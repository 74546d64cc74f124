mod bulkhead;
mod circuit_breaker;
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

/// Writes events with `tracing`: what goes down as `warn` (a circuit that opens, or would, a check, a target), other
/// changes of state as `info`, rejections and failed attempts as `debug`, failed tasks as `warn` or, where they are not
/// run again, `error`, and nothing for a call that succeeds.
///
/// What comes from outside (names, keys, errors, reasons) is written with control characters, separators of lines and
/// marks of direction escaped, so that no text makes a second line.
///
/// It is what a handle uses unless it is given another observer. One of your own can pass events on to it:
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
            Event::Fallback(event) => fallback::log(event),
            Event::Keyed(event) => keyed::log(event),
            Event::Health(event) => health::log(event),
            Event::Runner(event) => runner::log(event),
            Event::Probe(event) => probe::log(event),
            Event::Extension(event) => extension::log(*event),
        }
    }
}
