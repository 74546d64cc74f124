use http::{Request, Response, StatusCode};
use seaworthy::BoxError;
use seaworthy::http::RespondLayer;
use seaworthy_leader::{EPOCH_HEADER, Epoch, EpochLayer, Epochs, LeaderGuard, LeaderLayer, Local, LocalElector, Term};
use seaworthy_store::time::sleep;
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::doubles::{seconds, settle_down};

async fn echo(request: Request<()>) -> Result<Response<String>, BoxError> {
    let epoch = request.extensions().get::<Epoch>().map(|epoch| epoch.to_string());
    Ok(Response::new(epoch.unwrap_or_default()))
}

/// LE-41: over HTTP the epoch is among the extensions. LE-40: who does not lead answers 503 through `RespondLayer`.
#[tokio::test(start_paused = true)]
async fn le_41_extensions() {
    let elector = LocalElector::builder().build().unwrap();
    let term = elector.campaign("a").await.unwrap();
    let layer = LeaderLayer::new(term.watch()).epoch_in_extensions();
    let service = RespondLayer::new().layer(layer.layer(service_fn(echo)));
    let response = service.clone().oneshot(Request::new(())).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    term.resign().await;
    let response = service.oneshot(Request::new(())).await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
}

/// LE-40: with `redirect_to_hint` it is 307 with the leader's address, and the request's path and query; without one that
/// is known to lead and has a hint, it is rejected as ever.
#[tokio::test(start_paused = true)]
async fn le_40_redirects() {
    for (hint, location) in [
        (Some("10.0.0.9:8080"), Some("http://10.0.0.9:8080/jobs?id=7")),
        (Some("https://leader.example/"), Some("https://leader.example/jobs?id=7")),
        (Some("überall"), None),
        (None, None),
    ] {
        let local = Local::default();
        let other = LocalElector::on(&local);
        let other = hint.map_or(other.clone(), |hint| other.hint(hint)).build().unwrap();
        let leads = other.campaign("a").await.unwrap();
        let elector = LocalElector::on(&local).build().unwrap();
        let guard = LeaderGuard::new(elector.clone(), "a", |term: Term| async move {
            term.ended().requested().await;
            Ok::<(), BoxError>(())
        });
        let layer = LeaderLayer::new(&guard).epoch_in_extensions().redirect_to_hint();
        let mut service = layer.layer(service_fn(echo));
        let request = || Request::post("/jobs?id=7").body(()).unwrap();
        // Nothing is known yet.
        assert!(service.ready().await.unwrap().call(request()).await.is_err());
        let (_trigger, shutdown) = seaworthy::Shutdown::new();
        tokio::spawn(guard.run(shutdown));
        settle_down().await;
        match (service.ready().await.unwrap().call(request()).await, location) {
            (Ok(response), Some(location)) => {
                assert_eq!(response.status(), StatusCode::TEMPORARY_REDIRECT);
                assert_eq!(response.headers()["location"], location);
            }
            (Err(_), None) => {}
            (outcome, _) => panic!("{hint:?}: {outcome:?}"),
        }
        drop(leads);
        sleep(seconds(3)).await;
        let response = service.ready().await.unwrap().call(request()).await.unwrap();
        assert_eq!((response.status(), response.body().as_str()), (StatusCode::OK, "2"));
    }
}

/// LE-54: the remote's side refuses epochs that are lower than the highest it has seen of a name, with 409.
#[tokio::test]
async fn le_54_epochs() {
    let epochs = Epochs::default();
    let service = |layer: EpochLayer| layer.layer(service_fn(echo));
    let ask = |layer: EpochLayer, values: &[&str]| {
        let mut request = Request::new(());
        for value in values {
            request.headers_mut().append(EPOCH_HEADER, value.parse().unwrap());
        }
        let call = service(layer).oneshot(request);
        async move { call.await.unwrap().status().as_u16() }
    };
    let a = EpochLayer::new(epochs.clone(), "a");
    let b = EpochLayer::new(epochs.clone(), "b");
    assert_eq!(ask(a.clone(), &["7"]).await, 200);
    assert_eq!(ask(a.clone(), &["7"]).await, 200);
    assert_eq!(ask(a.clone(), &["6"]).await, 409);
    assert_eq!(ask(b.clone(), &["6"]).await, 200);
    assert_eq!(ask(a.clone(), &["8"]).await, 200);
    assert_eq!(ask(a.clone(), &["7"]).await, 409);
    assert_eq!(
        (epochs.newest("a"), epochs.newest("b"), epochs.newest("c")),
        (Some(Epoch::new(8)), Some(Epoch::new(6)), None)
    );
    // Without the header it passes, unless it is required; what is no epoch is refused, and changes nothing.
    assert_eq!(ask(a.clone(), &[]).await, 200);
    assert_eq!(ask(a.clone().required(), &[]).await, 428);
    for values in [&["x"][..], &["-1"], &["+9"], &[""], &["18446744073709551616"], &["9", "9"]] {
        assert_eq!(ask(a.clone(), values).await, 400, "{values:?}");
    }
    assert_eq!(epochs.newest("a"), Some(Epoch::new(8)));
    assert_eq!(ask(a.clone(), &["18446744073709551615"]).await, 200);
    assert_eq!(http::HeaderValue::from(Epoch::new(u64::MAX)), "18446744073709551615");
}
