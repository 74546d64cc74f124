//! The rules themselves, so that one file defines what the checks enforce.

use std::path::Path;
use std::sync::LazyLock;

/// Each room, and the rooms it may use. Code that connects two rooms belongs in the upper one.
pub(crate) const ROOMS: &[(&str, &[&str])] = &[
    ("machine", &[]),
    ("name", &[]),
    ("accessors", &[]),
    ("error", &["machine", "name"]),
    ("rt", &["error", "machine"]),
    ("observe", &["error", "machine", "name", "rt"]),
    ("shared", &["accessors", "error", "rt"]),
    ("context", &["machine", "rt"]),
    ("admission", &["context", "error", "machine", "rt"]),
    ("circuit_breaker", &["accessors", "admission", "context", "error", "machine", "name", "observe", "rt", "shared"]),
    ("bulkhead", &["accessors", "admission", "context", "error", "machine", "name", "observe", "rt", "shared"]),
    ("retry", &["accessors", "context", "error", "machine", "name", "observe", "rt", "shared"]),
    ("timeout", &["accessors", "context", "error", "machine", "name", "observe", "rt", "shared"]),
    ("deadline", &["accessors", "context", "error", "machine", "name", "observe", "rt", "timeout"]),
    ("fallback", &["accessors", "error", "machine", "name", "observe", "retry", "rt", "shared"]),
    ("shutdown", &["machine", "rt"]),
    (
        "health",
        &[
            "accessors",
            "admission",
            "bulkhead",
            "circuit_breaker",
            "context",
            "error",
            "machine",
            "name",
            "observe",
            "rt",
            "shared",
        ],
    ),
    (
        "keyed",
        &[
            "accessors",
            "admission",
            "bulkhead",
            "circuit_breaker",
            "error",
            "machine",
            "name",
            "observe",
            "rt",
            "shared",
        ],
    ),
    ("data", &["error", "machine", "name"]),
    ("grpc", &["error"]),
    (
        "policy",
        &[
            "accessors",
            "admission",
            "bulkhead",
            "circuit_breaker",
            "context",
            "data",
            "error",
            "fallback",
            "grpc",
            "machine",
            "name",
            "observe",
            "retry",
            "rt",
            "shared",
            "timeout",
        ],
    ),
    (
        "http",
        &[
            "accessors",
            "admission",
            "bulkhead",
            "circuit_breaker",
            "context",
            "deadline",
            "error",
            "fallback",
            "grpc",
            "health",
            "keyed",
            "machine",
            "name",
            "observe",
            "policy",
            "retry",
            "rt",
            "shared",
            "timeout",
        ],
    ),
    ("runner", &["error", "health", "machine", "name", "observe", "rt", "shutdown"]),
    ("server", &["error", "health", "http", "machine", "name", "observe", "rt", "runner", "shutdown"]),
    (
        "prober",
        &[
            "circuit_breaker",
            "context",
            "data",
            "error",
            "grpc",
            "health",
            "http",
            "machine",
            "name",
            "observe",
            "rt",
            "shutdown",
        ],
    ),
    (
        "service_builder",
        &[
            "context",
            "deadline",
            "bulkhead",
            "circuit_breaker",
            "error",
            "fallback",
            "health",
            "http",
            "policy",
            "retry",
            "shared",
            "timeout",
        ],
    ),
];

