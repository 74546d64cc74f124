//! The handle alone, without tower: around blocking code, around a future, in a `static`, and in an operator's hands.
//!
//! `cargo run --release --example 03_without_tower`
#![allow(clippy::print_stdout, reason = "an example speaks")]

use std::error::Error as StdError;
use std::num::ParseIntError;
use std::sync::LazyLock;

use seaworthy::{CircuitBreaker, Error, Rejected, State, Verdict};

/// One for the whole process: every function that names it shares it. Leaked, because it is never freed anyway, so that
/// calls do not pay for a reference count.
static PARSER: LazyLock<CircuitBreaker> = LazyLock::new(|| {
    let circuit_breaker = CircuitBreaker::builder("parser").consecutive_failures(2).build();
    #[allow(clippy::expect_used, reason = "the settings are fixed, so this fails never or on the first run")]
    circuit_breaker.expect("valid settings").leak()
});

fn main() -> Result<(), Box<dyn StdError>> {
    by_hand()?;
    tokio::runtime::Builder::new_current_thread().build()?.block_on(around_a_future())?;
    by_an_operator()?;
    println!("\nEvery claim held.");
    Ok(())
}

/// `admit` and `settle`, for code that is not async, or whose success only you can judge.
fn by_hand() -> Result<(), Box<dyn StdError>> {
    println!("admit and settle");
    for text in ["1", "one", "two"] {
        let permit = PARSER.admit()?;
        let number = text.parse::<u32>();
        // A permit dropped without being settled counts as an abandoned call; in a panic, as a failed one.
        permit.settle(if number.is_ok() { Verdict::Success } else { Verdict::Failure });
        println!("  {text:?} is {number:?}; the circuit is {}", PARSER.state());
    }
    match PARSER.admit() {
        Err(Rejected::CircuitOpen { name, retry_after }) => {
            println!("  `{name}` lets no call in for {:.1?}", retry_after.get().ok_or("it was not forced open")?);
        }
        other => return Err(format!("two failures in a row should have opened the circuit: {other:?}").into()),
    }
    // Closed, with nothing counted, as if new.
    PARSER.reset();
    assert_eq!(PARSER.state(), State::Closed);
    Ok(())
}

/// `run` admits and settles around one future. Its error type has to have room for the rejection.
async fn around_a_future() -> Result<(), Error<ParseIntError>> {
    println!("\nrun");
    let parse = async |text: &str| PARSER.run(async { text.parse::<u32>().map_err(Error::Inner) }).await;

    println!("  {:?} is {}", "7", parse("7").await?);
    for text in ["seven", "eight", "9"] {
        match parse(text).await {
            Ok(number) => println!("  {text:?} is {number}"),
            Err(Error::Inner(error)) => println!("  {text:?}: {error}"),
            // Rejected: the future passed to `run` was never polled.
            Err(Error::Rejected(rejected)) => println!("  {text:?}: {rejected}"),
        }
    }
    assert_eq!(PARSER.state(), State::Open);
    assert_eq!(PARSER.snapshot().rejected, 2, "one by hand, one here");
    Ok(())
}

/// What an admin page would offer.
fn by_an_operator() -> Result<(), Box<dyn StdError>> {
    println!("\nforce and reset");
    let show = |what: &str| {
        let now = PARSER.snapshot();
        println!("  {what:<14} {:<6} forced: {:<5} rejected so far: {}", now.state, now.forced, now.rejected);
    };
    show("as it is");

    // Holds until released: no timer ends it, so there is no time to tell callers to come back.
    PARSER.force_open();
    let rejection = PARSER.admit().err().ok_or("forced open, and yet it lets a call in")?;
    assert_eq!(rejection.retry_after(), None);
    show("force_open");

    PARSER.force_closed();
    for _ in 0..10 {
        PARSER.admit()?.settle(Verdict::Failure);
    }
    show("force_closed");
    assert!(PARSER.snapshot().forced && PARSER.state() == State::Closed);

    PARSER.reset();
    show("reset");
    assert!(!PARSER.snapshot().forced && PARSER.state() == State::Closed);
    PARSER.admit()?.settle(Verdict::Success);
    Ok(())
}
