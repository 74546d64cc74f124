//! The rules themselves, so that one file defines what the checks enforce.

use std::path::Path;
use std::sync::LazyLock;

/// Each room, and the rooms it may use. Code that connects two rooms belongs in the upper one.
pub const ROOMS: &[(&str, &[&str])] = &[
    ("machine", &[]),
    ("name", &[]),
    ("accessors", &[]),
    ("error", &["name"]),
    ("rt", &["error", "machine"]),
    ("observe", &["error", "machine", "name", "rt"]),
    ("circuit_breaker", &["error", "machine", "name", "observe", "rt"]),
    ("bulkhead", &["error", "machine", "name", "observe", "rt"]),
    ("retry", &["error", "machine", "name", "observe", "rt"]),
    ("timeout", &["error", "machine", "name", "observe", "rt"]),
    ("fallback", &["error", "machine", "name", "observe", "rt"]),
    ("shutdown", &["rt"]),
    ("health", &["bulkhead", "circuit_breaker", "error", "machine", "name", "observe", "rt"]),
    ("keyed", &["bulkhead", "circuit_breaker", "error", "machine", "name", "observe", "rt"]),
    (
        "policy",
        &[
            "bulkhead",
            "circuit_breaker",
            "data",
            "error",
            "fallback",
            "machine",
            "name",
            "observe",
            "retry",
            "rt",
            "timeout",
        ],
    ),
    ("data", &["error", "machine", "name"]),
    (
        "http",
        &[
            "bulkhead",
            "circuit_breaker",
            "error",
            "fallback",
            "health",
            "keyed",
            "machine",
            "name",
            "observe",
            "policy",
            "retry",
            "rt",
            "timeout",
        ],
    ),
    ("runner", &["error", "health", "machine", "name", "observe", "rt", "shutdown"]),
    ("server", &["error", "health", "http", "machine", "name", "observe", "rt", "runner", "shutdown"]),
    ("prober", &["circuit_breaker", "data", "error", "health", "http", "machine", "name", "observe", "rt", "shutdown"]),
    (
        "tower",
        &["bulkhead", "circuit_breaker", "error", "fallback", "health", "http", "keyed", "policy", "retry", "timeout"],
    ),
];

/// What the machine must not name: time and randomness are passed in.
pub const IMPURE: &[&str] = &[
    "std::time::Instant",
    "std::time::SystemTime",
    "std::sync",
    "std::thread",
    "std::net",
    "std::fs",
    "std::io",
    "std::process",
    "std::env",
    "tokio",
    "tower",
    "tracing",
    "rand",
    "serde",
    "http",
    "loom",
    "hashbrown",
    "arc_swap",
];

/// What touches the outside world, and the places that may.
pub const DOORS: &[(&str, &[&str])] = &[
    ("tokio::time", &["src/rt/"]),
    ("std::time::Instant", &["src/rt/"]),
    ("std::time::SystemTime", &["src/rt/", "src/http/"]),
    ("rand", &["src/rt/"]),
    ("std::sync::atomic", &["src/rt/"]),
    ("std::sync::Mutex", &["src/rt/"]),
    ("std::sync::RwLock", &["src/rt/"]),
    ("loom", &["src/rt/"]),
    ("catch_unwind", &["src/rt/"]),
    ("std::panic::catch_unwind", &["src/rt/"]),
    ("http", &["src/http/", "src/grpc/", "src/server/", "src/prober/http/", "src/prober/http.rs"]),
    ("metrics", &["src/observe/metrics/"]),
];

/// The one walk of an error's sources.
pub static WALK_OF_SOURCES: LazyLock<&Path> = LazyLock::new(|| Path::new("src/error/chain.rs"));

/// Folders that exist only with their feature.
pub const FEATURE_ROOMS: &[&str] = &[
    "src/data/",
    "src/http/",
    "src/observe/metrics/",
    "src/policy/data/",
    "src/prober/",
    "src/runner/",
    "src/server/",
    "src/tower/",
    "src/tower.rs",
    "src/data.rs",
];

