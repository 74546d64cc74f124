// One of its examples is over HTTP; documentation shows it with any features, and tests run it with that one.
#![cfg_attr(any(not(doctest), feature = "http"), doc = include_str!("../README.md"))]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![deny(missing_docs)]
#![warn(unreachable_pub, clippy::print_stderr, clippy::print_stdout)]
// No path of a request or a job can panic for lack of a value.
#![cfg_attr(not(test), warn(clippy::expect_used, clippy::unwrap_used))]

mod any;
mod asking;
mod builder;
mod caught;
mod checkpoints;
mod claim;
mod claim_ref;
mod claimed;
mod claimed_in;
mod completion;
mod completion_statement;
mod conclude;
#[cfg(feature = "test-util")]
#[cfg_attr(docsrs, doc(cfg(feature = "test-util")))]
pub mod conformance;
mod decode_error;
mod error;
mod event;
mod held;
mod held_answer;
mod held_claim;
#[cfg(feature = "http")]
#[cfg_attr(docsrs, doc(cfg(feature = "http")))]
pub mod http;
pub mod idempotency;
mod in_transaction;
mod key;
mod key_map;
mod ledger;
mod machine;
mod memory;
mod outcome;
#[cfg(feature = "postgres")]
#[cfg_attr(docsrs, doc(cfg(feature = "postgres")))]
pub mod postgres;
mod record;
mod renewing;
mod request;
mod settings;
mod settling;
#[cfg(feature = "sqlite")]
#[cfg_attr(docsrs, doc(cfg(feature = "sqlite")))]
pub mod sqlite;
pub mod store;
mod unsettled;

pub use any::{AnyLedger, AnyStore};
pub use builder::LedgerBuilder;
pub use checkpoints::{Checkpoints, StepError};
pub use claim::Claim;
pub use claim_ref::ClaimRef;
pub use claimed::Claimed;
pub use claimed_in::{ClaimedIn, FirstClaim};
pub use completion::Completion;
pub use completion_statement::CompletionStatement;
pub use decode_error::DecodeError;
pub use error::LedgerError;
pub use event::Event;
pub use held_answer::Held;
pub use idempotency::codec::Codec;
pub use idempotency::error::IdempotencyError;
pub use idempotency::give_claim::WithClaim;
pub use idempotency::layer::IdempotencyLayer;
pub use idempotency::on_down::OnDown;
pub use key::Key;
pub use ledger::Ledger;
pub use memory::Memory;
pub use outcome::{ClaimOutcome, RenewalOutcome, SettleOutcome};
pub use record::{Entry, EntryState, Kept, Record};
pub use request::ClaimRequest;
pub use seaworthy_store::{ErrorClass, StoreError};
pub use unsettled::Unsettled;
