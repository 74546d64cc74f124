use std::collections::VecDeque;

use proptest::prelude::*;
use seaworthy::http::BodyTimeoutLayer;

use super::{Got, Reader, Tap, data};
use crate::support::{MS, advance};

#[derive(Clone, Copy, Debug)]
enum Step {
    Poll,
    Wait(u32),
    Data,
    End,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => Just(Step::Poll),
        8 => (0..6u32).prop_map(Step::Wait),
        3 => Just(Step::Data),
        1 => Just(Step::End)
    ];
    proptest::collection::vec(step, 1..40)
}

/// The naive model, in whole milliseconds: what each poll gives, up to the first error or end.
fn model(idle: Option<u32>, total: Option<u32>, steps: &[Step]) -> Vec<Got> {
    let (mut now, mut asked_at, mut there) = (0, None, VecDeque::new());
    let mut seen = Vec::new();
    for step in steps {
        match step {
            Step::Wait(span) => now += span,
            Step::Data | Step::End => there.push_back(matches!(step, Step::Data)),
            Step::Poll => {
                let since = *asked_at.get_or_insert(now);
                let total_over = total.filter(|total| now >= *total);
                // One alarm is set when the waiting begins, for the limit that ends first.
                let idle_over =
                    idle.filter(|idle| now >= since + idle && total.is_none_or(|total| since + idle < total));
                let over = idle_over.or(total_over).map(|limit| Got::TimedOut(limit * MS));
                let next = match there.pop_front() {
                    Some(true) => match total_over {
                        Some(total) => Got::TimedOut(total * MS),
                        None => data("x"),
                    },
                    Some(false) => Got::End,
                    None => over.unwrap_or(Got::Pending),
                };
                if next != Got::Pending {
                    asked_at = None;
                }
                let goes_on = matches!(next, Got::Pending | Got::Data(_));
                seen.push(next);
                if !goes_on {
                    break;
                }
            }
        }
    }
    seen
}

async fn run(idle: Option<u32>, total: Option<u32>, steps: &[Step]) -> Vec<Got> {
    let builder = BodyTimeoutLayer::builder();
    let builder = idle.into_iter().fold(builder, |builder, idle| builder.idle(idle * MS));
    let builder = total.into_iter().fold(builder, |builder, total| builder.total(total * MS));
    let tap = Tap::default();
    let mut reader = Reader::new(&builder.build().unwrap(), &tap);
    let mut seen = Vec::new();
    for step in steps {
        match step {
            Step::Wait(span) => advance(*span * MS).await,
            Step::Data => tap.data("x"),
            Step::End => tap.end(),
            Step::Poll => {
                seen.push(reader.poll());
                assert_eq!(tap.is_alive(), !matches!(seen.last(), Some(Got::TimedOut(_))));
                if !matches!(seen.last(), Some(Got::Pending | Got::Data(_))) {
                    break;
                }
            }
        }
    }
    seen
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// TO-06: any order of polls, waits, frames and the end, with any limits, gives what the model says.
    #[test]
    fn does_as_the_model(
        idle in proptest::option::of(1..8u32),
        total in proptest::option::of(1..40u32),
        steps in steps(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        prop_assert_eq!(runtime.block_on(run(idle, total, &steps)), model(idle, total, &steps));
    }
}
