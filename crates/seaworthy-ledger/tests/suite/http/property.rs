use ::http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use bytes::Bytes;
use http_body::Frame;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::{app, ask, body, builder, channel, ledger};

const KEPT: [&str; 4] = ["content-type", "location", "etag", "link"];

#[derive(Clone, Debug)]
struct Answer {
    status: u16,
    headers: Vec<(&'static str, Vec<u8>)>,
    chunks: Vec<Vec<u8>>,
    trailers: Option<Vec<Vec<u8>>>,
    says_its_length: bool,
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![0x20..=0x7e_u8, 0x80..=0xff_u8, Just(b'\t')], 0..20)
}

fn answer() -> impl Strategy<Value = Answer> {
    let names = prop::sample::select(vec!["content-type", "location", "etag", "link", "date", "set-cookie", "x-cost"]);
    let headers = vec((names, value()), 0..8);
    let chunks = vec(vec(any::<u8>(), 0..200), 0..6);
    let trailers = prop::option::of(vec(value(), 1..4));
    let statuses = prop::sample::select(vec![200_u16, 201, 202, 204, 303, 304, 400, 404, 410, 422]);
    (statuses, headers, chunks, trailers, any::<bool>()).prop_map(
        |(status, headers, chunks, trailers, says_its_length)| Answer {
            status,
            headers,
            chunks,
            trailers,
            says_its_length,
        },
    )
}

impl Answer {
    fn fields<'a>(fields: impl IntoIterator<Item = (&'static str, &'a Vec<u8>)>) -> HeaderMap {
        let fields = fields.into_iter();
        fields.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap())).fold(
            HeaderMap::new(),
            |mut map, (name, value)| {
                map.append(name, value);
                map
            },
        )
    }

    fn headers(&self) -> HeaderMap {
        Answer::fields(self.headers.iter().map(|(name, value)| (*name, value)))
    }

    fn trailers(&self) -> Option<HeaderMap> {
        self.trailers.as_ref().map(|values| Answer::fields(values.iter().map(|value| ("sum", value))))
    }

    fn response(&self) -> Response<super::Body> {
        let (send, body) = channel();
        for chunk in &self.chunks {
            send.send(Ok(Frame::data(Bytes::copy_from_slice(chunk)))).unwrap();
        }
        if let Some(trailers) = self.trailers() {
            send.send(Ok(Frame::trailers(trailers))).unwrap();
        }
        let mut response = Response::builder().status(self.status).body(body).unwrap();
        *response.headers_mut() = self.headers();
        if self.says_its_length {
            response.headers_mut().insert("content-length", self.chunks.concat().len().into());
        }
        response
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// IN-09: a request is sent 100 times, its handler is called once, and every repeat is the first answer byte for
    /// byte: status, the headers that are kept, body and trailers.
    #[test]
    fn a_hundred_repeats_are_one_call(answer in answer(), sent in vec(any::<u8>(), 0..300)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let (ledger, _) = ledger();
            let given = answer.clone();
            let (app, calls) = app(&builder(&ledger).build().unwrap(), move |_| {
                let response = given.response();
                async { Ok(response) }
            });
            let whole = answer.chunks.concat();
            for repeat in 0..100 {
                let request = Request::post("/").header("idempotency-key", "a").body(body(sent.clone())).unwrap();
                let told = ask(&app, request).await;
                prop_assert_eq!((told.status.as_u16(), &told.body[..]), (answer.status, &whole[..]));
                prop_assert_eq!(told.trailers.clone(), answer.trailers());
                prop_assert_eq!(told.is_replayed(), repeat > 0);
                for name in KEPT {
                    let [told, first]: [Vec<_>; 2] =
                        [&told.headers, &answer.headers()].map(|map| map.get_all(name).iter().cloned().collect());
                    prop_assert_eq!(told, first);
                }
                prop_assert!(repeat == 0 || ["date", "set-cookie", "x-cost"].iter().all(|name| !told.headers.contains_key(*name)));
            }
            prop_assert_eq!(calls.count(), 1);
            Ok::<(), TestCaseError>(())
        })?;
    }
}
