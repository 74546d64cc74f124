//! Timeouts: TO-01 to TO-06.

#[cfg(feature = "http")]
mod body;
mod drops;
mod model;
mod service;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use seaworthy::observe::TimeoutEvent;
use seaworthy::timeout::Limit;
use seaworthy::{BoxError, Event, Observer};
use tokio::time::Duration;

/// An inner future that the test tells when to answer, and that shows how often it was polled and whether it is alive.
#[derive(Clone, Debug, Default)]
struct Script(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    answer: Option<Result<&'static str, &'static str>>,
    waker: Option<Waker>,
    polls: u32,
    alive: u32,
}

#[derive(Debug)]
struct Scripted(Script);

impl Script {
    fn start(&self) -> Scripted {
        self.0.lock().unwrap().alive += 1;
        Scripted(self.clone())
    }

    fn answer(&self, answer: Result<&'static str, &'static str>) {
        let mut state = self.0.lock().unwrap();
        state.answer = Some(answer);
        state.waker.take().into_iter().for_each(Waker::wake);
    }

    fn polls(&self) -> u32 {
        self.0.lock().unwrap().polls
    }

    fn alive(&self) -> u32 {
        self.0.lock().unwrap().alive
    }
}

impl Future for Scripted {
    type Output = Result<&'static str, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.0.0.lock().unwrap();
        state.polls += 1;
        state.waker = Some(cx.waker().clone());
        state.answer.take().map_or(Poll::Pending, |answer| Poll::Ready(answer.map_err(BoxError::from)))
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.0.0.lock().unwrap().alive -= 1;
    }
}

/// An event: the name, the limit and its length.
type Line = (Option<String>, Limit, Duration);

#[derive(Clone, Debug, Default)]
struct Told(Arc<Mutex<Vec<Line>>>);

impl Told {
    fn observer(&self) -> impl Observer + use<> {
        let told = self.clone();
        move |event: &Event<'_>| match event {
            Event::Timeout(TimeoutEvent::TimedOut { name, limit, after, .. }) => {
                told.0.lock().unwrap().push((name.map(ToString::to_string), *limit, *after));
            }
            other => panic!("no timeout tells {other:?}"),
        }
    }

    fn take(&self) -> Vec<Line> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}
