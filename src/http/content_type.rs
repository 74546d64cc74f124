use http::HeaderMap;
use http::header::CONTENT_TYPE;

const GRPC: &[u8] = b"application/grpc";

/// Whether a request or response with these headers is gRPC: its content type is `application/grpc`, alone or followed
/// by `+` or `;` and more. So `application/grpc-web`, whose status is in the body, is not. Of several content types the
/// first counts.
pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    let Some((name, rest)) = headers.get(CONTENT_TYPE).and_then(|value| value.as_bytes().split_at_checked(GRPC.len()))
    else {
        return false;
    };
    name.eq_ignore_ascii_case(GRPC) && matches!(rest.first(), None | Some(b'+' | b';'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(types: &[&'static str]) -> bool {
        let mut headers = HeaderMap::new();
        for value in types {
            headers.append(CONTENT_TYPE, http::HeaderValue::from_static(value));
        }
        is_grpc(&headers)
    }

    /// GR-01: `application/grpc`, alone or followed by `+` or `;` and more, in whatever case, and nothing else.
    #[test]
    fn what_is_grpc() {
        for is in [
            "application/grpc",
            "application/grpc+proto",
            "application/grpc+",
            "application/grpc;charset=utf-8",
            "Application/gRPC+JSON",
        ] {
            assert!(of(&[is]), "{is}");
        }
        for is_not in [
            "",
            "application/grp",
            "application/grpc-web",
            "application/grpc-web+proto",
            "application/grpcx",
            "application/grpc ",
            " application/grpc",
            "application/json",
            "text/application/grpc",
        ] {
            assert!(!of(&[is_not]), "{is_not:?}");
        }
        assert!(!of(&[]));
        assert!(of(&["application/grpc", "text/plain"]) && !of(&["text/plain", "application/grpc"]));
    }
}
