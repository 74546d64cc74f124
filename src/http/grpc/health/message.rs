//! The two messages of the health protocol, in protobuf's encoding. Each has one field, so they are read and written by
//! hand.

use bytes::Bytes;

/// Whether a service should get calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServingStatus {
    Serving,
    NotServing,
    ServiceUnknown,
}

impl ServingStatus {
    pub(crate) fn of(is_up: bool) -> ServingStatus {
        if is_up { ServingStatus::Serving } else { ServingStatus::NotServing }
    }

    /// A `HealthCheckResponse`, with its prefix.
    pub(super) fn framed(self) -> Bytes {
        Bytes::from_static(match self {
            ServingStatus::Serving => &[0, 0, 0, 0, 2, STATUS, 1],
            ServingStatus::NotServing => &[0, 0, 0, 0, 2, STATUS, 2],
            ServingStatus::ServiceUnknown => &[0, 0, 0, 0, 2, STATUS, 3],
        })
    }
}

/// The key of `HealthCheckResponse.status`: field 1, a varint.
const STATUS: u8 = 1 << 3;

/// What is not protobuf's encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// The service that a `HealthCheckRequest` asks for: empty if it names none.
pub(super) fn service_in(message: &[u8]) -> Result<&str, Malformed> {
    let (mut fields, mut service) = (FieldReader(message), "");
    // Of several the last one counts.
    while let Some(field) = fields.next()? {
        if let (1, FieldValue::Bytes(bytes)) = field {
            service = std::str::from_utf8(bytes).map_err(|_| Malformed)?;
        }
    }
    Ok(service)
}

/// The number that a `HealthCheckResponse` says: 0 if it says none.
#[cfg(feature = "prober")]
pub(crate) fn status_in(message: &[u8]) -> Result<u64, Malformed> {
    let (mut fields, mut status) = (FieldReader(message), 0);
    while let Some(field) = fields.next()? {
        if let (1, FieldValue::Number(number)) = field {
            status = number;
        }
    }
    Ok(status)
}

/// A `HealthCheckRequest` for `service`, with its prefix; none if it is longer than a message can be.
#[cfg(feature = "prober")]
pub(crate) fn request_for(service: &str) -> Option<Bytes> {
    let mut field = Vec::with_capacity(service.len() + 6);
    if !service.is_empty() {
        field.push(1 << 3 | LENGTH);
        let mut length = service.len();
        while length > 0x7f {
            field.push(length as u8 | 0x80);
            length >>= 7;
        }
        field.push(length as u8);
        field.extend_from_slice(service.as_bytes());
    }
    let mut message = vec![0];
    message.extend_from_slice(&u32::try_from(field.len()).ok()?.to_be_bytes());
    message.append(&mut field);
    Some(message.into())
}

/// How a field is encoded.
const VARINT: u8 = 0;
const FIXED_64: u8 = 1;
const LENGTH: u8 = 2;
const GROUP: u8 = 3;
const END_OF_GROUP: u8 = 4;
const FIXED_32: u8 = 5;

/// How deeply groups may be nested, as in other implementations.
const DEEPEST: u32 = 100;

/// The fields of a message, in their order.
struct FieldReader<'a>(&'a [u8]);

enum FieldValue<'a> {
    #[cfg_attr(not(feature = "prober"), allow(dead_code, reason = "only an answer has a number"))]
    Number(u64),
    Bytes(&'a [u8]),
    /// Neither message has a field of such a type.
    Other,
}

impl<'a> FieldReader<'a> {
    fn next(&mut self) -> Result<Option<(u64, FieldValue<'a>)>, Malformed> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let (field, encoding) = self.key()?;
        let value = match encoding {
            GROUP => self.skip_group(field, DEEPEST).map(|()| FieldValue::Other)?,
            encoding => self.value(encoding)?,
        };
        Ok(Some((field, value)))
    }

    fn key(&mut self) -> Result<(u64, u8), Malformed> {
        let key = self.varint()?;
        let field = key >> 3;
        if field == 0 || key > u32::MAX.into() {
            return Err(Malformed);
        }
        Ok((field, (key & 7) as u8))
    }

