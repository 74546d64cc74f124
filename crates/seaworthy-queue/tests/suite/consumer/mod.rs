mod basics;

use seaworthy_queue::Job;

#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Number(pub(crate) u64);

impl Job for Number {
    const KIND: &str = "number";
}
