//! What an entry of a stream carries.

use std::time::Duration;

use bytes::Bytes;
use redis::Value;

use super::reply::{bytes, list, number, text};
use crate::headers::Headers;
use crate::job_id::JobId;
use crate::store::{DeadJob, Taken};

/// Longer spans are cut to this, so that sums of microseconds are exact in a script.
const LONGEST: Duration = Duration::from_secs(100 * 366 * 24 * 60 * 60);

/// In microseconds, up.
pub(super) fn micros(span: Duration) -> u64 {
    let nanos = span.min(LONGEST).as_nanos();
    u64::try_from(nanos.div_ceil(1_000)).unwrap_or(u64::MAX)
}

/// In milliseconds, up.
pub(super) fn millis(span: Duration) -> u64 {
    micros(span).div_ceil(1_000)
}

/// A line each; neither names nor values have control characters.
pub(super) fn write_headers(headers: &Headers) -> String {
    headers.iter().map(|(name, value)| format!("{name}\t{value}\n")).collect()
}

fn read_headers(text: &str) -> Headers {
    Headers::kept(text.lines().filter_map(|line| line.split_once('\t')))
}

/// The value of a field; the last one, if an entry has several of a name.
fn find<'a>(fields: &'a [Value], name: &str) -> Option<&'a [u8]> {
    let mut pairs = fields.chunks_exact(2).rev();
    pairs.find(|pair| bytes(&pair[0]) == Some(name.as_bytes())).and_then(|pair| bytes(&pair[1]))
}

/// The fields of an entry, by name.
pub(super) struct Entry<'a> {
    id: JobId,
    fields: &'a [Value],
    /// From the entry's own id, for one that is not ours.
    written_at: Duration,
    is_ours: bool,
}

impl<'a> Entry<'a> {
    /// Of the entry `name`, `fields`; one that was not written by us has a payload, and its entry's id.
    pub(super) fn read(name: &Value, fields: &'a Value) -> Option<Entry<'a>> {
        let name = text(name)?;
        let fields = list(fields)?;
        let id = find(fields, "id").and_then(|id| JobId::new(std::str::from_utf8(id).ok()?).ok());
        let id = id.filter(|_| find(fields, "accepted").is_some());
        let is_ours = id.is_some();
        let id = id.or_else(|| JobId::new(&name).ok())?;
        let written_at = name.split('-').next().and_then(|millis| millis.parse().ok()).unwrap_or(0);
        Some(Entry { id, fields, written_at: Duration::from_millis(written_at), is_ours })
    }

    fn text(&self, field: &str) -> Option<&'a str> {
        find(self.fields, field).and_then(|value| std::str::from_utf8(value).ok()).filter(|_| self.is_ours)
    }

    fn number<T: std::str::FromStr>(&self, field: &str) -> Option<T> {
        self.text(field)?.parse().ok()
    }

    fn time(&self, field: &str) -> Option<Duration> {
        self.number(field).map(Duration::from_micros)
    }

    fn accepted_at(&self) -> Duration {
        self.time("accepted").unwrap_or(self.written_at)
    }

    fn kind(&self, plain: &str) -> Box<str> {
        self.text("kind").filter(|kind| !kind.is_empty()).unwrap_or(plain).into()
    }

    fn version(&self) -> u16 {
        self.number("version").unwrap_or(1)
    }

    fn headers(&self) -> Headers {
        self.text("headers").map(read_headers).unwrap_or_default()
    }

    fn body(&self) -> Bytes {
        find(self.fields, "payload").map(Bytes::copy_from_slice).unwrap_or_default()
    }

    /// How often it was tried before it came into the stream.
    pub(super) fn spent(&self) -> u32 {
        self.number("spent").unwrap_or(0)
    }

