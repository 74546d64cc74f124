use std::time::Duration;

use redis::Value;
use seaworthy_store::StoreError;
use seaworthy_store::time::now;

use super::engine::Redis;
use super::entry::{micros, millis};
use super::reply::{list, number, strange, whole};
use super::scripts;
use crate::store::{Held, Holder, Settlement};

/// An acknowledgement: the delivery, and for how long its id is remembered.
pub(super) type Ack = (Holder, Option<Duration>);

fn owner(holder: &Holder) -> String {
    format!("{:032x}", holder.owner)
}

pub(super) async fn extend(redis: &Redis, holders: &[Holder], visibility: Duration) -> Result<Vec<Held>, StoreError> {
    if holders.is_empty() {
        return Ok(Vec::new());
    }
    let asked = now();
    let mut step = redis.step(&scripts::EXTEND);
    step.arg(millis(visibility));
    for holder in holders {
        step.arg(holder.id.as_str()).arg(owner(holder)).arg(holder.fence);
    }
    let answer = redis.run("extend", &step).await?;
    let held = held("extend", &answer, holders.len())?;
    for (holder, _) in holders.iter().zip(&held).filter(|(_, held)| held.is_yes()) {
        redis.shared.leases.begin(holder.clone(), asked, visibility);
    }
    Ok(held)
}

fn held(asked: &'static str, answer: &Value, count: usize) -> Result<Vec<Held>, StoreError> {
    let held = |answer: &Value| number(answer).map(|held| if held == 1 { Held::Yes } else { Held::Lost });
    let held: Option<Vec<Held>> = list(answer).and_then(|answers| answers.iter().map(held).collect());
    held.filter(|held| held.len() == count).ok_or_else(|| strange(asked))
}

/// The same that was sent before, and had no answer, is done if it is not to be done any more, and nobody else can
/// have.
pub(super) async fn settle(redis: &Redis, holder: &Holder, settlement: &Settlement) -> Result<Held, StoreError> {
    let leases = &redis.shared.leases;
    let was_sent = leases.settling(holder, settlement);
    let held = match settlement {
        Settlement::Ack { remember } => {
            let one = (holder.clone(), *remember);
            redis.shared.acks.ask("settle", one, |all| ack(redis, all)).await?
        }
        settlement => put_away(redis, holder, settlement).await?,
    };
    let is_ours = leases.settled(holder);
    Ok(if was_sent && is_ours { Held::Yes } else { held })
}

/// All in one step, and each only if it is its holder's.
async fn ack(redis: &Redis, acks: Vec<Ack>) -> Result<Vec<Held>, StoreError> {
    let mut step = redis.step(&scripts::ACK);
    for (holder, remember) in &acks {
        step.arg(holder.id.as_str()).arg(owner(holder)).arg(holder.fence);
        step.arg(remember.map(|span| micros(span).to_string()).unwrap_or_default());
    }
    held("settle", &redis.run("settle", &step).await?, acks.len())
}

/// Among those that wait, or the dead.
async fn put_away(redis: &Redis, holder: &Holder, settlement: &Settlement) -> Result<Held, StoreError> {
    let (script, how, span, reason) = match settlement {
        Settlement::Retry { after, reason } => (&scripts::LATER, "retry", *after, &**reason),
        Settlement::Defer { after } => (&scripts::LATER, "defer", *after, ""),
        Settlement::Dead { reason } => (&scripts::BURY, "", Duration::ZERO, &**reason),
        _ => (&scripts::LATER, "release", Duration::ZERO, ""),
    };
    let mut step = redis.step(script);
    step.arg(holder.id.as_str()).arg(owner(holder)).arg(holder.fence);
    match settlement {
        Settlement::Dead { .. } => step.arg(reason),
        _ => step.arg(how).arg(micros(span)).arg(reason),
    };
    let answer = whole("settle", &redis.run("settle", &step).await?)?;
    // It may come before what is new.
    redis.rounds(|rounds| rounds.full = None);
    Ok(if answer == 1 { Held::Yes } else { Held::Lost })
}
