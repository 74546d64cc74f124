//! Any text where a file expects a duration is one, or an error that names the key: `fuzz/run 60 duration`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use seaworthy::Policies;
use seaworthy::prober::ProbeSpec;
use serde_json::json;

fuzz_target!(|text: &str| {
    match serde_json::from_value::<Policies>(json!({ "a": { "timeout": text } })) {
        Ok(policies) => {
            let timeout = policies.get("a").ok().and_then(|policy| policy.timeout());
            assert!(timeout.is_some_and(|timeout| !timeout.is_zero()), "{text:?}");
        }
        Err(error) => assert!(error.to_string().contains("a.timeout"), "{error}"),
    }
    // The same text, read by the other reader of durations.
    let _ = serde_json::from_value::<ProbeSpec>(json!({ "tcp": { "port": 1 }, "interval": text }));
});
