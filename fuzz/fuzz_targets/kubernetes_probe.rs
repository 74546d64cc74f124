//! Any number, text or header of a probe in a Kubernetes manifest gives a spec that follows it, or an error that names
//! the key: `fuzz/run 60 kubernetes_probe`.

#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use seaworthy::prober::{ProbeKind, ProbeSpec};
use serde_json::{Value, json};

/// The kind and port, path and host, a header, and the numbers of the policy in the order in which they are named
/// below.
type Manifest = (u8, i64, [Option<String>; 2], Option<(String, String)>, [Option<i64>; 5]);

fuzz_target!(|manifest: Manifest| {
    let (kind, port, [path, host], header, [delay, period, timeout, failures, successes]) = &manifest;
    let headers = header.iter().map(|(name, value)| json!({ "name": name, "value": value }));
    let (name, action) = match kind % 3 {
        0 => {
            let headers: Value = headers.collect();
            ("httpGet", json!({ "port": port, "path": path, "host": host, "httpHeaders": headers }))
        }
        1 => ("tcpSocket", json!({ "port": port, "host": host })),
        _ => ("exec", json!({ "command": [path] })),
    };
    let text = json!({
        name: action,
        "initialDelaySeconds": delay,
        "periodSeconds": period,
        "timeoutSeconds": timeout,
        "failureThreshold": failures,
        "successThreshold": successes,
    })
    .to_string();
    match serde_json::from_str::<ProbeSpec>(&text) {
        Ok(ProbeSpec { kind, policy }) => {
            assert!(matches!(kind, ProbeKind::Exec(_)) || (1..=65535).contains(port), "{text}");
            // `exec` alone is the same in both notations, and has this crate's defaults.
            if name != "exec" || period.is_some() {
                let period = period.filter(|seconds| *seconds != 0).unwrap_or(10);
                assert_eq!(policy.interval(), Duration::from_secs(period.try_into().expect("a time")), "{text}");
            }
            assert!(!policy.timeout().is_zero(), "{text}");
        }
        Err(error) => {
            let keys = ["httpGet.", "tcpSocket.", "exec.", "initialDelay", "period", "timeout", "failureT", "successT"];
            let error = error.to_string();
            assert!(keys.iter().any(|key| error.starts_with(key)), "{text}: {error}");
        }
    }
});
