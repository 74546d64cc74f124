use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use http_body::Body;
use proptest::collection::vec;
use proptest::prelude::*;
use seaworthy::http::grpc::GrpcHealthBody;
use seaworthy::{AsyncCheck, BoxError, Health, Phase};
use tokio_test::task::{self, Spawn};
use tokio_test::{assert_pending, assert_ready};

use super::*;
use crate::support::{MS, SECOND, advance};

/// A stream that is read by the test.
struct Reader(Spawn<GrpcHealthBody>);

#[derive(Debug, PartialEq)]
enum Read {
    Message(Vec<u8>),
    Trailers(Option<String>),
    End,
}

impl Reader {
    async fn new(grpc: &GrpcHealthService, service: &str) -> Reader {
        let response = watch(grpc, service).await;
        assert_eq!((response.status().as_u16(), status_in(response.headers())), (200, None));
        Reader(task::spawn(response.into_body()))
    }

    fn poll(&mut self) -> Poll<Read> {
        self.0.enter(|cx, body| body.poll_frame(cx)).map(|frame| match frame {
            None => Read::End,
            Some(frame) => match frame.unwrap().into_data() {
                Ok(data) => Read::Message(data.to_vec()),
                Err(frame) => Read::Trailers(status_in(&frame.into_trailers().unwrap())),
            },
        })
    }

    /// The next message, and nothing after it.
    #[track_caller]
    fn sends(&mut self, message: &[u8]) {
        assert_eq!(assert_ready!(self.poll()), Read::Message(message.to_vec()));
        self.waits();
    }

    #[track_caller]
    fn waits(&mut self) {
        assert_pending!(self.poll());
    }

    #[track_caller]
    fn ends(&mut self) {
        assert!(!self.0.is_end_stream());
        assert_eq!(assert_ready!(self.poll()), Read::Trailers(Some("14".into())));
        assert!(self.0.is_end_stream());
        assert_eq!(assert_ready!(self.poll()), Read::End);
        assert_eq!(assert_ready!(self.poll()), Read::End);
    }

    fn is_woken(&self) -> bool {
        self.0.is_woken()
    }
}

/// A check that the test can switch, and which counts how often it was asked.
#[derive(Clone, Default)]
struct Switch(Arc<(AtomicBool, AtomicUsize)>);

impl Switch {
    fn set_up(&self, up: bool) {
        self.0.0.store(!up, Ordering::Relaxed);
    }

    fn asked(&self) -> usize {
        self.0.1.load(Ordering::Relaxed)
    }

    fn check(&self) -> impl Fn() -> bool + Send + Sync + 'static {
        let switch = self.clone();
        move || {
            switch.0.1.fetch_add(1, Ordering::Relaxed);
            !switch.0.0.load(Ordering::Relaxed)
        }
    }
}

/// GR-14: the present state at once, each phase as it begins, and the end with 14 when the grace period does, or at the
/// latest when the service has stopped. Without checks there is no timer: this test has no runtime.
#[test]
fn phases() {
    for stops in [true, false] {
        let health = Health::new();
        let grpc = health.grpc_service();
        let mut reader = tokio_test::block_on(Reader::new(&grpc, ""));
        reader.sends(NOT_SERVING);
        health.begin();
        reader.waits();
        health.advance(Phase::Serving);
        assert!(reader.is_woken(), "at once");
        reader.sends(SERVING);
        health.advance(Phase::Draining);
        assert!(reader.is_woken());
        reader.sends(NOT_SERVING);
        assert_eq!(grpc.watchers(), 1);
        if stops {
            health.advance(Phase::Stopped);
        } else {
            health.end_streams();
        }
        assert!(reader.is_woken());
        reader.ends();
        // The place is free although the body is still there.
        assert_eq!(grpc.watchers(), 0);
        // From then on nobody can watch.
        let late = tokio_test::block_on(watch(&grpc, ""));
        assert_eq!((status_in(late.headers()), late.body().is_end_stream()), (Some("14".into()), true));
        assert_eq!(tokio_test::block_on(check(&grpc, "")), said(NOT_SERVING));
    }
}

