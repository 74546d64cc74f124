//! What jobs look like in rows.

use std::time::Duration;

use bytes::Bytes;
use seaworthy_store::StoreError;
use seaworthy_store::postgres::Read;

use crate::headers::Headers;
use crate::job_id::JobId;

/// The columns that all jobs have.
pub(super) struct Parts {
    pub(super) id: JobId,
    pub(super) kind: Box<str>,
    pub(super) version: u16,
    pub(super) headers: Headers,
    pub(super) body: Bytes,
    pub(super) accepted_at: Duration,
}

pub(super) fn parts(read: Read<'_>) -> Result<Parts, StoreError> {
    let version: i32 = read.get("version")?;
    let payload: &[u8] = read.get("payload")?;
    Ok(Parts {
        id: id(read)?,
        kind: read.get::<String>("kind")?.into(),
        version: u16::try_from(version).map_err(|_| read.corrupt("a version is out of its range"))?,
        headers: headers(read)?,
        body: Bytes::copy_from_slice(payload),
        accepted_at: Duration::from_micros(read.count("accepted_us")?),
    })
}

pub(super) fn id(read: Read<'_>) -> Result<JobId, StoreError> {
    JobId::new(read.get("id")?).map_err(|_| read.corrupt("an id is none"))
}

fn headers(read: Read<'_>) -> Result<Headers, StoreError> {
    let pairs: Result<Vec<(String, String)>, _> = serde_json::from_str(read.get("headers")?);
    let pairs = pairs.map_err(|_| read.corrupt("headers are no array of pairs of texts"))?;
    Ok(Headers::kept(pairs.iter().map(|(name, value)| (&**name, &**value))))
}

/// An array of pairs, which keeps their order.
pub(super) fn written(headers: &Headers) -> String {
    let pairs = headers.iter().map(|(name, value)| serde_json::json!([name, value]));
    serde_json::Value::Array(pairs.collect()).to_string()
}

/// A number that memory counts in 32 bits.
pub(super) fn small(read: Read<'_>, column: &'static str) -> Result<u32, StoreError> {
    Ok(u32::try_from(read.count(column)?).unwrap_or(u32::MAX))
}

/// Postgres takes no text that has a zero byte.
pub(super) fn plain(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