    fn value(&mut self, encoding: u8) -> Result<FieldValue<'a>, Malformed> {
        match encoding {
            VARINT => self.varint().map(FieldValue::Number),
            FIXED_64 => self.take(8).map(|_| FieldValue::Other),
            FIXED_32 => self.take(4).map(|_| FieldValue::Other),
            LENGTH => {
                let length = usize::try_from(self.varint()?).map_err(|_| Malformed)?;
                self.take(length).map(FieldValue::Bytes)
            }
            _ => Err(Malformed),
        }
    }

    fn skip_group(&mut self, group: u64, depth: u32) -> Result<(), Malformed> {
        loop {
            match self.key()? {
                (field, END_OF_GROUP) => return if field == group { Ok(()) } else { Err(Malformed) },
                (field, GROUP) => self.skip_group(field, depth.checked_sub(1).ok_or(Malformed)?)?,
                (_, encoding) => self.value(encoding).map(drop)?,
            }
        }
    }

    fn varint(&mut self) -> Result<u64, Malformed> {
        let mut number = 0;
        for place in 0..10 {
            let byte = u64::from(self.take(1)?[0]);
            // Of the tenth byte there is room for one bit.
            if place == 9 && byte > 1 {
                return Err(Malformed);
            }
            number |= (byte & 0x7f) << (7 * place);
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Malformed)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// GR-15: the field is read wherever it stands, the last one counts, and others are skipped whatever they are.
    #[test]
    fn what_is_read() {
        let deep = [vec![0x1b; 101], vec![0x1c; 101]].concat();
        for (message, expected) in [
            (&b""[..], Ok("")),
            (b"\x0a\x00", Ok("")),
            (b"\x0a\x04shop", Ok("shop")),
            (b"\x0a\x01a\x0a\x01b", Ok("b")),
            (b"\x8a\x80\x00\x01a", Ok("a")),
            (b"\x10\x96\x01\x0a\x01a", Ok("a")),
            (b"\x0a\x01a\x12\x02\xff\xff\x19\x01\x02\x03\x04\x05\x06\x07\x08\x25\x01\x02\x03\x04", Ok("a")),
            // The same number with another encoding is another field.
            (b"\x08\x01\x0a\x01a\x0d\x01\x02\x03\x04", Ok("a")),
            (b"\x1b\x0a\x01x\x23\x24\x1c\x0a\x01a", Ok("a")),
            (&deep, Ok("")),
            (b"\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", Ok("")),
            // Truncated, in each place.
            (b"\x0a", Err(Malformed)),
            (b"\x0a\x02a", Err(Malformed)),
            (b"\x0a\x80", Err(Malformed)),
            (b"\x80", Err(Malformed)),
            (b"\x10", Err(Malformed)),
            (b"\x19\x01\x02\x03\x04\x05\x06\x07", Err(Malformed)),
            (b"\x25\x01\x02\x03", Err(Malformed)),
            (b"\x1b", Err(Malformed)),
            (b"\x1b\x24", Err(Malformed)),
            (b"\x1c", Err(Malformed)),
            // What no encoder writes.
            (b"\x02\x00", Err(Malformed)),
            (b"\x0e", Err(Malformed)),
            (b"\x0f", Err(Malformed)),
            (b"\x0a\x02\xc3\x28", Err(Malformed)),
            (b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", Err(Malformed)),
            (b"\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", Err(Malformed)),
            (b"\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", Err(Malformed)),
            (b"\x8a\x80\x80\x80\x10\x00", Err(Malformed)),
            (&[0x1b; 4096], Err(Malformed)),
        ] {
            assert_eq!(service_in(message), expected, "{message:x?}");
        }
    }

    /// GR-15: the answers, byte by byte.
    #[test]
    fn what_is_written() {
        for (status, number) in
            [(ServingStatus::Serving, 1), (ServingStatus::NotServing, 2), (ServingStatus::ServiceUnknown, 3)]
        {
            assert_eq!(status.framed(), [0, 0, 0, 0, 2, 8, number][..]);
        }
        assert_eq!(ServingStatus::of(true), ServingStatus::Serving);
        assert_eq!(ServingStatus::of(false), ServingStatus::NotServing);
    }

    /// GR-16: what a probe writes is what a server reads, and the other way round.
    #[cfg(feature = "prober")]
    #[test]
    fn there_and_back() {
        for length in [0, 1, 0x7f, 0x80, 0x3fff, 0x4000] {
            let service = "s".repeat(length);
            let message = request_for(&service).expect("short enough");
            assert_eq!(message[0], 0);
            assert_eq!(message[1..5], (message.len() as u32 - 5).to_be_bytes());
            assert_eq!(service_in(&message[5..]), Ok(&*service));
        }
        assert_eq!(request_for("").as_deref(), Some(&[0; 5][..]));
        assert_eq!(status_in(&ServingStatus::Serving.framed()[5..]), Ok(1));
        assert_eq!(status_in(b""), Ok(0));
        assert_eq!(status_in(b"\x12\x01a\x08\x01\x08\xac\x02"), Ok(300));
        assert_eq!(status_in(b"\x08"), Err(Malformed));
    }
}
