use proptest::collection::vec;
use proptest::prelude::*;
use seaworthy::OnDrop;
use seaworthy::http::Early;

use super::*;
use crate::support::MS;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Pending,
    Data(usize),
    Trailers,
    Error,
    Panic,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        2 => Just(Step::Pending),
        5 => (0..5_usize).prop_map(Step::Data),
        1 => Just(Step::Trailers),
        1 => Just(Step::Error),
        1 => Just(Step::Panic),
    ];
    vec(step, 0..7)
}

fn early() -> impl Strategy<Value = Option<Early>> {
    prop_oneof![
        Just(None),
        Just(Some(Early::Never)),
        Just(Some(Early::FirstFrame)),
        (1..12_u64).prop_map(|bytes| Some(Early::Bytes(bytes))),
        (1..8_u32).prop_map(|time| Some(Early::After(MS * time))),
    ]
}

/// What has to be told, in the plainest words: the first thing that decides, then whether it broke off after all. A
/// millisecond passes before each poll.
fn model(steps: &[Step], tells_its_end: bool, polls: usize, early: Early, on_drop: OnDrop) -> Vec<Line> {
    let (mut lines, mut bytes) = (Vec::new(), 0);
    let is_due = |time: u32, bytes: u64, passed: bool| match early {
        Early::FirstFrame => passed && bytes > 0,
        Early::Bytes(least) => passed && bytes >= least,
        Early::After(least) => MS * time >= least,
        _ => false,
    };
    if steps.is_empty() && tells_its_end {
        return vec![SUCCESS];
    }
    for number in 0..polls {
        let time = u32::try_from(number).unwrap() + 1;
        let step = steps.get(number);
        let was_due = is_due(time, bytes, false);
        if let Some(Step::Data(length)) = step {
            bytes += *length as u64;
        }
        let ended = match step {
            None | Some(Step::Trailers) => Some(SUCCESS),
            Some(Step::Error | Step::Panic) => Some(FAILURE),
            Some(_) if tells_its_end && number + 1 == steps.len() && step != Some(&Step::Pending) => Some(SUCCESS),
            Some(_) => None,
        };
        if let Some(end) = ended {
            if lines.is_empty() {
                lines.push(if was_due { SUCCESS } else { end });
                if was_due && end == FAILURE {
                    lines.push(Line::Broke { after: MS * time, bytes });
                }
            } else if end == FAILURE {
                lines.push(Line::Broke { after: MS * time, bytes });
            }
            return lines;
        }
        if lines.is_empty() && step != Some(&Step::Pending) && is_due(time, bytes, true) {
            lines.push(SUCCESS);
        }
    }
    if lines.is_empty() {
        let late = is_due(u32::try_from(polls).unwrap(), bytes, false);
        lines.push(match on_drop {
            _ if late => SUCCESS,
            OnDrop::Failure => FAILURE,
            _ => IGNORED,
        });
    }
    lines
}

proptest! {
    /// BO-03: whatever the body does, wherever it is dropped and whenever it is settled, there is one verdict, and it is
    /// that of the model; BO-10: and what passes is what the body gives.
    #[test]
    fn one_verdict_for_all(
        steps in steps(),
        tells_its_end: bool,
        count in 0..9_usize,
        early in early(),
        fails_on_drop: bool,
    ) {
        let act = |step: &Step| match step {
            Step::Pending => Act::Pending,
            Step::Data(length) => Act::Data(&"abcde"[..*length]),
            Step::Trailers => Act::Trailers,
            Step::Error => error(),
            Step::Panic => Act::Panic,
        };
        let acts = || Script { acts: steps.iter().map(act).collect(), tells_its_end, ..Script::default() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let lines = runtime.block_on(async {
            let (breaker, told) = rig(|builder| builder.consecutive_failures(9));
            let on_drop = if fails_on_drop { OnDrop::Failure } else { OnDrop::Ignore };
            let mut layer = layer(&breaker).on_body_drop(on_drop);
            if let Some(early) = early {
                layer = layer.settle_early(early).unwrap();
            }
            let mut body = task::spawn(through(&layer, acts()).await);
            let mut bare = task::spawn(acts());
            for _ in 0..count {
                advance(MS).await;
                let one = |body: &mut dyn FnMut() -> String| catch_unwind(AssertUnwindSafe(body)).ok();
                assert_eq!(one(&mut || poll(&mut body)), one(&mut || poll(&mut bare)));
                assert_eq!(body.is_end_stream(), bare.is_end_stream());
            }
            drop(body);
            // Nothing is left of it.
            breaker.force_open();
            breaker.reset();
            told.take()
        });
        let on_drop = if fails_on_drop { OnDrop::Failure } else { OnDrop::Ignore };
        let expected = model(&steps, tells_its_end, count, early.unwrap_or(Early::Never), on_drop);
        prop_assert_eq!(lines, expected);
    }
}