/// What the machine must not name: time and randomness are passed in.
pub(crate) const IMPURE: &[&str] = &[
    "std::time::Instant",
    "std::time::SystemTime",
    "std::sync::Barrier",
    "std::sync::Condvar",
    "std::sync::LazyLock",
    "std::sync::Mutex",
    "std::sync::Once",
    "std::sync::OnceLock",
    "std::sync::RwLock",
    "std::sync::atomic",
    "std::sync::mpsc",
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
pub(crate) const DOORS: &[(&str, &[&str])] = &[
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
    ("http", &["src/http/", "src/server/", "src/prober/http/", "src/prober/grpc/"]),
    ("metrics", &["src/observe/metrics/"]),
];

/// The one walk of an error's sources.
pub(crate) static WALK_OF_SOURCES: LazyLock<&Path> = LazyLock::new(|| Path::new("src/error/chain.rs"));

/// Folders that exist only with their feature.
pub(crate) const FEATURE_ROOMS: &[&str] = &[
    "src/data/",
    "src/grpc/",
    "src/http/",
    "src/observe/metrics/",
    "src/policy/data/",
    "src/prober/",
    "src/runner/",
    "src/server/",
    "src/machine/probe/",
    "src/machine/runner/",
    "src/service_builder.rs",
];

pub(crate) const MOST_CFGS: usize = 20;

/// Each pattern's folder has these, as ARCHITECTURE.md describes.
pub(crate) const NAMES_OF_EACH_PATTERN: &[&str] = &[
    "Permit",
    // One for each platform, of which one is compiled.
    "Process",
    "ResponseFuture",
    "Shared",
    "Snapshot",
];

pub(crate) const MOST_LINES: usize = 300;
pub(crate) const MOST_COLUMNS: usize = 120;

/// Longer files, each with the reason why it is not split.
pub(crate) const LONG_FILES: &[(&str, &str)] = &[
    ("crates/xtask/src/house/rules.rs", "the rules themselves, in one list each"),
    (
        "src/circuit_breaker/shared.rs",
        "all paths to one lock and one word: which steps are atomic is seen side by side",
    ),
    ("src/http/replay_store.rs", "one store and its readers, which share every invariant"),
    ("src/keyed/handle.rs", "the handle's whole surface, half of it documentation"),
    ("src/machine/circuit_breaker/machine.rs", "one machine: its transitions refer to each other"),
    ("src/observe/metrics/tests.rs", "tells every event there is, and holds the table against it"),
    ("src/policy/handle.rs", "the handle's whole surface, half of it documentation"),
    ("src/prober/shared.rs", "one table under one lock, with every step on it"),
    ("src/retry/policy.rs", "the handle's whole surface, half of it documentation"),
    ("src/runner/run.rs", "a service's life from start to end, in the order in which it happens"),
    ("src/runner/shared.rs", "one state under one lock, with every step on it"),
];

/// Events that no metric counts, each with its reason.
pub(crate) const EVENTS_WITHOUT_A_METRIC: &[&str] = &[
    // Anybody can send one, and it changes nothing: it is worth a line in a log that is looked at, and no series.
    "DeadlineEvent::HeaderMalformed",
];

/// Crates whose types and traits appear in public signatures, each with its reason.
pub(crate) const EXTERNAL_CRATES: &[(&str, &str)] = &[
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
    ("tokio", "a deadline may be a moment of its clock; the feature `server`: listeners and their streams"),
    ("tower", "the feature `tower`: `ServiceBuilder` has every layer by name"),
];

/// The same of `seaworthy-ledger`.
pub(crate) const EXTERNAL_CRATES_OF_THE_LEDGER: &[(&str, &str)] = &[
    ("alloc", "the standard library"),
    ("core", "the standard library"),
    ("std", "the standard library"),
    ("seaworthy", "names, observers, tasks and errors are the core's"),
    ("seaworthy_store", "stores and their errors, by the paths of this package"),
    ("bytes", "results are bytes"),
    ("serde_core", "results of steps and responses are read and written by serde"),
    ("sqlx_postgres", "the feature `postgres`: a caller's pool or transaction"),
    ("sqlx_sqlite", "the feature `sqlite`: a caller's transaction"),
    ("tower_layer", "the layers are `Layer`s"),
    ("tower_service", "their services are `Service`s"),
    ("pin_project_lite", "writes an `Unpin` for each future that names a type of its own"),
    ("http", "the feature `http`: requests and responses"),
    ("http_body", "the feature `http`: bodies"),
];

/// The same of `seaworthy-leader`.
pub(crate) const EXTERNAL_CRATES_OF_THE_LEADER: &[(&str, &str)] = &[
    ("alloc", "the standard library"),
    ("core", "the standard library"),
    ("std", "the standard library"),
    ("seaworthy", "names, observers, tasks, shutdowns and errors are the core's"),
    ("seaworthy_store", "stores and their errors, by the paths of this package"),
    ("sqlx_sqlite", "the feature `sqlite`: a caller's transaction"),
    ("sqlx_postgres", "the feature `postgres`: a caller's pool or transaction"),
    ("tower_layer", "the layers are `Layer`s"),
    ("tower_service", "their services are `Service`s"),
    ("pin_project_lite", "writes an `Unpin` for each future that names a type of its own"),
    ("http", "the feature `http`: requests and responses"),
];

/// The same of `seaworthy-queue`.
pub(crate) const EXTERNAL_CRATES_OF_THE_QUEUE: &[(&str, &str)] = &[
    ("alloc", "the standard library"),
    ("core", "the standard library"),
    ("std", "the standard library"),
    ("seaworthy", "names, observers, gates, tasks and errors are the core's"),
    ("seaworthy_ledger", "the feature `ledger`: its layer around the work of a job"),
    ("seaworthy_store", "stores and their errors, by the paths of this package"),
    ("bytes", "bodies are bytes"),
    ("serde_core", "jobs are read and written by serde"),
    ("serde_json", "an older version of a job is upgraded as JSON"),
    ("sqlx_postgres", "the feature `postgres`: a caller's pool or transaction"),
    ("sqlx_sqlite", "the feature `sqlite`: a caller's transaction"),
    ("tower_layer", "the feature `ledger`: what lets one job of a key run at a time is a `Layer`"),
    ("tower_service", "a job is given to a `Service`"),
];

/// Names of our own invention, and the field's names for them.
pub(crate) const WORDS: &[(&str, &str)] = &[
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

/// Words that are somebody else's there: a metric is a gauge, and `ToOwned` has an `Owned`.
pub(crate) const WORDS_OF_OTHERS: &[(&str, &str)] = &[("Gauge", "src/observe/metrics"), ("Owned", "src/keyed")];

/// Turns of phrase that read as if translated.
pub(crate) const PHRASES: &[(&str, &str)] = &[
    ("too long to be told", "that the clock cannot represent"),
    ("too far away to be told", "that the clock cannot represent"),
    ("is without end", "means no limit"),
    ("has not ended after so long", "takes longer"),
];
