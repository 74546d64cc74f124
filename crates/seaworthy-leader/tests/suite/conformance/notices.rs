//! The suite can fail: each check notices the mistakes that it is there for, and a store without one passes.

use std::future::Future;

use seaworthy_leader::conformance;

use super::naive::{Fault, With};

/// What it panics with.
async fn complaint(check: impl Future<Output = ()> + Send + 'static) -> Option<String> {
    let panic = tokio::spawn(check).await.err()?.into_panic();
    Some(panic.downcast::<String>().map_or_else(|_| "not a text".to_owned(), |text| *text))
}

macro_rules! noticed {
    ($(#[$doc:meta])* $check:ident($($more:expr),*), $number:literal: $($fault:ident)+) => {
        $(#[$doc])*
        #[tokio::test(start_paused = true)]
        async fn $check() {
            let check = async |fault| complaint(async move { conformance::$check(&With(fault), $($more),*).await }).await;
            for fault in [$(Fault::$fault),+] {
                let Some(complaint) = check(fault).await else { panic!("{fault:?} was not noticed") };
                assert!(complaint.starts_with(concat!($number, ": ")), "{fault:?}: {complaint}");
            }
            assert_eq!(check(Fault::None).await, None);
        }
    };
}

noticed! {
    /// LE-10: a store that never takes over what is free or over is noticed.
    free_leases_are_granted(), "LE-10": NeverTakesOver NeverFrees RepeatsEpochs DeletesReleased RenewsNothing
}
noticed! {
    /// LE-02: grants while held, and refusals that change or hide something, are noticed.
    live_leases_are_held(), "LE-02": GrantsWhileHeld TellsTheWholeLease LengthensWhenRefused HidesHints
}
noticed! {
    /// LE-03: epochs that come twice, or forget what was seen, are noticed.
    epochs_grow(), "LE-03": RepeatsEpochs ForgetsSeen DeletesReleased
}
noticed! {
    /// LE-15: whoever does not know a term again, or lets the lost epoch live on, is noticed.
    lost_answers_are_granted(), "LE-15": ForgetsTerms KeepsEpochOfLostAnswers ComparesTermsOnly
}
noticed! {
    /// LE-08: names that are taken for one another are noticed.
    names_are_told_apart(), "LE-08": FoldsCase
}
noticed! {
    /// LE-11: renewals that move nothing, add up, are for anybody, or change more than the end, are noticed.
    renewals_move_the_end(), "LE-11":
        RenewsNothing AddsToTheEnd RenewsForAnybody ComparesTermsOnly RenewalsMakeRows RenewalsForgetHolders
}
noticed! {
    /// LE-12: a lease that is over and is renewed, or shown, is noticed.
    over_leases_are_not_renewed(), "LE-12": RenewsWhatIsOver ShowsWhatIsOver
}
noticed! {
    /// LE-14: releases of what is another's, and those that free nothing, are noticed.
    released_is_free(), "LE-14": ReleasesForAnybody NeverFrees DeletesReleased
}
noticed! {
    /// LE-13: late statements that do something, and a row clock that stands still, are noticed.
    late_statements_do_nothing(), "LE-13": AcquiresTooLate RenewsTooLate StopsTheClock
}
noticed! {
    /// LE-37: statements for many that are not are noticed.
    many_in_one_statement(), "LE-37": AnswersOutOfOrder RenewsAHundred
}
noticed! {
    /// LE-02: a store that looks first and grants then has several leaders, which is noticed.
    one_leader(8), "LE-02": LooksThenGrants GrantsWhileHeld RepeatsEpochs
}
noticed! {
    /// IN-15: a lock that a dropped future leaves behind is noticed.
    dropped_anywhere(), "IN-15": StaysLockedWhenDropped
}
noticed! {
    /// LE-02: an elector with two leaders is noticed.
    one_term_at_a_time(8), "LE-02": LooksThenGrants GrantsWhileHeld
}
noticed! {
    /// LE-01: an elector that grants what another leads is noticed.
    campaigns_wait(), "LE-01": GrantsWhileHeld
}
noticed! {
    /// LE-03: an elector whose epochs repeat, or begin again, is noticed.
    epochs_of_terms_grow(), "LE-03": RepeatsEpochs
}
noticed! {
    /// LE-04: an elector whose resigned terms are not free is noticed.
    resigned_is_over(), "LE-04": NeverFrees
}
noticed! {
    /// LE-08: an elector that shows leaders that are gone is noticed.
    followers_read(), "LE-08": ShowsWhatIsOver NeverFrees
}
noticed! {
    /// LE-09: an elector that gives one process the same name twice is noticed.
    same_process_waits(), "LE-09": GrantsWhileHeld
}

/// LE-01: a store without a mistake passes all of it.
#[tokio::test(start_paused = true)]
async fn no_mistake_is_no_complaint() {
    conformance::run(&With(Fault::None)).await;
    conformance::run_elector(&With(Fault::None)).await;
}
