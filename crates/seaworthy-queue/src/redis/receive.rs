use std::time::Duration;

use redis::{Cmd, Value, cmd};
use seaworthy_store::StoreError;
use seaworthy_store::time::{Instant, now};

use super::classify::{has_code, store_error};
use super::engine::Redis;
use super::entry::{Entry, count, entries, micros, millis};
use super::reply::{list, number, strange, text, whole};
use super::scripts;
use crate::job_id::JobId;
use crate::store::{Holder, Received, Take, Taken};

const ASKED: &str = "receive";

/// How much longer than the server we wait for its answer to a read that blocks.
const MARGIN: Duration = Duration::from_secs(1);

/// Whoever asks to wait for longer is answered after this.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// All that is pending is looked through so often at least, however long the visibility is.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Consumers with nothing pending are removed when they were idle for so long, which is looked for so often.
const IDLE: Duration = Duration::from_secs(60 * 60);
const TIDY_EVERY: Duration = Duration::from_secs(600);

/// The name of an asking in the pending list, which says whose a delivery is, and when its lease is over.
fn consumer(take: &Take) -> String {
    format!("{:032x}:{}", take.owner, millis(take.visibility))
}

/// While there is more than there is room for, a step that looks at everything is asked for so often, and in between
/// what is new is read without it, which costs the server a quarter.
const READ_ON: Duration = Duration::from_millis(50);

/// Looks, and then waits by turns: for what is new, and for the time at which something is due or may be abandoned.
pub(super) async fn receive(redis: &Redis, take: &Take, block: Duration) -> Result<Received, StoreError> {
    tidy(redis).await;
    let consumer = consumer(take);
    let until = now() + block.min(LONGEST);
    if may_read_on(redis, take)
        && let Some(received) = read_on(redis, take, &consumer).await?
    {
        return Ok(received);
    }
    let mut repeats = take.repeats;
    loop {
        let left = until.saturating_duration_since(now());
        let waits = !left.is_zero() && take.room > 0;
        let received = look(redis, take, &consumer, repeats, waits).await?;
        if !waits || !received.jobs.is_empty() || !received.died.is_empty() {
            return Ok(received);
        }
        // So that a lease that ends meanwhile is seen in time, too.
        let turn = left.min(take.visibility / 6).min(received.next_due.unwrap_or(left));
        if let Some(received) = wait(redis, take, &consumer, turn).await? {
            return Ok(received);
        }
        if until <= now() {
            redis.rounds(|rounds| rounds.left.push(consumer));
            return Ok(received);
        }
        repeats = false;
    }
}

/// One step: what is there now.
async fn look(redis: &Redis, take: &Take, consumer: &str, repeats: bool, waits: bool) -> Result<Received, StoreError> {
    let asked = now();
    let (all, left) = redis.rounds(|rounds| {
        let every = (take.visibility / 6).min(LOOK_EVERY);
        let all = rounds.looked.is_none_or(|looked| asked.saturating_duration_since(looked) >= every);
        if all {
            rounds.looked = Some(asked);
        }
        (all, std::mem::take(&mut rounds.left))
    });
    let mut step = redis.step(&scripts::TAKE);
    step.arg(consumer).arg(take.room).arg(millis(take.visibility)).arg(take.max_deliveries);
    step.arg(u8::from(repeats)).arg(u8::from(all)).arg(u8::from(waits));
    for consumer in &left {
        step.arg(consumer);
    }
    let answer = redis.run(ASKED, &step).await?;
    redis.group_is_there();
    let received = read(redis, take, &answer, asked).ok_or_else(|| strange(ASKED))?;
    begin(redis, take, asked, &received.jobs);
    Ok(received)
}

fn read(redis: &Redis, take: &Take, answer: &Value, asked: Instant) -> Option<Received> {
    let [time, next, died, jobs, has_more] = list(answer)? else { return None };
    let (time, has_more) = (Duration::from_micros(number(time)?), number(has_more)? == 1u64);
    redis.rounds(|rounds| {
        rounds.clock = Some((time, asked));
        rounds.full = has_more.then_some(asked);
    });
    let next = text(next)?;
    let next_due =
        if next.is_empty() { None } else { Some(Duration::from_micros(next.parse().ok()?).saturating_sub(time)) };
    let died = list(died)?.iter().map(|id| JobId::new(&text(id)?).ok()).collect::<Option<Vec<_>>>()?;
    let taken = |job: &Value| {
        let [name, times, fields, fence] = list(job)? else { return None };
        let times = count(times)?;
        let taken = Entry::read(name, fields)?.taken(times, time, &redis.names.plain_kind);
        // What it carries is from before it was released.
        Some(Taken { fence: number(fence)?.saturating_add(u64::from(times)), ..taken })
    };
    let jobs = list(jobs)?.iter().map(taken).collect::<Option<Vec<_>>>()?;
    let next_due = next_due.filter(|_| !is_full(take, &jobs));
    Some(Received { jobs, died, next_due })
}

