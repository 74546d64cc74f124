//! The same steps, by chance, for a queue in memory and for one in Redis.

use std::fmt::Write;
use std::time::Duration;

use seaworthy_faults::seed::{Rng, Seed};
use seaworthy_queue::Memory;
use seaworthy_queue::store::{Due, Holder, NewJob, QueueStore, Settlement, Take};
use seaworthy_store::random;

use super::support::{LONG, Space, dead, holder, id, job, retry};

const SEQUENCES: u32 = 60;
const STEPS: u32 = 60;
const IDS: u64 = 6;

/// One step. Owners are chosen once for both; which delivery is settled is a number, for whatever each has by it.
enum Step {
    Enqueue(Vec<NewJob>, Option<u64>),
    Take(Take),
    Settle(usize, Settlement, bool),
    Extend(usize, bool),
    Cancel(u64),
    Redrive(u64),
    Discard(u64),
    List(Option<u64>, u32),
    Sweep(Option<Duration>, Option<u64>),
}

fn name(number: u64) -> String {
    format!("j{number}")
}

fn step(rng: &mut Rng, owners: &mut Vec<u128>) -> Step {
    let now_or_never = |rng: &mut Rng| if rng.one_in(4) { LONG } else { Duration::ZERO };
    match rng.below(16) {
        0..=3 => {
            let count = rng.below(3) + 1;
            let first = rng.below(IDS);
            let due = *rng.pick(&[Due::Now, Due::Now, Due::After(LONG), Due::At(LONG)]);
            let jobs = (0..count).map(|n| NewJob { due, ..job(&name((first + n) % IDS)) }).collect();
            Step::Enqueue(jobs, rng.one_in(3).then_some(rng.below(5)))
        }
        4..=7 => {
            let repeats = rng.one_in(4) && !owners.is_empty();
            let owner = if repeats { *rng.pick(owners) } else { random::unique() };
            owners.push(owner);
            // Which of them are given again, where there is no room for all, is not said.
            let room = if repeats { 9 } else { u32::try_from(rng.below(4)).unwrap() };
            Step::Take(Take { owner, repeats, room, visibility: LONG, max_deliveries: 3 })
        }
        8..=11 => {
            let settlement = match rng.below(6) {
                0 => Settlement::Ack { remember: None },
                1 => Settlement::Ack { remember: Some(LONG) },
                2 => retry(now_or_never(rng)),
                3 => Settlement::Defer { after: now_or_never(rng) },
                4 => Settlement::Release,
                _ => dead("never"),
            };
            Step::Settle(usize::try_from(rng.below(9)).unwrap(), settlement, rng.one_in(5))
        }
        12 => match rng.below(2) {
            0 => Step::Extend(usize::try_from(rng.below(9)).unwrap(), rng.one_in(5)),
            _ => Step::Cancel(rng.below(IDS)),
        },
        13 => match rng.below(3) {
            0 => Step::Discard(rng.below(IDS)),
            _ => Step::Redrive(rng.below(IDS)),
        },
        14 => Step::List(rng.one_in(2).then_some(rng.below(IDS)), u32::try_from(rng.below(4)).unwrap() + 1),
        _ => Step::Sweep(rng.one_in(2).then_some(LONG), rng.one_in(2).then_some(rng.below(4) + 1)),
    }
}

/// What it answers, without what depends on the time.
async fn carry_out(queue: &impl QueueStore, step: &Step, handed: &mut Vec<Holder>) -> String {
    let mut said = String::new();
    let latest = |handed: &Vec<Holder>, number: &usize, is_stale: &bool| {
        let holder = handed.iter().rev().nth(*number).cloned()?;
        Some(Holder { fence: holder.fence - u64::from(*is_stale), ..holder })
    };
    match step {
        Step::Enqueue(jobs, most) => {
            let answer = queue.enqueue(jobs, *most).await.map_err(|error| error.class());
            write!(said, "enqueue {answer:?}").unwrap();
        }
        Step::Take(take) => {
            let mut received = queue.receive(take, Duration::ZERO).await.unwrap();
            // Those that are given again have no order.
            received.jobs.sort_by(|a, b| a.id.cmp(&b.id));
            for taken in received.jobs {
                handed.push(holder(take, &taken));
                let (waited, deferred) = (taken.waited < LONG, taken.deferred_for.map(|span| span < LONG));
                let counts = (taken.attempt, taken.fence, taken.abandoned, waited, deferred);
                write!(said, "{} {counts:?} {:?} {:?}; ", taken.id, taken.headers, taken.body).unwrap();
            }
            write!(said, "died {:?}", received.died).unwrap();
        }
        Step::Settle(number, settlement, is_stale) => {
            if let Some(holder) = latest(handed, number, is_stale) {
                let held = queue.settle(&holder, settlement).await.unwrap();
                write!(said, "{settlement:?} of {} {held:?}", holder.id).unwrap();
            }
        }
        Step::Extend(number, is_stale) => {
            if let Some(holder) = latest(handed, number, is_stale) {
                write!(said, "extend {:?}", queue.extend(&[holder], LONG).await.unwrap()).unwrap();
            }
        }
        Step::Cancel(number) => {
            write!(said, "cancel {:?}", queue.cancel(&id(&name(*number))).await.unwrap()).unwrap();
        }
        Step::Redrive(number) => {
            write!(said, "redrive {}", queue.redrive(&id(&name(*number))).await.unwrap()).unwrap();
        }
        Step::Discard(number) => {
            write!(said, "discard {}", queue.discard(&id(&name(*number))).await.unwrap()).unwrap();
        }
        Step::List(after, most) => {
            let after = after.map(|number| id(&name(number)));
            for job in queue.list(after.as_ref(), *most).await.unwrap() {
                let in_order = job.accepted_at <= job.died_at;
                write!(said, "{} {} {} {in_order} {:?}; ", job.id, job.attempts, job.reason, job.headers).unwrap();
            }
        }
        Step::Sweep(keep, most) => {
            write!(said, "swept {}", queue.sweep(*keep, *most).await.unwrap()).unwrap();
        }
    }
    let depth = queue.depth().await.unwrap();
    write!(said, " | {} {} {} {}", depth.ready, depth.later, depth.running, depth.dead).unwrap();
    said
}

/// QU-90: whatever is asked, in whatever order, a queue in Redis answers as one in memory does.
#[tokio::test]
async fn the_same_answers() {
    let seed = Seed::from_env();
    let mut rng = seed.rng("steps");
    for sequence in 0..SEQUENCES {
        let (space, memory) = (Space::new().await, Memory::default());
        let (mut in_redis, mut in_memory, mut owners) = (Vec::new(), Vec::new(), Vec::new());
        let mut story = String::new();
        for _ in 0..STEPS {
            let step = step(&mut rng, &mut owners);
            let expected = carry_out(&memory, &step, &mut in_memory).await;
            let answered = carry_out(&space.queue, &step, &mut in_redis).await;
            writeln!(story, "{expected}").unwrap();
            assert_eq!(answered, expected, "sequence {sequence}, after\n{story}");
        }
    }
}
