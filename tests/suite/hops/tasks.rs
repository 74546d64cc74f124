use seaworthy::DeadlineStage;
use seaworthy::http::{InboundLayer, OutboundLayer};
use tokio_test::task::spawn;
use tokio_test::{assert_pending, assert_ready};
use tower::ServiceBuilder;
use tower::buffer::Buffer;
use tower::load_shed::LoadShed;

use super::*;
use crate::support::{MS, SECOND, advance};

/// `Buffer` loses the deadline, because it makes the call in another task, although it hands back the future; the
/// extension carries it across, and `inherit` makes it current again below.
#[tokio::test(start_paused = true)]
async fn x_06_across_a_buffer() {
    let inserts = InboundLayer::builder().insert_extension().build().unwrap();
    let see = service_fn(|request: Request<()>| {
        let (in_call, extension) = (Deadline::current(), request.extensions().get::<Deadline>().copied());
        async move { Ok::<_, BoxError>((in_call, extension)) }
    });
    let loses = ServiceBuilder::new().layer(inserts.clone()).buffer(8).service(see);
    let seen = loses.oneshot(request(&[(TIMEOUT, "300")])).await.unwrap();
    assert_eq!(seen, (None, Some(Deadline::within(300 * MS))));

    let keeps = ServiceBuilder::new().layer(inserts).buffer(8).layer(InboundLayer::inherit());
    let keeps = keeps.service(Below::default().service());
    let seen = keeps.clone().oneshot(request(&[(TIMEOUT, "300")])).await.unwrap();
    assert_eq!(seen.left(), Some(300 * MS));
    assert_eq!(keeps.oneshot(request(&[])).await.unwrap().left(), None);
}

/// it reads no header, which would begin the time anew, and narrows what is current.
#[tokio::test(start_paused = true)]
async fn x_06_inherits_the_extension_only() {
    let inherit = InboundLayer::inherit();
    assert_eq!(through(&inherit, request(&[(TIMEOUT, "300"), (GRPC, "1S")])).await.unwrap().left(), None);
    let with = |time: Duration| {
        let mut request = request(&[(TIMEOUT, "1")]);
        request.extensions_mut().insert(Deadline::within(time));
        request
    };
    assert_eq!(through(&inherit, with(300 * MS)).await.unwrap().left(), Some(300 * MS));
    let current = Deadline::within(20 * MS);
    assert_eq!(current.scope(through(&inherit, with(300 * MS))).await.unwrap().left(), Some(20 * MS));
    assert_eq!(current.scope(through(&inherit, with(10 * MS))).await.unwrap().left(), Some(10 * MS));
    assert_eq!(current.scope(through(&inherit, request(&[]))).await.unwrap().left(), Some(20 * MS));
}

/// what has waited too long in a buffer is rejected below it.
#[tokio::test(start_paused = true)]
async fn x_06_too_late_below_a_buffer() {
    let below = Below::default();
    let (buffer, worker) = Buffer::pair(InboundLayer::inherit().layer(below.service()), 8);
    let service = InboundLayer::builder().insert_extension().build().unwrap().layer(buffer);
    let mut call = spawn(service.oneshot(request(&[(TIMEOUT, "10")])));
    assert_pending!(call.poll());
    advance(10 * MS).await;
    tokio::spawn(worker);
    assert_eq!(stage(&call.await), Some(DeadlineStage::Arrival));
    assert_eq!(below.calls(), 0);
}

/// rejections are answers and never errors of `poll_ready`: neither a buffer ends nor a load shedder sheds, and
/// each goes on with the next request.
#[tokio::test(start_paused = true)]
async fn x_02_under_buffer_and_load_shed() {
    let (inbound, outbound) = (Below::default(), Below::default());
    let buffered = Buffer::new(InboundLayer::new().layer(inbound.service()), 8);
    let shed = LoadShed::new(OutboundLayer::new().layer(outbound.service()));
    for _ in 0..10 {
        let late = buffered.clone().oneshot(request(&[(TIMEOUT, "0")])).await;
        assert_eq!(stage(&late), Some(DeadlineStage::Arrival));
        let late = Deadline::within(Duration::ZERO).scope(shed.clone().oneshot(request(&[]))).await;
        assert_eq!(stage(&late), Some(DeadlineStage::Arrival));
    }
    assert_eq!((inbound.calls(), outbound.calls()), (0, 0));
    assert!(buffered.oneshot(request(&[(TIMEOUT, "1")])).await.is_ok());
    assert!(Deadline::within(SECOND).scope(shed.oneshot(request(&[]))).await.is_ok());
    assert_eq!((inbound.calls(), outbound.calls()), (1, 1));
}

/// X-02, DL-19: dropped before its first poll, while it waits and after its end, nothing is left; a panic below is the
/// caller's.
#[tokio::test(start_paused = true)]
async fn x_02_dropped_and_panicking() {
    let stack = ServiceBuilder::new().layer(InboundLayer::new()).layer(OutboundLayer::new());
    for polls in 0..3 {
        let below = Below::default();
        let mut call = spawn(stack.service(below.service()).oneshot(request(&[(TIMEOUT, "10")])));
        for _ in 0..polls {
            let _ = call.poll();
        }
        drop(call);
        assert_eq!((Deadline::current(), below.calls()), (None, polls.min(1)));
    }
    let panics = stack.service(service_fn(async |_: Request<()>| -> Result<(), BoxError> { panic!("below") }));
    let mut call = spawn(panics.oneshot(request(&[(TIMEOUT, "10")])));
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| call.poll())).is_err());
    assert_eq!(Deadline::current(), None);
    let mut done = spawn(stack.service(Below::default().service()).oneshot(request(&[(TIMEOUT, "0")])));
    assert!(assert_ready!(done.poll()).is_err());
}
