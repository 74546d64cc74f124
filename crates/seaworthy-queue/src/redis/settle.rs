use std::time::Duration;

use redis::Value;
use seaworthy_store::StoreError;
use seaworthy_store::time::now;

use super::engine::Redis;
use super::entry::{micros, millis};
use super::reply::{list, number, strange, whole};
use super::scripts;
use crate::store::{Held, Holder, Settlement};

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
    let held = |answer: &Value| number(answer).map(|held| if held == 1 { Held::Yes } else { Held::Lost });
    let held: Option<Vec<Held>> = list(&answer).and_then(|answers| answers.iter().map(held).collect());
    let held = held.filter(|held| held.len() == holders.len()).ok_or_else(|| strange("extend"))?;
    for (holder, _) in holders.iter().zip(&held).filter(|(_, held)| held.is_yes()) {
        redis.shared.leases.begin(holder.clone(), asked, visibility);
    }
    Ok(held)
}

/// The same that was sent before, and had no answer, is done if it is not to be done any more, and nobody else can
/// have.
pub(super) async fn settle(redis: &Redis, holder: &Holder, settlement: &Settlement) -> Result<Held, StoreError> {
    let (script, how, span, reason) = match settlement {
        Settlement::Ack { remember } => (&scripts::ACK, None, remember.as_ref(), None),
        Settlement::Retry { after, reason } => (&scripts::LATER, Some("retry"), Some(after), Some(reason)),
        Settlement::Defer { after } => (&scripts::LATER, Some("defer"), Some(after), None),
        Settlement::Release => (&scripts::LATER, Some("release"), Some(&Duration::ZERO), None),
        Settlement::Dead { reason } => (&scripts::BURY, None, None, Some(reason)),
    };
    let mut step = redis.step(script);
    step.arg(holder.id.as_str()).arg(owner(holder)).arg(holder.fence);
    match settlement {
        Settlement::Ack { .. } => step.arg(span.map(|span| micros(*span).to_string()).unwrap_or_default()),
        Settlement::Dead { .. } => step.arg(reason.map_or("", |reason| reason)),
        _ => step.arg(how).arg(span.map_or(0, |span| micros(*span))).arg(reason.map_or("", |reason| reason)),
    };
    let leases = &redis.shared.leases;
    let was_sent = leases.settling(holder, settlement);
    let answer = whole("settle", &redis.run("settle", &step).await?)?;
    let is_ours = leases.settled(holder);
    Ok(if answer == 1 || (was_sent && is_ours) { Held::Yes } else { Held::Lost })
}
