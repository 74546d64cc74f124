use seaworthy::http::JudgedBody;

use super::*;

async fn lines(method: &str, code: u16, length: &str, acts: Vec<Act>, tells_its_end: bool) -> Vec<Line> {
    let (breaker, told) = rig(|builder| builder.consecutive_failures(9));
    let mut response = status(code, Script { acts: acts.into(), tells_its_end, ..Script::default() });
    if !length.is_empty() {
        response.headers_mut().insert(http::header::CONTENT_LENGTH, length.parse().unwrap());
    }
    let mut request = Request::new(response);
    *request.method_mut() = method.parse().unwrap();
    let service = layer(&breaker).check_length().layer(service_fn(answer));
    let mut body: task::Spawn<JudgedBody<Script, _>> = task::spawn(service.oneshot(request).await.unwrap().into_body());
    while !matches!(poll(&mut body).as_str(), "end" | "error leak") {}
    drop(body);
    told.take()
}

/// BO-05: fewer or more bytes than the `content-length` says are a failure, with `check_length` only.
#[tokio::test(start_paused = true)]
async fn checked() {
    let abc = || vec!["ab".into(), Act::Pending, "".into(), "c".into()];
    for tells in [false, true] {
        for (length, line) in [("3", SUCCESS), ("2", FAILURE), ("4", FAILURE), ("0", FAILURE), ("", SUCCESS)] {
            assert_eq!(lines("GET", 200, length, abc(), tells).await, [line], "{length}");
        }
        // Trailers do not count, and end it as well.
        assert_eq!(lines("POST", 201, "1", vec!["a".into(), Act::Trailers], tells).await, [SUCCESS]);
        assert_eq!(lines("POST", 201, "2", vec!["a".into(), Act::Trailers], tells).await, [FAILURE]);
        // Nothing is too little, too.
        assert_eq!(lines("GET", 200, "1", vec![], tells).await, [FAILURE]);
        assert_eq!(lines("GET", 200, "0", vec![], tells).await, [SUCCESS]);
    }
    let (breaker, told) = plain();
    let mut response = Response::new(script(["a".into()]));
    response.headers_mut().insert(http::header::CONTENT_LENGTH, "9".parse().unwrap());
    let mut body = task::spawn(respond(&layer(&breaker), response).await.into_body());
    assert_eq!(polls(&mut body), ["data a", "end"]);
    assert_eq!(told.take(), [SUCCESS]);
}

/// BO-05: what has no body by its nature has no length to keep; nor has one whose header says nothing.
#[tokio::test(start_paused = true)]
async fn not_checked() {
    for (method, code) in [("HEAD", 200), ("GET", 204), ("GET", 304)] {
        assert_eq!(lines(method, code, "9", vec![], true).await, [SUCCESS], "{method} {code}");
    }
    for length in ["x", "+1", "-1", "1,1", " ", "99999999999999999999999"] {
        assert_eq!(lines("GET", 200, length, vec![], true).await, [SUCCESS], "{length}");
    }
    assert_eq!(lines("GET", 200, "18446744073709551615", vec![], true).await, [FAILURE]);
}

/// BO-05: an error stays an error, and a reader who hangs up in the middle is none, unless it was too much already.
#[tokio::test(start_paused = true)]
async fn other_ends() {
    assert_eq!(lines("GET", 200, "9", vec!["a".into(), error()], false).await, [FAILURE]);
    for (length, line) in [("9", IGNORED), ("2", IGNORED), ("1", FAILURE)] {
        let (breaker, told) = plain();
        let mut response = Response::new(script(["ab".into(), "c".into()]));
        response.headers_mut().insert(http::header::CONTENT_LENGTH, length.parse().unwrap());
        let service = layer(&breaker).check_length().layer(service_fn(answer));
        let mut body = task::spawn(service.oneshot(Request::new(response)).await.unwrap().into_body());
        assert_eq!(polls(&mut body), ["data ab"]);
        drop(body);
        assert_eq!(told.take(), [line], "{length}");
    }
}
