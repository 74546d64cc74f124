//! One line of a journal.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What a process did, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Line {
    /// When, in nanoseconds of the machine's monotonic clock.
    #[serde(rename = "at")]
    pub nanos: u64,
    /// The name of the worker.
    pub worker: String,
    /// Its process: a worker that was started again has another.
    pub pid: u32,
    /// How many lines the process had written before this one.
    pub number: u64,
    /// What it did.
    #[serde(flatten)]
    pub entry: Entry,
}

impl Line {
    /// When it happened, as `clock::now` told it.
    pub fn at(&self) -> Duration {
        Duration::from_nanos(self.nanos)
    }
}

/// What a line can say. Each kind is what one of the judges looks at; [`Entry::Note`] is for all else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Entry {
    /// It has begun what only one may do at a time.
    Begin {
        /// What that is.
        name: String,
    },
    /// It ends what it had begun.
    End {
        /// What that was.
        name: String,
    },
    /// A fenced resource accepted a write.
    Write {
        /// Which resource.
        resource: String,
        /// The epoch that the write was made with.
        epoch: u64,
    },
    /// A side effect has happened.
    Effect {
        /// What it was for.
        key: String,
    },
    /// A job was accepted by its queue: from here on it must not be lost.
    Accepted {
        /// The job's id.
        job: String,
    },
    /// A handler was called with a job.
    Start {
        /// The job's id.
        job: String,
    },
    /// A job was settled for good.
    Settled {
        /// The job's id.
        job: String,
    },
    /// A job was buried as a dead letter.
    Dead {
        /// The job's id.
        job: String,
    },
    /// The worker is about to abort at a point that it was told of.
    Dying {
        /// Which one.
        point: String,
    },
    /// A worker has ended, says the test that started it.
    Ended {
        /// Which worker; the line itself is not its own.
        of: String,
        /// Its process.
        process: u32,
        /// How: `signal: 9 (SIGKILL)`, `exit status: 0`.
        how: String,
    },
    /// Something that no judge looks at.
    Note {
        /// What.
        name: String,
        /// All that is to be known of it.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        fields: Map<String, Value>,
    },
}

impl Entry {
    /// [`Entry::Begin`].
    pub fn begin(name: impl Into<String>) -> Entry {
        Entry::Begin { name: name.into() }
    }

    /// [`Entry::End`].
    pub fn end(name: impl Into<String>) -> Entry {
        Entry::End { name: name.into() }
    }

    /// [`Entry::Write`].
    pub fn fenced_write(resource: impl Into<String>, epoch: u64) -> Entry {
        Entry::Write { resource: resource.into(), epoch }
    }

    /// [`Entry::Effect`].
    pub fn effect(key: impl Into<String>) -> Entry {
        Entry::Effect { key: key.into() }
    }

    /// [`Entry::Accepted`].
    pub fn accepted(job: impl Into<String>) -> Entry {
        Entry::Accepted { job: job.into() }
    }

    /// [`Entry::Start`].
    pub fn start(job: impl Into<String>) -> Entry {
        Entry::Start { job: job.into() }
    }

    /// [`Entry::Settled`].
    pub fn settled(job: impl Into<String>) -> Entry {
        Entry::Settled { job: job.into() }
    }

    /// [`Entry::Dead`].
    pub fn dead(job: impl Into<String>) -> Entry {
        Entry::Dead { job: job.into() }
    }

    /// [`Entry::Note`] without fields.
    pub fn note(name: impl Into<String>) -> Entry {
        Entry::Note { name: name.into(), fields: Map::new() }
    }

    /// A note with one more field; any other entry as it is.
    ///
    /// ```
    /// use seaworthy_faults::journal::Entry;
    ///
    /// let entry = Entry::note("claimed").with("key", "order-7").with("fence", 3);
    /// assert!(entry.is_note("claimed"));
    /// ```
    #[must_use]
    pub fn with(mut self, field: &str, value: impl Into<Value>) -> Entry {
        if let Entry::Note { fields, .. } = &mut self {
            fields.insert(field.to_owned(), value.into());
        }
        self
    }

    /// Whether it is a note of this name.
    pub fn is_note(&self, name: &str) -> bool {
        matches!(self, Entry::Note { name: own, .. } if own == name)
    }

    /// A field of a note.
    pub fn field(&self, field: &str) -> Option<&Value> {
        match self {
            Entry::Note { fields, .. } => fields.get(field),
            _ => None,
        }
    }
}
