use std::time::Duration;

use seaworthy::{Bulkhead, Check, CircuitBreaker, State};

/// How many jobs there is room for, as far as one gate goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Room {
    /// As many as there are.
    Any,
    /// So many.
    AtMost(u32),
    /// One, and no other before that has ended: it is to show whether there is room.
    Trial,
    /// None, for so long if that is known.
    Nothing {
        /// Until it is worth asking again.
        again: Option<Duration>,
    },
}

/// Says before each look into the queue how many jobs there is room for, so that none is taken only to be put back.
pub trait Gate: Send + Sync + 'static {
    /// Asked often: it must not block.
    fn room(&self) -> Room;
}

/// While it is closed, any number; one at a time when its open time is over, until it is closed; none while it is open.
impl Gate for CircuitBreaker {
    fn room(&self) -> Room {
        if self.state() == State::Closed {
            return Room::Any;
        }
        if self.status().is_up() {
            return Room::Trial;
        }
        Room::Nothing { again: self.retry_after() }
    }
}

/// As many as it has free permits.
impl Gate for Bulkhead {
    fn room(&self) -> Room {
        match self.available() {
            0 => Room::Nothing { again: None },
            free => Room::AtMost(free),
        }
    }
}

/// Any number while a check is up.
pub(super) struct WhileUp<C>(pub(super) C);

impl<C: Check + 'static> Gate for WhileUp<C> {
    fn room(&self) -> Room {
        if self.0.status().is_up() { Room::Any } else { Room::Nothing { again: self.0.retry_after() } }
    }
}

/// No sooner than this is a gate asked again that has said none.
const SOONEST: Duration = Duration::from_millis(250);

/// What all gates leave of `room`; or how long to wait, if that is nothing. `on_trial`: a job runs that is to show
/// whether there is room.
pub(super) fn left(gates: &[Box<dyn Gate>], room: u32, on_trial: bool) -> Result<(u32, bool), Duration> {
    let (mut left, mut is_trial, mut wait) = (room, false, None::<Duration>);
    for gate in gates {
        match gate.room() {
            Room::Any => {}
            Room::AtMost(most) => left = left.min(most),
            Room::Trial if on_trial => wait = Some(wait.unwrap_or_default().max(SOONEST)),
            Room::Trial => (left, is_trial) = (left.min(1), true),
            Room::Nothing { again } => {
                let again = again.unwrap_or_default().max(SOONEST);
                wait = Some(wait.unwrap_or_default().max(again));
            }
        }
    }
    match wait {
        Some(wait) => Err(wait),
        None => Ok((left, is_trial)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Says(Room);

    impl Gate for Says {
        fn room(&self) -> Room {
            self.0
        }
    }

    fn of(rooms: &[Room], on_trial: bool) -> Result<(u32, bool), Duration> {
        let gates: Vec<Box<dyn Gate>> = rooms.iter().map(|room| Box::new(Says(*room)) as Box<dyn Gate>).collect();
        left(&gates, 10, on_trial)
    }

    /// QU-13: the smallest counts; none is asked again after 250 ms, or at the time that was named.
    #[test]
    fn smallest_counts() {
        let none = |again| Room::Nothing { again };
        assert_eq!(of(&[], false), Ok((10, false)));
        assert_eq!(of(&[Room::Any, Room::AtMost(3), Room::AtMost(20)], false), Ok((3, false)));
        assert_eq!(of(&[Room::AtMost(3), Room::Trial], false), Ok((1, true)));
        assert_eq!(of(&[Room::Any, Room::Trial], true), Err(SOONEST));
        assert_eq!(of(&[Room::Any], true), Ok((10, false)));
        assert_eq!(of(&[none(None), Room::Any], false), Err(SOONEST));
        let long = Duration::from_secs(9);
        assert_eq!(of(&[none(None), none(Some(long)), none(Some(Duration::ZERO))], false), Err(long));
    }
}
