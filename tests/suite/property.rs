//! Circuit breakers and their models under the same random operations.

mod backend;
mod service;

use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestCaseError;
use seaworthy::{OnDrop, Verdict};

use crate::model::{Config, Op, Open, Share, Step, Watch, Window, drive};
use crate::support::{MS, SECOND};

const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

fn verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![
        3 => Just(Verdict::Success),
        5 => Just(Verdict::Failure),
        1 => Just(Verdict::Throttled),
        1 => Just(Verdict::Ignored),
    ]
}

fn share() -> impl Strategy<Value = Share> {
    select(vec![
        Share(1, 100),
        Share(1, 10),
        Share(1, 3),
        Share(1, 2),
        Share(3, 5),
        Share(7, 10),
        Share(9, 10),
        Share(1, 1),
    ])
}

fn window() -> impl Strategy<Value = Window> {
    let spans =
        vec![Duration::from_nanos(1), Duration::from_nanos(11), 7 * MS, SECOND, 10 * SECOND, YEAR, Duration::MAX];
    prop_oneof![(1..=12_u32).prop_map(Window::Calls), select(spans).prop_map(Window::Time)]
}

fn open() -> impl Strategy<Value = Open> {
    let growing = (select(vec![MS, SECOND]), 1..=3_u32, select(vec![SECOND, 20 * SECOND]));
    prop_oneof![
        6 => select(vec![Duration::from_nanos(1), MS, SECOND, 30 * SECOND, YEAR]).prop_map(Open::For),
        1 => Just(Open::For(Duration::MAX)),
        3 => growing.prop_map(|(base, factor, cap)| Open::Growing { base, factor, cap }),
        1 => Just(Open::ThenForEver),
    ]
}

fn on_drop() -> impl Strategy<Value = OnDrop> {
    let after = select(vec![Duration::ZERO, MS, SECOND, Duration::MAX]).prop_map(OnDrop::FailureAfter);
    prop_oneof![Just(OnDrop::Ignore), Just(OnDrop::Failure), after]
}

fn config() -> impl Strategy<Value = Config> {
    prop_oneof![3 => any_config(), 2 => touchy_config()]
}

/// Opens at the first failure, for a second or more, and then needs several probes.
fn touchy_config() -> impl Strategy<Value = Config> {
    let open = select(vec![Open::For(SECOND), Open::Growing { base: SECOND, factor: 2, cap: 20 * SECOND }]);
    (any_config(), open, [2..=4_u32, 1..=4, 2..=5]).prop_map(|(config, open, counts)| {
        let [probes, successes, trials] = counts.map(Some);
        let open = Some(open);
        Config { consecutive: Some(1), open, probes, successes, trials, observe_only: false, ..config }.fit()
    })
}

/// Leaves each setting out half of the time.
fn any_config() -> impl Strategy<Value = Config> {
    let maybe = prop::option::of::<BoxedStrategy<u32>>;
    let slow_call = prop::option::of(select(vec![MS, SECOND, Duration::MAX]));
    let probe_timeout = select(vec![Duration::from_nanos(1), MS, SECOND, 3 * SECOND, Duration::MAX]);
    let closed = (
        maybe((1..=6_u32).boxed()),
        prop::option::of(share()),
        prop::option::of(share()),
        slow_call,
        prop::option::of(window()),
        maybe((1..=12_u32).boxed()),
    );
    let rest = (
        prop::option::of(open()),
        maybe((1..=4_u32).boxed()),
        maybe((1..=4_u32).boxed()),
        maybe((1..=6_u32).boxed()),
        prop::option::of(probe_timeout),
        prop::option::of(on_drop()),
        prop::bool::weighted(0.1),
    );
    (closed, rest).prop_map(|(closed, rest)| {
        let (consecutive, failure_rate, slow_rate, slow_call, window, minimum) = closed;
        let (open, probes, successes, trials, probe_timeout, on_drop, observe_only) = rest;
        let config = Config {
            consecutive,
            failure_rate,
            slow_rate,
            slow_call,
            window,
            minimum,
            open,
            probes,
            successes,
            trials,
            probe_timeout,
            on_drop,
            observe_only,
        };
        config.fit()
    })
}

