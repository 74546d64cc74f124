//! The bodies of the health endpoints.

use std::fmt::Write;

use bytes::Bytes;

use crate::health::{CheckReport, Report};

pub(super) const NOT_STARTED: Bytes = Bytes::from_static(br#"{"status":"not started"}"#);
pub(super) const STARTING: Bytes = Bytes::from_static(br#"{"status":"starting"}"#);
pub(super) const OK: Bytes = Bytes::from_static(br#"{"status":"ok"}"#);
pub(super) const SHUTTING_DOWN: Bytes = Bytes::from_static(br#"{"status":"shutting down"}"#);
pub(super) const NOT_FOUND: Bytes = Bytes::from_static(br#"{"error":"not found"}"#);
pub(super) const METHOD_NOT_ALLOWED: Bytes = Bytes::from_static(br#"{"error":"method not allowed"}"#);

/// The checks' names and states, never the reasons.
pub(super) fn of(report: &Report) -> Bytes {
    let mut text = String::from("{");
    if !report.checks.is_empty() {
        text.push_str(r#""checks":{"#);
        for (place, check) in report.checks.iter().enumerate() {
            if place > 0 {
                text.push(',');
            }
            push_string(&mut text, &check.name);
            text.push(':');
            push_string(&mut text, word(check));
        }
        text.push_str("},");
    }
    text.push_str(r#""status":"#);
    push_string(&mut text, if report.is_sound() { "ok" } else { "fail" });
    text.push('}');
    Bytes::from(text)
}

fn word(check: &CheckReport) -> &'static str {
    match (check.status.is_up(), check.required) {
        (true, _) => "ok",
        (false, true) => "fail",
        (false, false) => "degraded",
    }
}

fn push_string(text: &mut String, value: &str) {
    text.push('"');
    for character in value.chars() {
        match character {
            '"' | '\\' => text.extend(['\\', character]),
            control if control < ' ' => {
                // Writing to a string cannot fail.
                let _always_ok = write!(text, "\\u{:04x}", u32::from(control));
            }
            other => text.push(other),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    /// HE-01: whatever a check is called, the body is valid JSON.
    #[test]
    fn strings() {
        let mut text = String::new();
        push_string(&mut text, "a\"b\\c\n\u{1f}é\u{7f}");
        assert_eq!(text, "\"a\\\"b\\\\c\\u000a\\u001fé\u{7f}\"");
    }
}
