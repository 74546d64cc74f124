//! A response as the ledger keeps it.
//!
//! ```text
//!   status u16 │ fields │ length of the body u32 │ body │ fields of the trailers
//!   fields: their number u16, of each: length of its name u16, name, length of its value u32, value
//! ```

use bytes::{BufMut, Bytes, BytesMut};
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::response::Parts;
use http::{Response, StatusCode};

use super::key_body::KeyBody;
use super::not_kept::NotKept;
use crate::completion::Completion;
use crate::record::{Kept, Record};

/// What the record says that it is.
const FORM: &str = "http-response/1";
/// Of headers, and of trailers, in bytes: with these, a response is larger than its body.
const MOST_FIELDS: usize = 16 << 10;

static REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// A response that is being kept.
#[derive(Debug)]
pub(super) struct Keep {
    bytes: BytesMut,
    /// Where the body begins.
    start: usize,
    /// How much longer it may become.
    room: usize,
    /// How long it is going to be, as it says itself.
    announced: Option<u64>,
}

impl Keep {
    /// Begins with the status and these headers, if they are not too large.
    pub(super) fn begin(
        head: &Parts,
        names: &[HeaderName],
        most: usize,
        announced: Option<u64>,
    ) -> Result<Keep, NotKept> {
        let mut bytes = BytesMut::new();
        bytes.put_u16(head.status.as_u16());
        let kept = names.iter().flat_map(|name| head.headers.get_all(name).iter().map(move |value| (name, value)));
        put_fields(&mut bytes, kept).ok_or(NotKept::TooLarge)?;
        bytes.put_u32(0);
        let start = bytes.len();
        Ok(Keep { bytes, start, room: most, announced })
    }

    pub(super) fn push(&mut self, data: &[u8]) -> Result<(), NotKept> {
        self.room = self.room.checked_sub(data.len()).ok_or(NotKept::TooLong)?;
        self.bytes.extend_from_slice(data);
        Ok(())
    }

    /// Whether as much is there as was announced.
    pub(super) fn has_all_announced(&self) -> bool {
        self.announced == Some((self.bytes.len() - self.start) as u64)
    }

    /// What is recorded.
    pub(super) fn finish(self, trailers: Option<&HeaderMap>) -> Result<Completion, NotKept> {
        let Keep { mut bytes, start, .. } = self;
        let length = u32::try_from(bytes.len() - start);
        let none = HeaderMap::new();
        let fields = put_fields(&mut bytes, trailers.unwrap_or(&none));
        match (length, fields, start.checked_sub(4).and_then(|at| bytes.get_mut(at..start))) {
            (Ok(length), Some(()), Some(place)) => {
                place.copy_from_slice(&length.to_be_bytes());
                Ok(Completion::new(bytes.freeze()).content_type(FORM))
            }
            _ => Err(NotKept::TooLarge),
        }
    }
}

/// None if they are too large.
fn put_fields<'a>(
    bytes: &mut BytesMut,
    fields: impl IntoIterator<Item = (&'a HeaderName, &'a HeaderValue)>,
) -> Option<()> {
    let start = bytes.len();
    bytes.put_u16(0);
    let mut count = 0_u16;
    for (name, value) in fields {
        count = count.checked_add(1)?;
        bytes.put_u16(u16::try_from(name.as_str().len()).ok()?);
        bytes.put_slice(name.as_str().as_bytes());
        bytes.put_u32(u32::try_from(value.len()).ok()?);
        bytes.put_slice(value.as_bytes());
        if bytes.len() - start > MOST_FIELDS {
            return None;
        }
    }
    bytes.get_mut(start..start + 2)?.copy_from_slice(&count.to_be_bytes());
    Some(())
}

/// The response of a record. None if there is none in it.
pub(super) fn replayed<B>(record: &Record) -> Option<Response<KeyBody<B>>> {
    let Kept::Result { bytes, content_type } = &record.kept else { return None };
    if content_type != FORM {
        return None;
    }
    let mut rest = bytes.clone();
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::from_u16(number(&mut rest, 2)?.try_into().ok()?).ok()?;
    *response.headers_mut() = fields(&mut rest)?;
    response.headers_mut().insert(&REPLAYED, HeaderValue::from_static("true"));
    let length = number(&mut rest, 4)?;
    let body = take(&mut rest, length)?;
    let trailers = Some(fields(&mut rest)?).filter(|trailers| !trailers.is_empty());
    rest.is_empty().then(|| response.map(|()| KeyBody::whole(body, trailers)))
}

fn fields(rest: &mut Bytes) -> Option<HeaderMap> {
    let mut fields = HeaderMap::new();
    for _ in 0..number(rest, 2)? {
        let length = number(rest, 2)?;
        let name = HeaderName::from_bytes(&take(rest, length)?).ok()?;
        let length = number(rest, 4)?;
        let value = HeaderValue::from_maybe_shared(take(rest, length)?).ok()?;
        fields.try_append(name, value).ok()?;
    }
    Some(fields)
}

fn number(rest: &mut Bytes, size: usize) -> Option<usize> {
    Some(take(rest, size)?.iter().fold(0, |number, byte| (number << 8) | usize::from(*byte)))
}

fn take(rest: &mut Bytes, size: usize) -> Option<Bytes> {
    (size <= rest.len()).then(|| rest.split_to(size))
}
