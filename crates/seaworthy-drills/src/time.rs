//! Waiting.

use std::path::Path;
use std::time::Duration;

/// Between two looks at something outside of the process.
const LOOK: Duration = Duration::from_millis(2);

/// Waits until there is such a file: how a test lets its workers begin at once.
pub async fn for_file(path: &Path) {
    while !path.exists() {
        tokio::time::sleep(LOOK).await;
    }
}
