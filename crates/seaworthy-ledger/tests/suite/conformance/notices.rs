//! The suite can fail: each check notices the mistakes that it is there for, and a store without one passes.

use std::future::Future;

use seaworthy_ledger::conformance;

use super::fault::Fault;
use super::naive::With;

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
    /// LG-01: a store that never takes what is stale or failed, or repeats a fence, is noticed.
    free_keys_are_granted(), "LG-01": NeverTakesStale NeverTakesFailed RepeatsFences
}
noticed! {
    /// LG-02: grants while busy, a time that does not run down, and leases that grow when they are asked for are noticed.
    live_lease_is_busy(), "LG-02": GrantsWhileBusy TellsTheWholeLease LengthensWhenRefused
}
noticed! {
    /// LG-03: grants of what is done, results that are cut, and lost content types are noticed.
    done_is_answered_to_everybody(), "LG-03": GrantsDone CutsResults ForgetsContentTypes
}
noticed! {
    /// LG-12: whoever does not know the owner again, or counts a lost answer twice, is noticed.
    lost_answer_is_granted(), "LG-12": ForgetsOwners TakesLateAskings CountsLostAnswers
}
noticed! {
    /// LG-16: keys that are taken for one another are noticed.
    keys_are_told_apart(), "LG-16": FoldsCase JoinsScopeAndValue
}
noticed! {
    /// LG-04: forgotten fingerprints are noticed.
    other_fingerprint_mismatches(), "LG-04": ForgetsFingerprints
}
noticed! {
    /// LG-04: a failed key that keeps its fingerprint, or the steps that went with it, is noticed.
    failed_key_takes_fingerprint(), "LG-04": MismatchesFailed KeepsOldFingerprints KeepsStepsOfOthers
}
noticed! {
    /// LG-06: a renewal that moves nothing, or adds, is noticed.
    renewal_moves_end(), "LG-06": RenewsNothing AddsToTheEnd
}
noticed! {
    /// LG-06: renewals of what is over, and by anybody, are noticed.
    over_lease_is_not_renewed(), "LG-06": RenewsWhatIsOver RenewsForAnybody ComparesFencesOnly
}
noticed! {
    /// LG-06: answers in another order, and renewals that were left out, are noticed.
    many_renewals_at_once(), "LG-06": AnswersOutOfOrder RenewsAHundred
}
noticed! {
    /// LG-07: a late completion that is refused, or takes the key from who has it, is noticed.
    over_lease_is_settled(), "LG-07": RefusesLateCompletions SettlesForAnybody
}
noticed! {
    /// LG-08: lost reasons are noticed.
    failed_key_is_free(), "LG-08": ForgetsReasons NeverTakesFailed HidesFailures
}
noticed! {
    /// LG-08: a released grant that is counted is noticed.
    released_key_is_uncounted(), "LG-08": CountsWhatWasReleased
}
noticed! {
    /// LG-10: a second settling that counts, or that is told to be lost, is noticed.
    settled_twice(), "LG-10": SettlesAgain LosesTheSecondSettling
}
noticed! {
    /// LG-10: a store that settles without a look at the owner is noticed.
    stale_owners_change_nothing(200), "LG-10": SettlesForAnybody RenewsForAnybody StoresStepsOfAnybody
}
noticed! {
    /// LG-10: a store that looks first and settles then is noticed.
    settled_at_once(), "LG-10": LooksThenSettles
}
noticed! {
    /// LG-27: ranks that are ignored, or are enough when they are equal, are noticed.
    higher_rank_takes(), "LG-27": IgnoresRanks TakesEqualRanks
}
noticed! {
    /// LG-17: a first start that moves, and failures that are hidden, are noticed.
    lookup_tells(), "LG-17": MovesTheFirstStart HidesFailures ForgetsReasons
}
noticed! {
    /// LG-17: a wrong count is noticed.
    stale_rows_are_counted(), "LG-17": CountsAllAsStale
}
noticed! {
    /// LG-05: fences that go on after retention, and owners that are not compared, are noticed.
    fences_start_again(), "LG-05": FencesGoOn ComparesFencesOnly SweepsNothing
}
noticed! {
    /// LG-18: every other way to sweep is noticed.
    sweep_removes_what_is_over(), "LG-18": SweepsNothing SweepsMoreThanAsked SweepsNewestFirst SweepsWhatRunsAgain ForgetsForEver
}
noticed! {
    /// WF-10: steps that are overwritten, or shared by keys, are noticed.
    steps_are_stored_once(), "WF-10": OverwritesSteps SharesSteps
}
noticed! {
    /// WF-11: steps of those who lost the key are noticed.
    lost_claim_stores_no_step(), "WF-11": StoresStepsOfAnybody
}
noticed! {
    /// WF-15: steps that outlive their row are noticed.
    steps_go_with_their_row(), "WF-15": KeepsStepsForEver
}
noticed! {
    /// IN-07: a store that looks first and grants then has several winners, which is noticed; so are repeated fences.
    one_winner(8), "IN-07": LooksThenGrants GrantsWhileBusy RepeatsFences
}
noticed! {
    /// IN-15: what is left behind by a future that was dropped is noticed: a lock, half of what it asked for.
    dropped_anywhere(), "IN-15": StaysLockedWhenDropped SettlesInTwoSteps
}
noticed! {
    /// IN-08: the model notices by itself what the checks are there for.
    history(1, 300), "IN-08":
        NeverTakesStale NeverTakesFailed RepeatsFences GrantsWhileBusy GrantsDone ForgetsOwners CountsLostAnswers
        ForgetsFingerprints MismatchesFailed KeepsOldFingerprints KeepsStepsOfOthers RenewsNothing RenewsWhatIsOver
        RenewsForAnybody RefusesLateCompletions ForgetsReasons CountsWhatWasReleased SettlesAgain LosesTheSecondSettling
        SettlesForAnybody ComparesFencesOnly IgnoresRanks TakesEqualRanks HidesFailures FencesGoOn SweepsNothing
        ForgetsForEver OverwritesSteps SharesSteps StoresStepsOfAnybody KeepsStepsForEver
}

/// LG-21: a store without a mistake passes all of it, and so do the histories.
#[tokio::test(start_paused = true)]
async fn no_mistake_is_no_complaint() {
    conformance::run(&With(Fault::None)).await;
}