pub const MOST_CFGS: usize = 20;

/// Each pattern's folder has these, as ARCHITECTURE.md describes.
pub const NAMES_OF_EACH_PATTERN: &[&str] = &["Permit", "ResponseFuture", "Shared", "Snapshot"];

pub const MOST_LINES: usize = 300;
pub const MOST_COLUMNS: usize = 120;

/// Longer files, each with the reason why it is not split.
pub const LONG_FILES: &[(&str, &str)] = &[];

/// Events that no metric counts, each with its reason.
pub const EVENTS_WITHOUT_A_METRIC: &[&str] = &[];

/// Crates whose types and traits appear in public signatures, each with its reason.
pub const EXTERNAL_CRATES: &[(&str, &str)] = &[
    ("alloc", "the standard library"),
    ("core", "the standard library"),
    ("std", "the standard library"),
    ("tower_layer", "every pattern is a `Layer`"),
    ("tower_service", "every pattern is a `Service`"),
    ("pin_project_lite", "writes an `Unpin` for each future and body that names a type of its own"),
    ("anyhow", "the feature `anyhow`: its error is the error of a stack"),
    ("bytes", "the feature `http`: what the bodies are made of"),
    ("http", "the feature `http`: requests and responses"),
    ("http_body", "the feature `http`: bodies"),
    ("hyper", "the feature `server`: the body of a request that came in"),
    ("serde_core", "the feature `serde`: what is read from a file is `Deserialize`"),
    ("tokio", "the feature `server`: listeners and their streams"),
    ("tower", "the feature `tower`: `ServiceBuilder` has every layer by name"),
];

/// Names of our own invention, and the field's names for them.
pub const WORDS: &[(&str, &str)] = &[
    ("Again", "Attempts"),
    ("Announcer", "Notifier"),
    ("Audience", "Notifier"),
    ("Bell", "WakerSet"),
    ("Borrowed", "BorrowKey"),
    ("Bulk", "SuccessCounter"),
    ("Census", "Stats"),
    ("Circuit", "CircuitBreaker"),
    ("Core", "Shared"),
    ("Covers", "FallbackIf"),
    ("Dice", "Rng"),
    ("ErrorText", "ErrorRef"),
    ("Every", "Periodic"),
    ("Forgotten", "EvictionCause"),
    ("Gauge", "PhaseWord"),
    ("Glance", "FastCheck"),
    ("Hold", "OpenGuard"),
    ("Landing", "FinishGuard"),
    ("Lift", "WrapError"),
    ("LiftLayer", "WrapErrorLayer"),
    ("Link", "CircuitDriver"),
    ("Machine", "CircuitMachine"),
    ("Manner", "ReadyMode"),
    ("Moment", "Timestamp"),
    ("Owned", "MakeKey"),
    ("Place", "a BulkheadEvent"),
    ("Roster", "TaskSet"),
    ("SelectKey", "PickHandle"),
    ("Sky", "Running"),
    ("Slot", "Permit"),
    ("Slots", "Bulkhead"),
    ("Spare", "a name of its own"),
    ("Stage", "a name of its own"),
    ("Tally", "Permits"),
    ("Teller", "Notifier"),
    ("Trial", "HalfOpen"),
    ("Word", "PackedState"),
    ("forget_idle", "evict_idle"),
    ("hook_limit", "hook_timeout"),
    ("max_waiting", "max_queued"),
    ("not_permitted", "rejected"),
    ("seat", "attach"),
    ("spared", "evicted"),
    ("tell", "notify"),
    ("tend", "expire_due"),
    ("try_take", "try_acquire"),
    ("wants_calls", "interest"),
    ("when_covered", "when"),
];

/// Turns of phrase that read as if translated.
pub const PHRASES: &[(&str, &str)] = &[
    ("too long to be told", "that the clock cannot represent"),
    ("too far away to be told", "that the clock cannot represent"),
    ("is without end", "means no limit"),
    ("has not ended after so long", "takes longer"),
];
