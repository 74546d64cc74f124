use std::task::Poll;
use std::time::Duration;

use proptest::prelude::*;
use seaworthy::{Rejected, StackError, Timeout};
use tokio_test::task::spawn;
use tower::{Layer, Service, service_fn};

use super::Script;
use crate::support::{MS, advance};

#[derive(Clone, Copy, Debug)]
enum Step {
    Poll,
    Wait(u32),
    Answer,
}

/// What a caller sees of one poll.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Seen {
    Pending,
    Answer,
    TimedOut,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![4 => Just(Step::Poll), 4 => (0..6u32).prop_map(Step::Wait), 1 => Just(Step::Answer)];
    proptest::collection::vec(step, 1..24)
}

/// The naive model, in whole milliseconds: the result of each poll, up to the first that is not `Pending`.
fn model(limit: Option<u32>, steps: &[Step]) -> Vec<Seen> {
    let (mut now, mut first_poll, mut answered) = (0, None, false);
    let mut seen = Vec::new();
    for step in steps {
        match step {
            Step::Wait(span) => now += span,
            Step::Answer => answered = true,
            Step::Poll => {
                let since = *first_poll.get_or_insert(now);
                seen.push(match limit {
                    _ if answered => Seen::Answer,
                    Some(limit) if now >= since + limit => Seen::TimedOut,
                    _ => Seen::Pending,
                });
                if seen.last() != Some(&Seen::Pending) {
                    break;
                }
            }
        }
    }
    seen
}

/// TO-01 to TO-05 at once, with any order of polls, waits and the response: each poll polls inner exactly once and
/// returns what the model says, and inner is alive until it times out.
async fn run(limit: Option<u32>, steps: &[Step]) -> Vec<Seen> {
    let script = Script::default();
    let inner = script.clone();
    let layer = Timeout::per_request(move |(): &()| limit.map(|limit| limit * MS)).build().unwrap();
    let mut call = spawn(layer.layer().layer(service_fn(move |()| inner.start())).call(()));
    let mut seen = Vec::new();
    for step in steps {
        match step {
            Step::Wait(span) => advance(*span * MS).await,
            Step::Answer => script.answer(Ok("here")),
            Step::Poll => {
                seen.push(match call.poll() {
                    Poll::Pending => Seen::Pending,
                    Poll::Ready(Ok(answer)) => {
                        assert_eq!(answer, "here");
                        Seen::Answer
                    }
                    Poll::Ready(Err(error)) => {
                        assert_eq!(error.rejected(), limit.map(after).as_ref());
                        Seen::TimedOut
                    }
                });
                assert_eq!(script.polls(), u32::try_from(seen.len()).unwrap());
                assert_eq!(script.alive() == 0, seen.last() == Some(&Seen::TimedOut));
                if seen.last() != Some(&Seen::Pending) {
                    break;
                }
            }
        }
    }
    drop(call);
    assert_eq!(script.alive(), 0);
    seen
}

fn after(limit: u32) -> Rejected {
    Rejected::TimedOut { after: Duration::from_millis(limit.into()).into(), timeout: None }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn does_as_the_model(limit in proptest::option::weighted(0.9, 0..12u32), steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        prop_assert_eq!(runtime.block_on(run(limit, &steps)), model(limit, &steps));
    }
}
