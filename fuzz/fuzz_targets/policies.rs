//! Any file gives policies that work, or an error, in TOML and in JSON: `fuzz/run 60 policies`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use seaworthy::policy::Class;
use seaworthy::{BoxError, Policies};
use tokio::runtime::Builder;

fuzz_target!(|text: &str| {
    match toml::from_str::<Policies>(text) {
        Ok(policies) => use_them(&policies),
        Err(error) => assert!(!error.message().is_empty()),
    }
    match serde_json::from_str::<Policies>(text) {
        Ok(policies) => use_them(&policies),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});

/// A policy that can be built can be used, whatever its settings.
fn use_them(policies: &Policies) {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    runtime.block_on(async {
        for policy in policies.iter() {
            let class = Class::new().without_retry();
            let _ = policy.with(class).run(|| async { Ok::<_, BoxError>(()) }).await;
            let _ = policy.with(class).run(|| async { Err::<(), BoxError>("down".into()) }).await;
            if let Some(bulkhead) = policy.bulkhead() {
                assert_eq!(bulkhead.available(), bulkhead.limit());
            }
            let _ = policy.snapshot();
        }
    });
}
