//! An inner service that does what the test says.

use std::cell::RefCell;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use seaworthy::{Error, Rejected, Verdict};
use tower::Service;

pub type Response = Result<Verdict, Error<()>>;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Inner {
    Ready,
    Pending,
    Failed,
}

#[derive(Clone, Copy, Debug)]
pub struct Panic;

#[derive(Clone, Copy, Debug)]
pub enum End {
    Answer(Verdict),
    Failed,
    /// A layer below rejected the call.
    Rejected,
    TimedOut,
    Panic,
}

/// The inner service. All clones share their instructions and count how often they were asked.
#[derive(Clone, Default)]
pub struct Backend(pub Rc<RefCell<Script>>);

#[derive(Default)]
pub struct Script {
    pub ready: Option<Inner>,
    pub panics: bool,
    pub answer: Answer,
    pub polled: usize,
    pub called: usize,
}

/// The inner future, which ends when the test says how.
#[derive(Clone, Default)]
pub struct Answer(pub Rc<RefCell<Option<End>>>);

impl Service<()> for Backend {
    type Response = Verdict;
    type Error = Error<()>;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error<()>>> {
        let mut script = self.0.borrow_mut();
        script.polled += 1;
        match script.ready.unwrap() {
            Inner::Ready => Poll::Ready(Ok(())),
            Inner::Pending => Poll::Pending,
            Inner::Failed => Poll::Ready(Err(Error::Inner(()))),
        }
    }

    fn call(&mut self, (): ()) -> Answer {
        let mut script = self.0.borrow_mut();
        script.called += 1;
        if script.panics {
            drop(script);
            resume_unwind(Box::new(()));
        }
        script.answer = Answer::default();
        script.answer.clone()
    }
}

impl Future for Answer {
    type Output = Response;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Response> {
        let Some(end) = self.0.borrow_mut().take() else { return Poll::Pending };
        Poll::Ready(match end {
            End::Answer(verdict) => Ok(verdict),
            End::Failed => Err(Error::Inner(())),
            End::Rejected => Err(Rejected::BulkheadFull { name: "below".into(), retry_after: None.into() }.into()),
            End::TimedOut => Err(Rejected::TimedOut { after: Duration::ZERO.into(), timeout: None }.into()),
            End::Panic => resume_unwind(Box::new(())),
        })
    }
}
