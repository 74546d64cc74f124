use std::future::{pending, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use seaworthy::fallback::{FallbackIf, Rejections};
use seaworthy::{BoxError, Error, Fallback, Rejected};
use tokio_test::{assert_pending, assert_ready, assert_ready_err, assert_ready_ok, task};
use tower::{Layer, Service, ServiceExt, service_fn};

use super::{Told, fell_back, full};

fn broken() -> BoxError {
    "broken".into()
}

/// FB-01: a response of the inner service passes, whatever it is, and no event is sent.
#[tokio::test]
async fn fb_01_an_answer_passes() {
    let told = Told::default();
    let layer = told.by(Fallback::value("spare", "spare")).when(|_: &BoxError| true).build().unwrap();
    let service = layer.layer().layer(service_fn(async |request: &'static str| Ok::<_, BoxError>(request)));
    assert_eq!(service.oneshot("fresh").await.unwrap(), "fresh");
    assert_eq!(layer.run(ready(Ok::<_, BoxError>("fresh"))).await.unwrap(), "fresh");
    assert!(told.take().is_empty());
}

/// FB-02: by default all rejections are covered, and none of the backend's own errors.
#[tokio::test]
async fn fb_02_rejections_are_covered() {
    let told = Told::default();
    let layer = told.by(Fallback::value("spare", 7)).build().unwrap();
    let rejections = [
        Rejected::CircuitOpen { name: "ship".into(), retry_after: None.into() },
        Rejected::BulkheadFull { name: "ship".into(), retry_after: None.into() },
        Rejected::NotReady { reason: "ship".into(), retry_after: None.into() },
        Rejected::TimedOut { after: Duration::from_secs(1).into(), timeout: None },
    ];
    for rejected in rejections {
        assert!(layer.covers::<BoxError>(&rejected.clone().into()));
        assert!(layer.covers(&Error::<&str>::Rejected(rejected.clone())));
        assert_eq!(layer.run(ready(Err::<_, BoxError>(rejected.into()))).await.unwrap(), 7);
        assert_eq!(told.take().len(), 1);
    }
    assert!(!layer.covers(&broken()));
    assert!(!layer.covers(&Error::Inner("broken")));
    assert_eq!(layer.run(ready(Err::<i32, _>(broken()))).await.unwrap_err().to_string(), "broken");
    assert!(told.take().is_empty());
}

/// FB-02: `when` decides alone, and can ask the default.
#[tokio::test]
async fn fb_02_when() {
    let only_broken = |error: &BoxError| error.to_string() == "broken";
    let layer = Fallback::value("spare", 7).when(only_broken).build().unwrap();
    assert!(layer.covers(&broken()) && !layer.covers(&full()));
    assert_eq!(layer.run(ready(Err::<_, BoxError>(broken()))).await.unwrap(), 7);
    let error = layer.run(ready(Err::<i32, _>(full()))).await.unwrap_err();
    assert!(error.is::<Rejected>(), "it is the very error");

    let both = move |error: &BoxError| only_broken(error) || Rejections.covers(error);
    let layer = Fallback::value("spare", 7).when(both).build().unwrap();
    assert!(layer.covers(&broken()) && layer.covers(&full()) && !layer.covers(&"other".into()));
}

/// FB-02: an error that cannot hold a rejection will do if `when` says what is covered.
#[tokio::test]
async fn fb_02_any_error_type() {
    let layer = Fallback::value("spare", 7).when(|error: &String| error.is_empty()).build().unwrap();
    assert_eq!(layer.run(ready(Err(String::new()))).await, Ok(7));
    assert_eq!(layer.run(ready(Err(String::from("x")))).await, Err(String::from("x")));
}

/// FB-03: a value is not cloned unless it is needed.
#[tokio::test]
async fn fb_03_a_value() {
    #[derive(Debug)]
    struct Counted(Arc<AtomicU32>);

    impl Clone for Counted {
        fn clone(&self) -> Counted {
            self.0.fetch_add(1, Ordering::Relaxed);
            Counted(Arc::clone(&self.0))
        }
    }

    let clones = Arc::<AtomicU32>::default();
    let layer = Fallback::value("spare", Counted(Arc::clone(&clones))).build().unwrap();
    let mut service = layer.layer().layer(service_fn(async |fails: bool| match fails {
        true => Err(full()),
        false => Ok(Counted(Arc::default())),
    }));
    for _ in 0..3 {
        service.ready().await.unwrap().call(false).await.unwrap();
    }
    drop(service.clone());
    assert_eq!(clones.load(Ordering::Relaxed), 0);
    assert!(Arc::ptr_eq(&service.ready().await.unwrap().call(true).await.unwrap().0, &clones));
    assert_eq!(clones.load(Ordering::Relaxed), 1);
}

/// FB-04: a function gets the error itself, and may return it; one that asked for the request gets a copy.
#[tokio::test]
async fn fb_04_functions() {
    let told = Told::default();
    let function = |error: BoxError| match error.downcast::<Rejected>() {
        Ok(rejected) => Ok(rejected.to_string()),
        Err(other) => Err(other),
    };
    let layer = told.by(Fallback::function("spare", function)).when(|_: &BoxError| true).build().unwrap();
    assert_eq!(layer.run(ready(Err(full()))).await.unwrap(), "bulkhead `ship` is full");
    assert_eq!(layer.run(ready(Err(broken()))).await.unwrap_err().to_string(), "broken");
    assert_eq!(told.take(), [fell_back(), r#"spare: broken, "broken""#.into()]);

    let function = |error: BoxError, request: String| Ok::<_, BoxError>(format!("{request}: {error}"));
    let layer = told.by(Fallback::request_function("spare", function)).build().unwrap();
    let service = layer.layer().layer(service_fn(async |_: String| Err(full())));
    assert_eq!(service.oneshot("seven".into()).await.unwrap(), "seven: bulkhead `ship` is full");
    assert_eq!(told.take(), [fell_back()]);
}

/// FB-05: a request that cannot be copied has no fallback: the caller gets the error, and no event is sent.
#[tokio::test]
async fn fb_05_no_copy() {
    let told = Told::default();
    let only_even = |request: &u32| (request % 2 == 0).then_some(*request);
    let function = |_: BoxError, request: u32| Ok::<_, BoxError>(request);
    let layer = told.by(Fallback::request_function("spare", function)).replay(only_even).build().unwrap();
    let service = layer.layer().layer(service_fn(async |_: u32| Err::<u32, _>(full())));
    assert_eq!(service.clone().oneshot(2).await.unwrap(), 2);
    assert_eq!(told.take(), [fell_back()]);
    assert!(service.oneshot(3).await.unwrap_err().is::<Rejected>());
    assert!(told.take().is_empty());
}

/// FB-09: without tower; there is no request, so another service gets none to work from.
#[tokio::test]
async fn fb_09_run() {
    let other = service_fn(async |(): ()| Ok::<_, BoxError>("spare"));
    let layer = Fallback::service("spare", other).build().unwrap();
    assert_eq!(layer.run(ready(Err(full()))).await.unwrap(), "spare");
    let mut waits = task::spawn(layer.run(pending::<Result<&str, BoxError>>()));
    assert_pending!(waits.poll());
    assert!(format!("{waits:?}").contains("calling"));
    let mut answers = task::spawn(layer.run(ready(Err(full()))));
    assert_eq!(assert_ready_ok!(answers.poll()), "spare");
    let mut fails = task::spawn(layer.run(ready(Err(broken()))));
    assert_eq!(assert_ready_err!(fails.poll()).to_string(), "broken");
    let value = Fallback::value("spare", 7).build().unwrap();
    assert_eq!(assert_ready!(task::spawn(value.run(ready(Err::<_, BoxError>(full())))).poll()).unwrap(), 7);
}

/// FB-10: the name must not be empty.
#[test]
fn fb_10_a_name_is_needed() {
    let error = Fallback::value("", 7).build().unwrap_err();
    assert_eq!((error.field(), error.rule()), ("name", "must not be empty"));
    assert_eq!(Fallback::value("spare", 7).build().unwrap().name(), "spare");
}
