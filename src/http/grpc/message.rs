use http::{HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::error::Rejected;

pub(super) const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// What does not stay as it is, beside bytes above 0x7E.
const ENCODED: &AsciiSet = &CONTROLS.add(b'%');

/// A `grpc-message`: bytes from 0x20 to 0x7E but `%` as they are, and all others as `%` and two digits.
pub(super) fn message(text: &str) -> Option<HeaderValue> {
    let mut encoded = String::with_capacity(text.len());
    encoded.extend(utf8_percent_encode(text, ENCODED));
    HeaderValue::try_from(encoded).ok()
}

/// The words for a rejection, without names, which are no concern of clients.
pub(super) fn words(rejected: &Rejected) -> HeaderValue {
    HeaderValue::from_static(match rejected {
        Rejected::CircuitOpen { .. } => "circuit open",
        Rejected::BulkheadFull { .. } => "bulkhead full",
        Rejected::NotReady { .. } => "not ready",
        Rejected::TimedOut { .. } => "timed out",
        Rejected::DeadlineExceeded { .. } => "deadline exceeded",
        Rejected::Withdrawn { .. } => "call withdrawn",
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encoded(text: &str) -> String {
        message(text).expect("only visible characters").to_str().expect("ASCII").to_owned()
    }

    /// GR-10: bytes 0x20 to 0x7E but `%` stay, all others become `%` and two upper-case digits.
    #[test]
    fn gr_10_encoding() {
        for byte in 0..=0x7f_u8 {
            let expected = match byte {
                b'%' => "%25".to_owned(),
                0x20..=0x7e => char::from(byte).to_string(),
                _ => format!("%{byte:02X}"),
            };
            assert_eq!(encoded(&char::from(byte).to_string()), expected, "{byte:#x}");
        }
        assert_eq!(encoded("100 % à la\r\n🚢"), "100 %25 %C3%A0 la%0D%0A%F0%9F%9A%A2");
        assert_eq!(encoded(""), "");
    }

    /// Shares no code with what encodes.
    fn decoded(text: &str) -> Vec<u8> {
        let digit = |byte: u8| char::from(byte).to_digit(16).expect("a digit") as u8;
        let mut bytes = text.bytes();
        let mut all = Vec::new();
        while let Some(byte) = bytes.next() {
            all.push(match byte {
                b'%' => digit(bytes.next().expect("two digits")) << 4 | digit(bytes.next().expect("two digits")),
                byte => byte,
            });
        }
        all
    }

    proptest! {
        /// GR-10: whatever a message says, controls and UTF-8 included, arrives as it was.
        #[test]
        fn gr_10_round_trip(text in any::<String>()) {
            let encoded = encoded(&text);
            prop_assert!(encoded.bytes().all(|byte| (0x20..=0x7e).contains(&byte)));
            prop_assert_eq!(decoded(&encoded), text.into_bytes());
        }
    }
}
