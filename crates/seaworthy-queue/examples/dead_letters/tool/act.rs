//! What is done to dead letters.

use std::io::{self, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use seaworthy::BoxError;
use seaworthy_queue::store::{DeadJob, QueueStore};
use seaworthy_queue::{JobId, Queue, QueueError};
use serde_json::Value;

use super::Code;
use super::arguments::Command;
use super::place::AnyJob;

pub async fn act<S: QueueStore>(
    queue: &Queue<AnyJob, S>,
    command: &Command,
    out: &mut dyn Write,
    errors: &mut dyn Write,
) -> Result<Code, BoxError> {
    let dead = queue.dead();
    match command {
        Command::List => {
            let (mut jobs, mut after) = (0, None);
            loop {
                let page = dead.list(after.as_ref()).await?;
                jobs += page.jobs.len();
                page.jobs.iter().try_for_each(|job| in_a_line(job, out))?;
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            writeln!(errors, "{jobs} dead letters in {}", queue.name())?;
            Ok(Code::Done)
        }
        Command::Show(ids) => {
            let show = async |id: &JobId| Ok(dead.get(id).await?.as_ref().map(in_full));
            Ok(each(ids, show, out, errors).await?)
        }
        Command::Redrive(ids) => {
            let redrive =
                async |id: &JobId| Ok(dead.redrive(id).await?.then(|| format!("{id} is back in the queue\n")));
            Ok(each(ids, redrive, out, errors).await?)
        }
        Command::RedriveAll { per_second } => {
            let jobs = dead.redrive_all(*per_second).await?;
            writeln!(out, "{jobs} are back in the queue")?;
            Ok(Code::Done)
        }
        Command::Drop(ids) => {
            let discard = async |id: &JobId| Ok(dead.discard(id).await?.then(|| format!("{id} is gone\n")));
            Ok(each(ids, discard, out, errors).await?)
        }
    }
}

/// What cannot be done to one of them is told, and the others have their turn.
async fn each(
    ids: &[JobId],
    ask: impl AsyncFn(&JobId) -> Result<Option<String>, QueueError>,
    out: &mut dyn Write,
    errors: &mut dyn Write,
) -> io::Result<Code> {
    let mut code = Code::Done;
    for id in ids {
        let why = match ask(id).await {
            Ok(Some(text)) => {
                write!(out, "{text}")?;
                continue;
            }
            Ok(None) => "is no dead letter".to_owned(),
            Err(error) => error.to_string(),
        };
        writeln!(errors, "dead_letters: {id}: {why}")?;
        code = Code::Failed;
    }
    Ok(code)
}

/// Whatever is in a reason, it is one line, and does nothing to a terminal.
fn in_a_line(job: &DeadJob, out: &mut dyn Write) -> io::Result<()> {
    let DeadJob { id, kind, attempts, reason, died_at, .. } = job;
    let (kind, reason) = (kind.escape_debug(), reason.escape_debug());
    writeln!(out, "{id}  {kind}  {attempts} attempts  {} ago  {reason}", ago(*died_at))
}

fn in_full(job: &DeadJob) -> String {
    let DeadJob { id, kind, version, headers, body, attempts, reason, accepted_at, died_at } = job;
    let mut lines = vec![
        format!("id:        {id}"),
        format!("kind:      {}, version {version}", kind.escape_debug()),
        format!("attempts:  {attempts}"),
        format!("reason:    {}", reason.escape_debug()),
        format!("accepted:  {} ago", ago(*accepted_at)),
        format!("died:      {} ago", ago(*died_at)),
    ];
    let of_header =
        |(name, value): (&str, &str)| format!("header:    {}: {}", name.escape_debug(), value.escape_debug());
    lines.extend(headers.iter().map(of_header));
    lines.push(match serde_json::from_slice::<Value>(body) {
        Ok(body) => format!("body:      {body:#}"),
        // What nobody can read is a reason to die, too.
        Err(_) => format!("body:      {} bytes that are no JSON: {}", body.len(), body.escape_ascii()),
    });
    lines.join("\n") + "\n\n"
}

/// By this machine's clock, which need not be the store's.
#[allow(clippy::disallowed_methods, reason = "for people; and where tests of servers have it nothing is disallowed")]
fn ago(at: Duration) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = now.saturating_sub(at).as_secs();
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}
