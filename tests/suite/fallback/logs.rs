use std::future::ready;

use seaworthy::{BoxError, Bulkhead, Fallback, Keyed};

use super::full;
use crate::support::{LevelFilter, Log};

/// FB-07, KY-06: without an observer, both are logged, once for each call that falls back and once for a family that is
/// full; a response is not.
#[tokio::test]
async fn fb_07_logged() {
    let log = Log::default();
    let _listening = log.listen(LevelFilter::DEBUG);
    let layer = Fallback::value("spare", 7).build().unwrap();
    assert_eq!(layer.run(ready(Ok::<_, BoxError>(1))).await.unwrap(), 1);
    assert_eq!(layer.run(ready(Err(full()))).await.unwrap(), 7);
    let tenants: Keyed<u32, Bulkhead> = Bulkhead::builder("tenants").keyed().max(1).build().unwrap();
    let _held = tenants.get(&1);
    let _overflow = [tenants.get(&2), tenants.get(&3)];
    let text = log.take();
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let expected = [
        r#"DEBUG seaworthy::fallback: fell back name=spare error=bulkhead `ship` is full error_debug=BulkheadFull { name: "ship", retry_after: None }"#,
        "WARN seaworthy::keyed: no room for another key name=tenants max=1",
    ];
    assert_eq!(lines, expected);
}
