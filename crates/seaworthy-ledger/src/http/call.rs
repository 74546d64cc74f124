//! One request with a key, from its claim to the head of its response.

use std::any::Any;
use std::fmt::Display;
use std::future::poll_fn;
use std::sync::Arc;

use http::header::CONTENT_LENGTH;
use http::{Request, Response};
use http_body::Body;
use seaworthy::{BoxError, Context, Rejected, Shutdown, StackError};
use seaworthy_store::tasks::Running;
use seaworthy_store::time::now;
use tower_service::Service;

use super::idempotency_key::IdempotencyKey;
use super::keeping::Keeping;
use super::key_body::KeyBody;
use super::layer::Shared;
use super::not_kept::NotKept;
use super::problem::Problem;
use super::request_body::RequestBody;
use super::stored::{self, Keep};
use super::unless::unless;
use super::watch::{Watch, complete};
use crate::caught::{Payload, caught, panicked};
use crate::claim::Claim;
use crate::claimed::Claimed;
use crate::conclude::{Conclusion, conclude};
use crate::held_claim::HeldClaim;
use crate::request::ClaimRequest;
use crate::store::LedgerStore;

/// What there is to do.
pub(super) struct Call<S, I, B> {
    pub(super) layer: Arc<Shared<S>>,
    pub(super) claim: ClaimRequest,
    pub(super) request: Request<RequestBody<B>>,
    /// Not ready yet.
    pub(super) service: I,
    /// What was current where the request came in.
    pub(super) context: Context,
    pub(super) running: Running,
}

/// What the client is given.
#[expect(clippy::large_enum_variant, reason = "nearly all are the largest one")]
pub(super) enum Answer<B, E> {
    Response(Response<KeyBody<B>>),
    Failed(E),
    Panicked(Payload),
}

/// How the inner service's call ended.
enum Outcome<R, E> {
    NotReady(E),
    Called(Result<R, E>),
    Lost,
    Panicked(Payload),
}

impl<S: LedgerStore, I, B> Call<S, I, B> {
    pub(super) async fn answer<R>(self) -> (Answer<R, I::Error>, Option<Watch<S, R>>)
    where
        I: Service<Request<RequestBody<B>>, Response = Response<R>>,
        I::Error: Display + 'static,
        R: Body,
    {
        let Call { layer, claim, request, service, context, running } = self;
        let problem = match layer.ledger.claim_in_turn(claim).await {
            Ok(Claimed::Mine(claim)) => return work(layer, claim, request, service, context, running).await,
            Ok(Claimed::Done(record)) => match stored::replayed(&record) {
                Some(response) => return (Answer::Response(response), None),
                None => Problem::NotKept,
            },
            Ok(Claimed::Busy { retry_in }) => Problem::Outstanding(retry_in),
            Ok(Claimed::Mismatch) => Problem::Mismatch,
            Err(_told) => Problem::Unavailable,
        };
        (Answer::Response(layer.settings.problem(problem)), None)
    }
}

async fn work<S, I, B, R>(
    layer: Arc<Shared<S>>,
    mut claim: Claim<S>,
    mut request: Request<RequestBody<B>>,
    service: I,
    context: Context,
    running: Running,
) -> (Answer<R, I::Error>, Option<Watch<S, R>>)
where
    S: LedgerStore,
    I: Service<Request<RequestBody<B>>, Response = Response<R>>,
    I::Error: Display + 'static,
    R: Body,
{
    let lost = claim.hold();
    let (key, fence, is_first) = (claim.key().clone(), claim.fence(), claim.is_first());
    request.extensions_mut().insert(IdempotencyKey { key, fence, is_first, lost: lost.clone() });
    request.extensions_mut().insert((*claim).clone());
    let mut held = HeldClaim::new(claim);
    let outcome = called(&mut held, &lost, context, service, request).await;
    let Some(claim) = held.into_claim() else { return (Answer::Response(unavailable(&layer)), None) };
    match outcome {
        Outcome::NotReady(error) => {
            let _recorded = conclude(claim, Conclusion::Release).await;
            (Answer::Failed(error), None)
        }
        Outcome::Called(Err(error)) => {
            let turned_away = was_turned_away(&error);
            let conclusion = if turned_away { Conclusion::Release } else { Conclusion::Fail(error.to_string()) };
            let _recorded = conclude(claim, conclusion).await;
            (Answer::Failed(error), None)
        }
        // Nobody knows how far it came: the key is free when the lease is over, or somebody has it already.
        Outcome::Lost => (Answer::Response(unavailable(&layer)), None),
        Outcome::Panicked(payload) => {
            let _recorded = conclude(claim, Conclusion::Fail(panicked(&*payload))).await;
            (Answer::Panicked(payload), None)
        }
        Outcome::Called(Ok(response)) => answered(&layer, claim, lost, response, running).await,
    }
}

