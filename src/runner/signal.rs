use std::fmt;
use std::task::{Context, Poll};

use super::error::BuildError;
use crate::error::check::Subject;

/// A signal that begins the shutdown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Signal {
    /// SIGINT, sent by Ctrl-C; on systems other than Unix, Ctrl-C itself.
    Interrupt,
    /// SIGTERM, sent by service managers. Unix only.
    Terminate,
    /// SIGHUP, sent when the terminal goes away. Unix only.
    Hangup,
    /// SIGQUIT, sent by Ctrl-\. Unix only.
    Quit,
}

impl Signal {
    /// The signals that a runner listens to by default.
    pub(super) fn usual() -> Vec<Signal> {
        if cfg!(unix) { vec![Signal::Interrupt, Signal::Terminate] } else { vec![Signal::Interrupt] }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Signal::Interrupt => "SIGINT",
            Signal::Terminate => "SIGTERM",
            Signal::Hangup => "SIGHUP",
            Signal::Quit => "SIGQUIT",
        })
    }
}

/// Listens to the process's signals from the moment it is made.
pub(super) struct SignalListener(Vec<(Signal, os::Source)>);

impl SignalListener {
    pub(super) fn new(mut signals: Vec<Signal>) -> Result<SignalListener, BuildError> {
        if let Some(signal) = signals.iter().find(|signal| !cfg!(unix) && **signal != Signal::Interrupt) {
            let rule = "only `Interrupt` can be listened to on this system";
            return Err(Subject::of("runner").refuse("signals", signal, rule).into());
        }
        // A signal listed twice would be heard twice, and the second aborts.
        let mut seen = Vec::new();
        signals.retain(|signal| {
            !seen.contains(signal) && {
                seen.push(*signal);
                true
            }
        });
        let listen = |signal| match os::listen(signal) {
            Ok(source) => Ok((signal, source)),
            Err(source) => Err(BuildError::Signal { signal, source }),
        };
        signals.into_iter().map(listen).collect::<Result<_, _>>().map(SignalListener)
    }

    /// A signal that arrived and has not been returned yet; of several that arrive together, each is returned once.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Option<Signal> {
        let came = |(signal, source): &mut (Signal, os::Source)| match source.poll_recv(cx) {
            Poll::Ready(Some(())) => Some(*signal),
            Poll::Ready(None) | Poll::Pending => None,
        };
        self.0.iter_mut().find_map(came)
    }
}

#[cfg(unix)]
mod os {
    use tokio::signal::unix::{self, SignalKind};

    use super::Signal;

    pub(super) type Source = unix::Signal;

    pub(super) fn listen(signal: Signal) -> std::io::Result<Source> {
        unix::signal(match signal {
            Signal::Interrupt => SignalKind::interrupt(),
            Signal::Terminate => SignalKind::terminate(),
            Signal::Hangup => SignalKind::hangup(),
            Signal::Quit => SignalKind::quit(),
        })
    }
}

#[cfg(not(unix))]
mod os {
    use tokio::signal::windows;

    use super::Signal;

    pub(super) type Source = windows::CtrlC;

    /// Every other signal has been refused already.
    pub(super) fn listen(_: Signal) -> std::io::Result<Source> {
        windows::ctrl_c()
    }
}
