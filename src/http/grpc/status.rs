use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::grpc::code::Code;

pub(super) const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");

/// The code in the `grpc-status` of a head or of trailers, if there is one: decimal digits without leading zeros. What
/// is no number from 0 to 16 is [`Code::Unknown`], and the first of several counts.
///
/// ```
/// use http::HeaderMap;
/// use seaworthy::http::grpc::{Code, grpc_status};
///
/// let mut trailers = HeaderMap::new();
/// assert_eq!(grpc_status(&trailers), None);
/// trailers.insert("grpc-status", "14".parse()?);
/// assert_eq!(grpc_status(&trailers), Some(Code::Unavailable));
/// # Ok::<(), http::header::InvalidHeaderValue>(())
/// ```
#[must_use]
#[inline]
pub fn grpc_status(headers: &HeaderMap) -> Option<Code> {
    Some(match *value_in(headers)?.as_bytes() {
        [digit @ b'0'..=b'9'] => Code::from(i32::from(digit - b'0')),
        [b'1', digit @ b'0'..=b'6'] => Code::from(i32::from(digit - b'0') + 10),
        _ => Code::Unknown,
    })
}

static NAME: HeaderName = GRPC_STATUS;

/// Among this many, looking at each is quicker than hashing the name.
const FEW: usize = 16;

/// The first of its values.
#[inline]
fn value_in(headers: &HeaderMap) -> Option<&HeaderValue> {
    if headers.len() > FEW {
        return headers.get(&NAME);
    }
    headers.iter().find(|(name, _)| **name == NAME).map(|(_, value)| value)
}

/// What a head says: its `grpc-status`, or its HTTP status if that is not 200. `None` if it says nothing, because the
/// code is to come in the trailers.
#[inline]
pub(super) fn code_of_head(status: StatusCode, headers: &HeaderMap) -> Option<Code> {
    grpc_status(headers).or_else(|| (status != StatusCode::OK).then(|| code_of(status)))
}

/// The code of a response that has no `grpc-status`, by its HTTP status, as gRPC's own table has it.
pub(super) fn code_of(status: StatusCode) -> Code {
    match status.as_u16() {
        400 | 431 => Code::Internal,
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::Unimplemented,
        429 | 502..=504 => Code::Unavailable,
        _ => Code::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &[u8]) -> Option<Code> {
        let value = HeaderValue::from_bytes(value).expect("a header");
        grpc_status(&HeaderMap::from_iter([(GRPC_STATUS, value)]))
    }

    /// GR-05: decimal digits; leading zeros and more than three digits are 2; the first of several counts.
    #[test]
    fn gr_05_reading() {
        for (number, code) in (0..).zip(Code::ALL) {
            assert_eq!(read(format!("{number}").as_bytes()), Some(code));
        }
        let malformed: [&[u8]; 19] = [
            b"", b" ", b" 0", b"0 ", b"+1", b"-1", b"00", b"01", b"014", b"0014", b"17", b"20", b"99", b"100", b"114",
            b"1e1", b"0x0", b"OK", b"\xff",
        ];
        for value in malformed {
            assert_eq!(read(value), Some(Code::Unknown), "{value:?}");
        }
        assert_eq!(read(b"18446744073709551616"), Some(Code::Unknown));
        assert_eq!(grpc_status(&HeaderMap::new()), None);
        let mut several = HeaderMap::from_iter([(GRPC_STATUS, "0".parse().expect("a header"))]);
        several.append(GRPC_STATUS, "14".parse().expect("a header"));
        assert_eq!(grpc_status(&several), Some(Code::Ok));
    }

    /// GR-05: it is found among any number of headers, and the first counts in any.
    #[test]
    fn gr_05_among_others() {
        let mut headers = HeaderMap::new();
        for number in 0..2 * FEW {
            headers.append("set-cookie", HeaderValue::from(number));
            headers.append(HeaderName::try_from(format!("grpc-statu{number}")).expect("a name"), HeaderValue::from(2));
            assert_eq!(grpc_status(&headers), None, "{number}");
            let mut with = headers.clone();
            with.append(GRPC_STATUS, HeaderValue::from(5));
            with.append(GRPC_STATUS, HeaderValue::from(14));
            assert_eq!(grpc_status(&with), Some(Code::NotFound), "{number}");
        }
    }

    /// GR-02: `grpc-status` wins over the HTTP status; without it a status other than 200 has a code by the table.
    #[test]
    fn gr_02_the_table() {
        let table = |status| match status {
            400 | 431 => 13,
            401 => 16,
            403 => 7,
            404 => 12,
            429 | 502 | 503 | 504 => 14,
            _ => 2,
        };
        let ok = HeaderMap::from_iter([(GRPC_STATUS, "0".parse().expect("a header"))]);
        for status in 100..1000 {
            let status = StatusCode::from_u16(status).expect("a status");
            let code = Code::from(table(status.as_u16()));
            assert_eq!(code_of(status), code, "{status}");
            let head = (status != StatusCode::OK).then_some(code);
            assert_eq!(code_of_head(status, &HeaderMap::new()), head, "{status}");
            assert_eq!(code_of_head(status, &ok), Some(Code::Ok), "{status}");
        }
    }
}
