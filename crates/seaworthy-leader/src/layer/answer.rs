use crate::guard::LeaderWatch;

/// What a process that does not lead answers, in place of the rejection.
pub trait AnswerFollower<R, T> {
    /// None: the request is rejected.
    fn answer(&self, request: &R, watch: &LeaderWatch) -> Option<T>;
}

/// Rejects. The default.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reject(());

impl<R, T> AnswerFollower<R, T> for Reject {
    #[inline]
    fn answer(&self, _: &R, _: &LeaderWatch) -> Option<T> {
        None
    }
}

/// Sends the client to the leader: see [`LeaderLayer::redirect_to_hint`](crate::LeaderLayer::redirect_to_hint).
#[cfg(feature = "http")]
#[cfg_attr(docsrs, doc(cfg(feature = "http")))]
#[derive(Clone, Copy, Debug, Default)]
pub struct RedirectToHint(());

#[cfg(feature = "http")]
#[cfg_attr(docsrs, doc(cfg(feature = "http")))]
impl<A, B: Default> AnswerFollower<http::Request<A>, http::Response<B>> for RedirectToHint {
    fn answer(&self, request: &http::Request<A>, watch: &LeaderWatch) -> Option<http::Response<B>> {
        let hint = watch.leader()?.hint?;
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        let scheme = if hint.contains("://") { "" } else { "http://" };
        let location = format!("{scheme}{}{path}", hint.trim_end_matches('/'));
        // What is no address is not sent to anybody.
        let location: http::Uri = location.parse().ok()?;
        let location = http::HeaderValue::try_from(location.to_string()).ok()?;
        let mut response = http::Response::new(B::default());
        *response.status_mut() = http::StatusCode::TEMPORARY_REDIRECT;
        response.headers_mut().insert(http::header::LOCATION, location);
        Some(response)
    }
}