/// Calls a service once it is ready.
async fn called<S, I, B>(
    held: &mut HeldClaim<S>,
    lost: &Shutdown,
    context: Context,
    mut service: I,
    request: Request<RequestBody<B>>,
) -> Outcome<I::Response, I::Error>
where
    S: LedgerStore,
    I: Service<Request<RequestBody<B>>>,
{
    let call = async {
        if let Err(error) = poll_fn(|cx| service.poll_ready(cx)).await {
            return Outcome::NotReady(error);
        }
        held.begin();
        Outcome::Called(service.call(request).await)
    };
    match caught(unless(lost.requested(), context.scope(call))).await {
        Ok(Some(outcome)) => outcome,
        Ok(None) => Outcome::Lost,
        Err(payload) => Outcome::Panicked(payload),
    }
}

/// Settles the claim by the head of the response, or leaves that to its body.
async fn answered<S: LedgerStore, B: Body, E>(
    layer: &Shared<S>,
    claim: Claim<S>,
    lost: Shutdown,
    response: Response<B>,
    running: Running,
) -> (Answer<B, E>, Option<Watch<S, B>>) {
    let settings = &layer.settings;
    let (head, body) = response.into_parts();
    // What comes after an informational head is not a response.
    if head.status.is_informational() || !(settings.keep_if)(&head) {
        let reason = format!("status {}", head.status.as_u16());
        let _recorded = conclude(claim, Conclusion::Fail(reason)).await;
        return (Answer::Response(Response::from_parts(head, KeyBody::passed(body))), None);
    }
    let size = body.size_hint();
    let header = head.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let announced = header.or(size.exact());
    let max_response = settings.max_response;
    let keep = if size.lower() > max_response as u64 {
        Err(NotKept::TooLong)
    } else {
        Keep::begin(&head, &settings.kept_headers, max_response, announced)
    };
    match keep {
        // A server does not ask such a body for its end.
        Ok(keep) if body.is_end_stream() => complete(claim, keep.finish(None)).await,
        Ok(keep) => {
            let (keeping, told) = Keeping::new(body, keep, settings.runs_to_end);
            let until = now() + claim.lease();
            let watch = Watch { claim, lost, until, told, running };
            return (Answer::Response(Response::from_parts(head, KeyBody::keeping(keeping))), Some(watch));
        }
        Err(reason) => complete(claim, Err(reason)).await,
    }
    (Answer::Response(Response::from_parts(head, KeyBody::passed(body))), None)
}

fn unavailable<S, B>(layer: &Shared<S>) -> Response<KeyBody<B>> {
    layer.settings.problem(Problem::Unavailable)
}

/// Whether a layer below says that the handler was not called.
fn was_turned_away<E: 'static>(error: &E) -> bool {
    let error: &dyn Any = error;
    match (error.downcast_ref::<BoxError>(), error.downcast_ref::<Rejected>()) {
        (Some(error), _) => error.is_before_call(),
        (None, Some(rejected)) => rejected.is_before_call(),
        (None, None) => false,
    }
}