    /// As it is handed out, for the `count`th time since it came into the stream.
    pub(super) fn taken(&self, count: u32, now: Duration, plain: &str) -> Taken {
        let accepted_at = self.accepted_at();
        Taken {
            id: self.id.clone(),
            kind: self.kind(plain),
            version: self.version(),
            headers: self.headers(),
            body: self.body(),
            accepted_at,
            attempt: self.spent().saturating_add(count),
            fence: self.number("fence").unwrap_or(0u64).saturating_add(u64::from(count)),
            abandoned: self.number("abandoned").unwrap_or(0u32).saturating_add(count.saturating_sub(1)),
            deferred_for: self.time("deferred").map(|since| now.saturating_sub(since)),
            waited: now.saturating_sub(self.time("due").unwrap_or(accepted_at)),
        }
    }

    pub(super) fn dead(&self, plain: &str) -> DeadJob {
        DeadJob {
            id: self.id.clone(),
            kind: self.kind(plain),
            version: self.version(),
            headers: self.headers(),
            body: self.body(),
            attempts: self.number("attempts").unwrap_or(0),
            reason: self.text("reason").unwrap_or_default().into(),
            accepted_at: self.accepted_at(),
            died_at: self.time("died").unwrap_or(self.written_at),
        }
    }
}

/// Entries as XRANGE gives them.
pub(super) fn entries(value: &Value) -> Option<Vec<Entry<'_>>> {
    list(value)?
        .iter()
        .map(|one| match list(one)? {
            [name, fields] => Entry::read(name, fields),
            _ => None,
        })
        .collect()
}

/// A count that the server gives.
pub(super) fn count(value: &Value) -> Option<u32> {
    number(value).map(|count| u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Value {
        let words = pairs.iter().flat_map(|(name, value)| [name, value]);
        Value::Array(words.map(|word| Value::BulkString(word.as_bytes().to_vec())).collect())
    }

    fn name(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    /// QU-65: attempts, fences and abandonments are what an entry carries and its count.
    #[test]
    fn counts_are_added() {
        let fields = fields(&[
            ("id", "a"),
            ("kind", "k"),
            ("version", "3"),
            ("headers", "x\ty\nempty\t\n"),
            ("payload", "{}"),
            ("accepted", "1000000"),
            ("due", "2000000"),
            ("spent", "2"),
            ("fence", "4"),
            ("abandoned", "1"),
            ("deferred", "2500000"),
            ("reason", ""),
        ]);
        let taken = Entry::read(&name("5-0"), &fields).unwrap().taken(2, Duration::from_secs(3), "plain");
        assert_eq!((taken.id.as_str(), &*taken.kind, taken.version), ("a", "k", 3));
        assert_eq!((taken.attempt, taken.fence, taken.abandoned), (4, 6, 2));
        assert_eq!((taken.waited, taken.deferred_for), (Duration::from_secs(1), Some(Duration::from_millis(500))));
        let headers: Vec<_> = taken.headers.iter().collect();
        assert_eq!(headers, [("x", "y"), ("empty", "")]);
        assert_eq!(write_headers(&taken.headers), "x\ty\nempty\t\n");
    }

    /// QU-60: an entry that another producer wrote is a job under its entry's id.
    #[test]
    fn plain_entries() {
        let fields = fields(&[("payload", "{}"), ("id", "not ours"), ("kind", "theirs")]);
        let taken = Entry::read(&name("1500-7"), &fields).unwrap().taken(1, Duration::from_secs(2), "plain");
        assert_eq!((taken.id.as_str(), &*taken.kind, &*taken.body), ("1500-7", "plain", &b"{}"[..]));
        assert_eq!((taken.accepted_at, taken.waited), (Duration::from_millis(1_500), Duration::from_millis(500)));
        assert_eq!((taken.attempt, taken.fence, taken.abandoned), (1, 1, 0));
    }

    /// QU-06: spans are rounded up, and no sum of them is too large for a script.
    #[test]
    fn spans() {
        assert_eq!((micros(Duration::from_nanos(1)), millis(Duration::from_micros(1))), (1, 1));
        assert_eq!((micros(Duration::ZERO), millis(Duration::from_secs(30))), (0, 30_000));
        assert!(micros(Duration::MAX) < 1 << 52);
    }
}