/// GR-14: what was not sent before the end is sent first; the same state is not sent twice.
#[test]
fn the_last_state_comes_before_the_end() {
    let health = serving();
    let grpc = health.grpc_service();
    let new = |service: &str| tokio_test::block_on(Reader::new(&grpc, service));
    let (mut one, mut other, mut unread, mut unknown) = (new(""), new(""), new(""), new("x"));
    one.sends(SERVING);
    other.sends(SERVING);
    health.advance(Phase::Draining);
    one.sends(NOT_SERVING);
    health.end_streams();
    one.ends();
    for reader in [&mut other, &mut unread] {
        assert_eq!(assert_ready!(reader.poll()), Read::Message(NOT_SERVING.to_vec()));
        reader.ends();
    }
    assert_eq!(assert_ready!(unknown.poll()), Read::Message(SERVICE_UNKNOWN.to_vec()));
    unknown.ends();
    // Without a drain before it, there is nothing to say.
    let health = serving();
    let mut reader = tokio_test::block_on(Reader::new(&health.grpc_service(), ""));
    reader.sends(SERVING);
    health.end_streams();
    reader.ends();
}

/// GR-14: a check that changes is seen within the interval, in either direction, and each change is sent once.
#[tokio::test(start_paused = true)]
async fn checks() {
    let (health, database) = (serving(), Switch::default());
    health.require("database", database.check()).unwrap();
    let grpc = health.grpc_service();
    let mut reader = Reader::new(&grpc, "").await;
    reader.sends(SERVING);
    assert_eq!(database.asked(), 1);
    for up in [false, true, false, true] {
        database.set_up(up);
        advance(999 * MS).await;
        reader.waits();
        let asked = database.asked();
        advance(2 * MS).await;
        assert!(reader.is_woken());
        reader.sends(if up { SERVING } else { NOT_SERVING });
        assert_eq!(database.asked(), asked + 1);
    }
    // What stays the same is asked and not sent.
    let asked = database.asked();
    for _ in 0..5 {
        advance(SECOND + MS).await;
        assert!(reader.is_woken());
        reader.waits();
    }
    assert_eq!(database.asked(), asked + 5);
    // What has changed and changed back in between is not sent either.
    database.set_up(false);
    database.set_up(true);
    advance(SECOND + MS).await;
    reader.waits();
    // Nobody asks while it drains, and there is no timer.
    let asked = database.asked();
    health.advance(Phase::Draining);
    reader.sends(NOT_SERVING);
    advance(60 * SECOND).await;
    assert!(!reader.is_woken());
    reader.waits();
    assert_eq!(database.asked(), asked);
}

/// GR-14: the interval can be set; one that the clock cannot represent means that only changes are looked at.
#[tokio::test(start_paused = true)]
async fn the_interval() {
    let (health, database) = (serving(), Switch::default());
    health.require("database", database.check()).unwrap();
    let grpc = health.grpc_service();
    let mut never = Reader::new(&grpc.clone().check_interval(Duration::MAX).unwrap(), "").await;
    never.sends(SERVING);
    advance(1_000_000 * SECOND).await;
    assert!(!never.is_woken());
    let mut fast = Reader::new(&grpc.clone().check_interval(20 * MS).unwrap(), "").await;
    fast.sends(SERVING);
    database.set_up(false);
    advance(19 * MS).await;
    fast.waits();
    advance(2 * MS).await;
    fast.sends(NOT_SERVING);
    // It wakes nobody else, but when another polls, it knows.
    assert!(!never.is_woken());
    never.sends(NOT_SERVING);
}

/// GR-14: checks that are added, replaced and removed, and services that are published and withdrawn, are seen at once.
#[tokio::test(start_paused = true)]
async fn what_is_judged_changes() {
    let health = serving();
    let grpc = health.grpc_service();
    let (mut whole, mut cart) = (Reader::new(&grpc, "").await, Reader::new(&grpc, "shop.Cart").await);
    whole.sends(SERVING);
    cart.sends(SERVICE_UNKNOWN);
    health.require("database", || false).unwrap();
    assert!(whole.is_woken());
    whole.sends(NOT_SERVING);
    cart.waits();
    grpc.publish("shop.Cart", &["database"]).unwrap();
    assert!(cart.is_woken());
    cart.sends(NOT_SERVING);
    health.report("database", || false).unwrap();
    whole.sends(SERVING);
    cart.waits();
    health.report("database", || true).unwrap();
    cart.sends(SERVING);
    whole.waits();
    grpc.withdraw("shop.Cart");
    cart.sends(SERVICE_UNKNOWN);
    grpc.publish("shop.Cart", &[]).unwrap();
    cart.sends(SERVING);
    health.report("cache", || false).unwrap();
    cart.waits();
    grpc.publish("shop.Cart", &["cache"]).unwrap();
    cart.sends(NOT_SERVING);
    health.remove("cache");
    cart.sends(SERVING);
    whole.waits();
}