fn is_full(take: &Take, jobs: &[Taken]) -> bool {
    u32::try_from(jobs.len()).is_ok_and(|taken| taken >= take.room)
}

fn may_read_on(redis: &Redis, take: &Take) -> bool {
    let looked = redis.rounds(|rounds| rounds.full).filter(|_| !take.repeats && take.room > 0);
    looked.is_some_and(|looked| now().saturating_duration_since(looked) < READ_ON.min(take.visibility / 6))
}

/// What is new, if there is still something.
async fn read_on(redis: &Redis, take: &Take, consumer: &str) -> Result<Option<Received>, StoreError> {
    let asked = now();
    let answer = match redis.store.command(&read_new(redis, take, consumer, None)).await {
        Ok(answer) => answer,
        // The step makes it anew.
        Err(error) if has_code(&error, "NOGROUP") => return Ok(None),
        Err(error) => return Err(redis.failed(ASKED, &error)),
    };
    let received = new(redis, take, consumer, &answer, asked).await?;
    if !received.as_ref().is_some_and(|received| is_full(take, &received.jobs)) {
        redis.rounds(|rounds| rounds.full = None);
    }
    Ok(received)
}

fn read_new(redis: &Redis, take: &Take, consumer: &str, block: Option<Duration>) -> Cmd {
    let mut read = cmd("XREADGROUP");
    read.arg("GROUP").arg(&redis.names.group).arg(consumer).arg("COUNT").arg(take.room);
    if let Some(block) = block {
        read.arg("BLOCK").arg(micros(block).div_ceil(1_000));
    }
    read.arg("STREAMS").arg(&redis.names.keys[0]).arg(">");
    read
}

/// What a read gave, if anything.
async fn new(
    redis: &Redis,
    take: &Take,
    consumer: &str,
    answer: &Value,
    asked: Instant,
) -> Result<Option<Received>, StoreError> {
    let Some([stream]) = list(answer) else { return Ok(None) };
    let new = list(stream).and_then(|stream| entries(stream.get(1)?)).ok_or_else(|| strange(ASKED))?;
    if new.iter().any(|entry| entry.spent() >= take.max_deliveries) {
        // A read looks at nothing. What is over its limit is sorted out by asking for the same again.
        return look(redis, take, consumer, true, false).await.map(Some);
    }
    let time = redis.server_time();
    let jobs: Vec<_> = new.iter().map(|entry| entry.taken(1, time, &redis.names.plain_kind)).collect();
    begin(redis, take, asked, &jobs);
    Ok(Some(Received { jobs, ..Received::default() }))
}

fn begin(redis: &Redis, take: &Take, asked: Instant, jobs: &[Taken]) {
    for taken in jobs {
        let holder = Holder { id: taken.id.clone(), owner: take.owner, fence: taken.fence };
        redis.shared.leases.begin(holder, asked, take.visibility);
    }
}

/// Waits for what is new, on a connection of its own. Nothing, if nothing came.
///
/// If this is dropped, or fails, its connection is closed, and what the server may still hand to it comes back when its
/// visibility is over.
async fn wait(redis: &Redis, take: &Take, consumer: &str, turn: Duration) -> Result<Option<Received>, StoreError> {
    let turn = turn.max(Duration::from_millis(1));
    let readers = &redis.shared.readers;
    let mut connection = readers.take(&redis.store, ASKED, turn + MARGIN).await?;
    let read = read_new(redis, take, consumer, Some(turn));
    let asked = now();
    let answer: Value = match Box::pin(read.query_async(&mut connection)).await {
        Ok(answer) => answer,
        Err(error) if has_code(&error, "NOGROUP") || has_code(&error, "UNBLOCKED") => {
            readers.give_back(connection);
            redis.make_group(ASKED).await?;
            return Ok(None);
        }
        Err(error) => {
            // The others were of the same server.
            readers.clear();
            redis.store.suspect(&error);
            return Err(store_error(ASKED, &error));
        }
    };
    readers.give_back(connection);
    new(redis, take, consumer, &answer, asked).await
}

/// Now and then; a failure of it is no failure of the asking, which meets the same one.
async fn tidy(redis: &Redis) {
    let now = now();
    let is_time = redis.rounds(|rounds| {
        let is_time = rounds.tidied.is_none_or(|tidied| now.saturating_duration_since(tidied) >= TIDY_EVERY);
        if is_time {
            rounds.tidied = Some(now);
        }
        is_time
    });
    if is_time {
        let mut step = redis.step(&scripts::TIDY);
        step.arg(millis(IDLE));
        let removed = redis.run("tidy", &step).await.and_then(|answer| whole("tidy", &answer));
        if let Err(error) = removed {
            tracing::debug!(target: "seaworthy::queue", %error, "consumers that are idle were not looked for");
        }
    }
}
