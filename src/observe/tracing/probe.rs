use tracing::field;

use crate::error::one_line::OneLine;
use crate::machine::probe_state::ProbeState;
use crate::observe::event::ProbeEvent;

pub(super) fn log(event: &ProbeEvent<'_>) {
    match event {
        ProbeEvent::Transition { name, from, to, sequence, successes, failures, error } => {
            macro_rules! changed {
                ($level:ident) => {
                    tracing::$level!(
                        target: "seaworthy::prober",
                        name = %OneLine(name), %from, %to, sequence, successes, failures,
                        error = error.map(OneLine).map(field::display),
                        "target changed state"
                    )
                };
            }
            match to {
                ProbeState::Unhealthy => changed!(warn),
                _ => changed!(info),
            }
        }
        ProbeEvent::TargetAdded { .. } | ProbeEvent::TargetRemoved { .. } | ProbeEvent::Probed { .. } => {}
    }
}