/// GR-14: an asynchronous check is awaited before the first message, and meanwhile a change of phase is seen at once.
#[tokio::test(start_paused = true)]
async fn asynchronous_checks() {
    let (health, runs, up) = (serving(), Arc::new(AtomicUsize::new(0)), Switch::default());
    let (counted, answers) = (Arc::clone(&runs), up.check());
    let answers = Arc::new(answers);
    let database = AsyncCheck::new(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        let answers = Arc::clone(&answers);
        async move {
            sleep(100 * MS).await;
            if answers() { Ok(()) } else { Err(BoxError::from("down")) }
        }
    });
    health.require("database", database).unwrap();
    let grpc = health.grpc_service();
    let mut readers = Vec::new();
    for _ in 0..10 {
        readers.push(Reader::new(&grpc, "").await);
    }
    readers.iter_mut().for_each(Reader::waits);
    advance(100 * MS).await;
    assert!(readers.iter().all(Reader::is_woken));
    readers.iter_mut().for_each(|reader| reader.sends(SERVING));
    assert_eq!(runs.load(Ordering::Relaxed), 1, "one run for all");
    // One that comes later takes what is known.
    readers.push(Reader::new(&grpc, "").await);
    readers[10].sends(SERVING);
    up.set_up(false);
    for round in 2..5 {
        advance(SECOND + MS).await;
        readers.iter_mut().for_each(Reader::waits);
        advance(100 * MS).await;
        match round {
            2 => readers.iter_mut().for_each(|reader| reader.sends(NOT_SERVING)),
            _ => readers.iter_mut().for_each(Reader::waits),
        }
        assert_eq!(runs.load(Ordering::Relaxed), round);
    }
    // The one that drives a run may go away: another goes on with it.
    advance(SECOND + MS).await;
    readers.iter_mut().for_each(Reader::waits);
    up.set_up(true);
    drop(readers.remove(0));
    advance(100 * MS).await;
    readers.iter_mut().for_each(|reader| reader.sends(SERVING));
    assert_eq!(runs.load(Ordering::Relaxed), 5);
    // While a run is under way the phase changes.
    advance(SECOND + MS).await;
    readers.iter_mut().for_each(Reader::waits);
    health.advance(Phase::Draining);
    readers.iter_mut().for_each(|reader| reader.sends(NOT_SERVING));
    health.end_streams();
    readers.iter_mut().for_each(Reader::ends);
}

/// GR-14: 128 may watch, over all clones; one more is refused with 8, at once, until one has gone.
#[tokio::test]
async fn the_most_watchers() {
    let grpc = serving().grpc_service();
    let mut readers = Vec::new();
    for index in 0..128 {
        readers.push(watch(&grpc.clone(), if index % 2 == 0 { "" } else { "unknown" }).await);
    }
    assert_eq!(grpc.watchers(), 128);
    assert_eq!(answer_of(watch(&grpc, "").await).await, refused(8));
    assert_eq!(answer_of(watch(&grpc.clone(), "x").await).await, refused(8));
    assert_eq!(check(&grpc, "").await, said(SERVING), "a check needs no place");
    drop(readers.pop());
    let again = watch(&grpc, "").await;
    assert_eq!((status_in(again.headers()), grpc.watchers()), (None, 128));
    assert_eq!(answer_of(watch(&grpc, "").await).await, refused(8));
    drop((readers, again));
    assert_eq!(grpc.watchers(), 0);
    // Another service of the same health has places of its own; and the number can be set.
    let few = serving().grpc_service().max_watchers(1).unwrap();
    let one = watch(&few, "").await;
    assert_eq!(answer_of(watch(&few.clone(), "").await).await, refused(8));
    drop(one);
}

