//! Ours, too: what older checkouts do not have, so that they can be compared with in all else.

use std::time::Duration;

use seaworthy::{Backoff, RetryPolicy};
use tower::Layer;

use crate::kit::{Flaky, passes};

pub fn first_try_free_leaked() -> impl FnMut() -> bool {
    let builder = RetryPolicy::builder("bench").backoff(Backoff::constant(Duration::ZERO)).no_budget();
    passes(builder.build().expect("the settings are valid").leak().layer().layer(Flaky::new(1)))
}
