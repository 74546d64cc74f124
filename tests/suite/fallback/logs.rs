use std::future::ready;
use std::io;
use std::sync::{Arc, Mutex};

use seaworthy::{BoxError, FallbackLayer, Keyed, Slots};

use super::full;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// FB-07, KY-06: without an observer, both are logged, once for each call that falls back and once for a family that is
/// full; an answer is not.
#[tokio::test]
async fn fb_07_logged() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::DEBUG)
        .with_ansi(false)
        .without_time()
        .with_writer(move || writer.clone())
        .finish();
    let _default = crate::support::listen(subscriber);
    let layer = FallbackLayer::value("spare", 7).build().unwrap();
    assert_eq!(layer.run(ready(Ok::<_, BoxError>(1))).await.unwrap(), 1);
    assert_eq!(layer.run(ready(Err(full()))).await.unwrap(), 7);
    let tenants: Keyed<u32, Slots> = Slots::builder("tenants").keyed().max(1).build().unwrap();
    let _held = tenants.get(&1);
    let _overflow = [tenants.get(&2), tenants.get(&3)];
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let expected = [
        r#"DEBUG seaworthy::fallback: fell back name=spare error=bulkhead `ship` is full error_debug=BulkheadFull { name: "ship", retry_after: None }"#,
        "WARN seaworthy::keyed: no room for another key name=tenants max=1",
    ];
    assert_eq!(lines, expected);
}