/// GR-14: a watcher that is dropped at any time leaves nothing behind, and the others go on.
#[tokio::test(start_paused = true)]
async fn dropped() {
    let (health, database) = (serving(), Switch::default());
    health.require("database", database.check()).unwrap();
    let grpc = health.grpc_service();
    let mut stays = Reader::new(&grpc, "").await;
    let (unread, mut waiting, mut woken) =
        (Reader::new(&grpc, "").await, Reader::new(&grpc, "").await, Reader::new(&grpc, "").await);
    for reader in [&mut stays, &mut waiting, &mut woken] {
        reader.sends(SERVING);
    }
    drop((unread, waiting));
    health.advance(Phase::Draining);
    drop(woken);
    stays.sends(NOT_SERVING);
    assert_eq!(grpc.watchers(), 1);
    drop(stays);
    assert_eq!(grpc.watchers(), 0);
}

/// What may happen to a service.
#[derive(Clone, Copy, Debug)]
enum Step {
    Check(bool),
    Require,
    Report,
    Remove,
    Publish(bool),
    Withdraw,
    Advance(Phase),
    Read(usize),
    Tick,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        any::<bool>().prop_map(Step::Check),
        Just(Step::Require),
        Just(Step::Report),
        Just(Step::Remove),
        any::<bool>().prop_map(Step::Publish),
        Just(Step::Withdraw),
        Just(Step::Advance(Phase::Serving)),
        Just(Step::Advance(Phase::Draining)),
        (0..2_usize).prop_map(Step::Read),
        (0..2_usize).prop_map(Step::Read),
        Just(Step::Tick),
    ]
}

/// A naive model: what a service is, looked up anew each time.
#[derive(Default)]
struct Model {
    up: bool,
    /// Whether there is the check, and whether it is required.
    check: Option<bool>,
    /// Whether it is published, and whether with the check.
    published: Option<bool>,
    phase: Option<Phase>,
}

impl Model {
    fn state(&self, whole: bool) -> &'static [u8] {
        let counts = match (whole, self.published) {
            (true, _) => self.check == Some(true),
            (false, None) => return SERVICE_UNKNOWN,
            (false, Some(with_check)) => with_check && self.check.is_some(),
        };
        let serves = self.phase == Some(Phase::Serving);
        if serves && (!counts || self.up) { SERVING } else { NOT_SERVING }
    }
}

proptest! {
    /// GR-14: whatever happens, and whenever it is read, a stream says what is so, once, and never the same twice in a
    /// row; and it is woken for it.
    #[test]
    fn as_the_model_says(steps in vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let (health, switch) = (Health::new(), Switch::default());
            let grpc = health.grpc_service();
            let mut readers = [Reader::new(&grpc, "").await, Reader::new(&grpc, "a").await];
            let mut model = Model { up: true, ..Model::default() };
            let mut said: [Option<Vec<u8>>; 2] = [None, None];
            for step in steps.into_iter().chain([Step::Tick, Step::Read(0), Step::Read(1)]) {
                match step {
                    Step::Check(up) => {
                        switch.set_up(up);
                        model.up = up;
                        // It is seen once the interval is over.
                        advance(SECOND + MS).await;
                    }
                    Step::Require => {
                        health.require("check", switch.check()).unwrap();
                        model.check = Some(true);
                    }
                    Step::Report => {
                        health.report("check", switch.check()).unwrap();
                        model.check = Some(false);
                    }
                    Step::Remove => assert_eq!(health.remove("check"), model.check.take().is_some()),
                    Step::Publish(with_check) => {
                        let published = grpc.publish("a", if with_check { &["check"] } else { &[] });
                        assert_eq!(published.is_ok(), !with_check || model.check.is_some());
                        if published.is_ok() {
                            model.published = Some(with_check);
                        }
                    }
                    Step::Withdraw => assert_eq!(grpc.withdraw("a"), model.published.take().is_some()),
                    Step::Advance(phase) => {
                        if health.advance(phase) {
                            model.phase = Some(phase);
                        }
                    }
                    Step::Tick => advance(SECOND + MS).await,
                    Step::Read(which) => {
                        let expected = model.state(which == 0);
                        if said[which].as_deref() == Some(expected) {
                            readers[which].waits();
                        } else {
                            assert!(said[which].is_none() || readers[which].is_woken());
                            readers[which].sends(expected);
                            said[which] = Some(expected.to_vec());
                        }
                    }
                }
            }
        });
    }
}
