use std::sync::Arc;

use crate::rt::sync::{AtomicU64, Ordering};

/// A request head is awaited: none of it has come yet on a new connection, or only part of it on any.
const READING: u64 = 1;
/// There is more to write than the socket takes.
const BLOCKED: u64 = 1 << 1;
/// The connection speaks HTTP/2: its preface has come in.
const HTTP2: u64 = 1 << 2;
/// A request has upgraded the connection, or one of its streams.
const UPGRADED: u64 = 1 << 3;
/// The connection has had a request.
const CALLED: u64 = 1 << 4;

/// What a connection is doing, noted by its socket and its requests, because hyper does not say.
#[derive(Debug)]
pub(super) struct ConnectionWatch {
    flags: AtomicU64,
    in_flight: AtomicU64,
    /// How often anything was read or written.
    moved: AtomicU64,
}

impl ConnectionWatch {
    /// A connection that was just accepted.
    pub(super) fn new() -> Arc<ConnectionWatch> {
        Arc::new(ConnectionWatch {
            flags: AtomicU64::new(READING),
            in_flight: AtomicU64::new(0),
            moved: AtomicU64::new(0),
        })
    }

    fn has(&self, flag: u64) -> bool {
        self.flags.load(Ordering::Acquire) & flag != 0
    }

    fn set(&self, flag: u64, on: bool) {
        if self.has(flag) != on {
            if on {
                self.flags.fetch_or(flag, Ordering::AcqRel);
            } else {
                self.flags.fetch_and(!flag, Ordering::AcqRel);
            }
        }
    }

    /// Bytes were read. Between requests they belong to a head; over HTTP/2 they may be anything.
    pub(super) fn read(&self) {
        self.moved_on();
        if !self.is_http2() && self.is_idle() {
            self.set(READING, true);
        }
    }

    /// Bytes were read or written.
    pub(super) fn moved_on(&self) {
        self.moved.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn set_blocked(&self, blocked: bool) {
        self.set(BLOCKED, blocked);
    }

    pub(super) fn speaks_http2(&self) {
        self.set(HTTP2, true);
        self.set(READING, false);
    }

    pub(super) fn upgrade(&self) {
        self.set(UPGRADED, true);
    }

    pub(super) fn is_reading(&self) -> bool {
        self.has(READING)
    }

    pub(super) fn is_blocked(&self) -> bool {
        self.has(BLOCKED)
    }

    pub(super) fn is_http2(&self) -> bool {
        self.has(HTTP2)
    }

    pub(super) fn is_upgraded(&self) -> bool {
        self.has(UPGRADED)
    }

    pub(super) fn was_called(&self) -> bool {
        self.has(CALLED)
    }

    /// Whether no request is in flight.
    pub(super) fn is_idle(&self) -> bool {
        self.in_flight.load(Ordering::Acquire) == 0
    }

    pub(super) fn moved(&self) -> u64 {
        self.moved.load(Ordering::Relaxed)
    }
}

/// A request in flight, until the body of its response has ended.
#[derive(Debug)]
pub(super) struct Busy(Arc<ConnectionWatch>);

impl Busy {
    /// The head of a request is complete.
    pub(super) fn new(watch: &Arc<ConnectionWatch>) -> Busy {
        watch.in_flight.fetch_add(1, Ordering::AcqRel);
        watch.set(READING, false);
        watch.set(CALLED, true);
        Busy(Arc::clone(watch))
    }

    pub(super) fn watch(&self) -> &ConnectionWatch {
        &self.0
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}
