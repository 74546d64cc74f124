use std::time::Duration;

use redis::Value;
use seaworthy_store::StoreError;

use super::engine::Redis;
use super::entry::{entries, micros};
use super::reply::{strange, whole};
use super::scripts;
use crate::job_id::JobId;
use crate::store::DeadJob;

/// That many a step.
const SWEPT: u64 = 100;

fn read(redis: &Redis, asked: &'static str, answer: &Value) -> Result<Vec<DeadJob>, StoreError> {
    let entries = entries(answer).ok_or_else(|| strange(asked))?;
    Ok(entries.iter().map(|entry| entry.dead(&redis.names.plain_kind)).collect())
}

pub(super) async fn list(redis: &Redis, after: Option<&JobId>, most: u32) -> Result<Vec<DeadJob>, StoreError> {
    let mut step = redis.step(&scripts::DEAD);
    step.arg(after.map_or("", JobId::as_str)).arg(most);
    read(redis, "list", &redis.run("list", &step).await?)
}

pub(super) async fn get(redis: &Redis, id: &JobId) -> Result<Option<DeadJob>, StoreError> {
    let mut step = redis.step(&scripts::DEAD);
    step.arg(id.as_str()).arg("");
    let found = read(redis, "get", &redis.run("get", &step).await?)?;
    Ok(found.into_iter().next())
}

pub(super) async fn redrive(redis: &Redis, id: &JobId) -> Result<bool, StoreError> {
    let mut step = redis.step(&scripts::REDRIVE);
    step.arg(id.as_str());
    Ok(whole("redrive", &redis.run("redrive", &step).await?)? == 1)
}

pub(super) async fn discard(redis: &Redis, id: &JobId) -> Result<bool, StoreError> {
    let mut step = redis.step(&scripts::DISCARD);
    step.arg(id.as_str());
    Ok(whole("discard", &redis.run("discard", &step).await?)? == 1)
}

pub(super) async fn sweep(redis: &Redis, keep: Option<Duration>, most: Option<u64>) -> Result<u64, StoreError> {
    let mut step = redis.step(&scripts::SWEEP);
    let text = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
    step.arg(text(keep.map(micros))).arg(text(most));
    let mut swept = 0;
    loop {
        let now = whole("sweep", &redis.run("sweep", &step).await?)?;
        swept += now;
        if now < SWEPT {
            return Ok(swept);
        }
    }
}
