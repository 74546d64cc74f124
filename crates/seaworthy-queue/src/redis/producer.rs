use std::time::Duration;

use redis::{Value, cmd};
use seaworthy_store::{ErrorClass, StoreError};

use super::classify::store_error;
use super::engine::Redis;
use super::entry::{micros, write_headers};
use super::reply::{list, number, strange, text, whole};
use super::scripts;
use crate::job_id::JobId;
use crate::store::{Cancelled, Depth, Due, Entry, NewJob};

const ASKED: &str = "enqueue";

pub(super) async fn enqueue(redis: &Redis, jobs: &[NewJob], max_len: Option<u64>) -> Result<Vec<Entry>, StoreError> {
    if jobs.is_empty() {
        return Ok(Vec::new());
    }
    let replicas = redis.store.settings().replicas;
    let mut step = redis.step(&scripts::ENQUEUE);
    step.arg(max_len.map(|most| most.to_string()).unwrap_or_default()).arg(u8::from(replicas.is_some()));
    for job in jobs {
        let (how, span) = match job.due {
            Due::Now => ("now", Duration::ZERO),
            Due::After(span) => ("after", span),
            Due::At(moment) => ("at", moment),
        };
        step.arg(job.id.as_str()).arg(&*job.kind).arg(job.version).arg(write_headers(&job.headers));
        step.arg(&*job.body).arg(how).arg(micros(span));
    }
    let answer = match replicas {
        None => redis.run(ASKED, &step).await?,
        Some(replicas) => on_replicas(redis, &step, replicas).await?,
    };
    if answer == Value::Nil {
        return Err(StoreError::new(ErrorClass::Full, ASKED, "the queue is as long as it may be"));
    }
    let entry = |answer: &Value| match number(answer)? {
        0 => Some(Entry::Already),
        _ => Some(Entry::Accepted),
    };
    let entries: Option<Vec<Entry>> = list(&answer).and_then(|answers| answers.iter().map(entry).collect());
    entries.filter(|entries| entries.len() == jobs.len()).ok_or_else(|| strange(ASKED))
}

/// On a connection of its own: what replicas are waited for is the last write of the connection.
async fn on_replicas(
    redis: &Redis,
    step: &redis::ScriptInvocation<'_>,
    (replicas, limit): (u32, Duration),
) -> Result<Value, StoreError> {
    let writers = &redis.shared.writers;
    let mut connection = writers.take(&redis.store, ASKED, redis.store.settings().request_timeout).await?;
    let failed = |error| {
        writers.clear();
        store_error(ASKED, &error)
    };
    let answer: Value = Box::pin(step.invoke_async(&mut connection)).await.map_err(failed)?;
    if answer == Value::Nil {
        writers.give_back(connection);
        return Ok(answer);
    }
    let mut wait = cmd("WAIT");
    wait.arg(replicas).arg(u64::try_from(limit.as_millis()).unwrap_or(u64::MAX));
    let have: u64 = Box::pin(wait.query_async(&mut connection)).await.map_err(failed)?;
    writers.give_back(connection);
    if have < u64::from(replicas) {
        let why = format!("{have} replicas had it within {limit:?}, where {replicas} are asked for");
        return Err(StoreError::new(ErrorClass::Unavailable, ASKED, why));
    }
    Ok(answer)
}

pub(super) async fn cancel(redis: &Redis, id: &JobId) -> Result<Cancelled, StoreError> {
    let mut step = redis.step(&scripts::CANCEL);
    step.arg(id.as_str());
    match text(&redis.run("cancel", &step).await?).as_deref() {
        Some("removed") => Ok(Cancelled::Removed),
        Some("running") => Ok(Cancelled::Running),
        Some("unknown") => Ok(Cancelled::Unknown),
        _ => Err(strange("cancel")),
    }
}

pub(super) async fn depth(redis: &Redis) -> Result<Depth, StoreError> {
    let answer = redis.run("depth", &redis.step(&scripts::DEPTH)).await?;
    let Some([ready, later, running, dead, oldest]) = list(&answer) else { return Err(strange("depth")) };
    let whole = |value| whole("depth", value);
    Ok(Depth {
        ready: whole(ready)?,
        later: whole(later)?,
        running: whole(running)?,
        dead: whole(dead)?,
        oldest_ready: Duration::from_micros(whole(oldest)?),
    })
}
