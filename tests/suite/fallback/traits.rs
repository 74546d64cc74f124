//! What the public types are, besides what they do.

use std::cell::Cell;
use std::fmt::Debug;
use std::future::{Future, Ready};
use std::marker::PhantomPinned;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;

use seaworthy::fallback::{FallbackIf, FallbackService, Other, Rejections, ResponseFuture, Value};
use seaworthy::{BoxError, Fallback};
use static_assertions::{assert_impl_all, assert_not_impl_any, assert_obj_safe};

assert_impl_all!(Fallback<Value<u8>>: Clone, Debug, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(FallbackService<Cell<u8>, Other<Cell<u8>>>: Clone, Debug, Send, Unpin);
assert_not_impl_any!(FallbackService<Cell<u8>, Value<u8>>: Sync);
assert_not_impl_any!(FallbackService<u8, Other<Rc<()>>>: Send);
assert_impl_all!(Rejections: Copy, Debug, Default, FallbackIf<BoxError>, Send, Sync);
assert_obj_safe!(FallbackIf<BoxError>);

type Call<F, A> = ResponseFuture<F, A, Rejections, (), u8, BoxError>;
assert_impl_all!(Call<Ready<Result<u8, BoxError>>, Value<u8>>: Future, Debug, Send, Unpin);
assert_not_impl_any!(Call<PhantomPinned, Value<u8>>: Unpin);
assert_not_impl_any!(Call<Rc<()>, Value<u8>>: Send, Clone);
