//! Requests that only the leader serves.

#[cfg(feature = "http")]
mod http;
mod loss;
mod serve;

use seaworthy::BoxError;
use seaworthy_leader::{Fenced, LeaderLayer, LocalElector};
use tower::Layer;
use tower_test::mock::{Handle, Mock, pair};

pub(crate) type Inner = Mock<Fenced<&'static str>, &'static str>;
pub(crate) type Asked = Handle<Fenced<&'static str>, &'static str>;

pub(crate) fn elector() -> LocalElector {
    LocalElector::builder().build().unwrap()
}

pub(crate) fn around<G: Clone, A: Clone>(
    layer: &LeaderLayer<G, A>,
) -> (seaworthy_leader::layer::LeaderService<Inner, G, A>, Asked) {
    let (inner, asked) = pair();
    (layer.layer(inner), asked)
}

pub(crate) fn text(error: BoxError) -> String {
    let rejected = seaworthy::StackError::rejected(&error).unwrap();
    rejected.to_string()
}