fn step() -> impl Strategy<Value = Step> {
    let spans = vec![Duration::from_nanos(1), MS, 100 * MS, SECOND, 10 * SECOND, 31 * SECOND, YEAR, 10 * YEAR];
    let by = prop_oneof![6 => select(spans), 1 => (0..3_000_000_000_u64).prop_map(Duration::from_nanos)];
    prop_oneof![
        3 => by.prop_map(Step::By),
        2 => (0..=21_u32).prop_map(Step::Part),
        3 => (0..4_usize, -1..=1_i8).prop_map(|(due, off)| Step::To(due, off)),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    let call = || 0..8_usize;
    prop_oneof![
        12 => Just(Op::Admit),
        12 => (call(), verdict()).prop_map(|(call, verdict)| Op::Settle(call, verdict)),
        2 => call().prop_map(Op::Drop),
        1 => call().prop_map(Op::Unwind),
        5 => (verdict(), 1..=6_usize).prop_map(|(verdict, count)| Op::Burst(verdict, count)),
        9 => step().prop_map(Op::Step),
        1 => select(vec![Op::ForceOpen, Op::ForceClosed, Op::Reset]),
        1 => Just(Op::Hold),
        2 => (0..4_usize, any::<bool>()).prop_map(|(place, well)| Op::Release(place, well)),
        2 => Just(Op::TryProbe),
        2 => Just(Op::Look),
    ]
}

/// `PROPTEST_CASES`, or a number that takes a few seconds in all.
fn cases(count: u32) -> ProptestConfig {
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { ProptestConfig::default().cases } else { count };
    ProptestConfig { cases, failure_persistence: None, max_shrink_iters: 20_000, ..ProptestConfig::default() }
}

fn hold(config: &Config, ops: &[Op], watch: Watch) -> Result<(), TestCaseError> {
    drive(config, ops, watch).map_err(TestCaseError::fail)
}

proptest! {
    #![proptest_config(cases(1_500))]

    /// CB-01 to CB-17, CB-21, CB-23, CB-24, CB-30: whatever is done to a circuit breaker through its handle, it
    /// answers, reports and counts like a list of everything that happened. Where the specification leaves the edge of
    /// a time window open, the clock does not stop there.
    #[test]
    fn agrees_with_the_model(config in config(), ops in prop::collection::vec(op(), 1..60)) {
        hold(&config, &ops, Watch::Exactly)?;
    }
}

proptest! {
    #![proptest_config(cases(1_000))]

    /// CB-04: nothing leaves a time window before its span and nothing stays more than a tenth of it longer, whenever
    /// the clock stops; what has left stays away, and the rules are judged by the rest.
    #[test]
    fn agrees_within_the_bounds_of_a_time_window(
        config in config(),
        ops in prop::collection::vec(op(), 1..60),
        span in select(vec![Duration::from_nanos(1), Duration::from_nanos(11), 7 * MS, SECOND, 10 * SECOND, YEAR]),
        failure_rate in share(),
    ) {
        let window = Some(Window::Time(span));
        let config = Config { window, failure_rate: Some(failure_rate), ..config }.fit();
        hold(&config, &ops, Watch::Closely)?;
    }
}

fn service_op() -> impl Strategy<Value = service::Op> {
    use backend::{End, Inner, Panic};
    use service::Op;
    let place = || 0..4_usize;
    let inner = prop_oneof![8 => Just(Inner::Ready), 1 => Just(Inner::Pending), 1 => Just(Inner::Failed)];
    let end = prop_oneof![
        8 => verdict().prop_map(End::Answer),
        4 => Just(End::Failed),
        1 => select(vec![End::Rejected, End::TimedOut, End::Panic]),
    ];
    prop_oneof![
        14 => (place(), inner).prop_map(|(place, inner)| Op::Ready(place, inner)),
        14 => (place(), prop::option::weighted(0.05, Just(Panic))).prop_map(|(place, panic)| Op::Call(place, panic)),
        1 => (place(), place()).prop_map(|(from, to)| Op::Clone(from, to)),
        12 => (0..8_usize, end).prop_map(|(call, end)| Op::End(call, end)),
        2 => (0..8_usize).prop_map(Op::Drop),
        8 => step().prop_map(Op::Step),
        2 => Just(Op::Listen),
        1 => select(vec![Op::ForceOpen, Op::ForceClosed, Op::Reset]),
    ]
}

proptest! {
    #![proptest_config(cases(1_000))]

    /// CB-08, CB-16, CB-18, CB-19, CB-20, CB-22, CB-27, CB-31: services around one circuit breaker, ready, pending, failing
    /// and panicking in any order, answer as the model says; the inner service is touched only by calls that pass, and
    /// none goes on waiting while a call may pass.
    #[test]
    fn services_agree_with_the_model(config in config(), ops in prop::collection::vec(service_op(), 1..80)) {
        service::drive(&config, &ops).map_err(TestCaseError::fail)?;
    }
}
