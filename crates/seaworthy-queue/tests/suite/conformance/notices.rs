//! The suite can fail: each check notices the mistakes that it is there for, and a store without one passes.

use std::future::Future;

use seaworthy_queue::conformance;

use super::naive::{Fault, With};

/// What it panics with.
async fn complaint(check: impl Future<Output = ()> + Send + 'static) -> Option<String> {
    let panic = tokio::spawn(check).await.err()?.into_panic();
    Some(panic.downcast::<String>().map_or_else(|_| "not a text".to_owned(), |text| *text))
}

macro_rules! noticed {
    ($(#[$doc:meta])* $check:ident($($more:expr),*): $($fault:ident)+) => {
        $(#[$doc])*
        #[tokio::test(start_paused = true)]
        async fn $check() {
            let check = async |fault| complaint(async move { conformance::$check(&With(fault), $($more),*).await }).await;
            for fault in [$(Fault::$fault),+] {
                let Some(complaint) = check(fault).await else { panic!("{fault:?} was not noticed") };
                assert!(complaint.contains(": "), "{fault:?}: {complaint}");
            }
            assert_eq!(check(Fault::None).await, None);
        }
    };
}

noticed! {
    /// QU-03: what comes otherwise than it was accepted is noticed.
    jobs_come_as_they_were(): LosesHeaders
}
noticed! {
    /// QU-02: ids that are taken for one another, or forgotten, are noticed.
    ids_are_told_apart(): AcceptsTwice FoldsCase ForgetsDone
}
noticed! {
    /// QU-04, QU-05: a queue that takes some of many, or more than it may, is noticed.
    all_or_none(): AcceptsSome IgnoresLimits
}
noticed! {
    /// QU-06, QU-07: what is delivered early, or cancelled while it runs, is noticed.
    later_is_later(): DeliversEarly CancelsWhatRuns
}
noticed! {
    /// QU-10: more than there is room for, and another order, are noticed.
    room_is_kept(): IgnoresRoom NewestFirst
}
noticed! {
    /// QU-18: abandoned jobs that stay away, or come after new ones, are noticed.
    abandoned_come_back(): NeverComesBack NewBeforeAbandoned
}
noticed! {
    /// QU-22: a job that is delivered for ever is noticed.
    dead_after_the_most(): NeverDies ForgetsReasons
}
noticed! {
    /// QU-16: an asking that is not known again, costs twice, or gives what is another's, is noticed.
    lost_answers_are_repeated(): ForgetsAskings RepeatsForAnybody SpendsOnRepeats
}
noticed! {
    /// QU-16: a repetition whose leases are over early is noticed.
    repetitions_begin_anew(): RepeatsOldLeases
}
noticed! {
    /// QU-22, QU-23: attempts that are counted wrongly, and deferrals that are forgotten, are noticed.
    attempts_are_counted(): SpendsOnDeferrals ForgetsDeferrals
}
noticed! {
    /// QU-24: what is done and stays is noticed.
    done_is_gone(): KeepsDone
}
noticed! {
    /// QU-24: a second settlement that is believed is noticed.
    settled_once(): SettlesTwice SettlesForAnybody
}
noticed! {
    /// QU-66: extensions that move nothing, or bring back what is over, are noticed.
    extensions_keep(): ExtendsNothing RevivesWhatIsOver
}
noticed! {
    /// QU-24, QU-90: a store that settles or extends without looking at the owner and the fence is noticed.
    stale_owners_change_nothing(): SettlesForAnybody ComparesOwnersOnly ExtendsForAnybody
}
noticed! {
    /// QU-41: dead letters in another order are noticed.
    dead_are_listed(): ListsByName
}
noticed! {
    /// QU-41: a redriven job that stays dead, has its attempts behind it, or an old fence, is noticed.
    dead_are_redriven(): RedrivesCopies RedrivesSpent BeginsFencesAnew
}
noticed! {
    /// QU-40: dead letters that are removed unasked are noticed.
    dead_are_swept(): SweepsAll
}
noticed! {
    /// QU-10: a job that goes to two is noticed.
    each_to_one(8, 200): LooksThenTakes
}
noticed! {
    /// QU-26: a job that is lost or doubled while it is put off is noticed.
    parked_and_promoted(6, 40): LooksThenTakes KeepsDone
}

/// QU-90: a store without a mistake passes all of it.
#[tokio::test(start_paused = true)]
async fn no_mistake_is_no_complaint() {
    conformance::run(&With(Fault::None)).await;
}
