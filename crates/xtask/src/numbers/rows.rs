//! What is measured: the rows of docs/benchmarks.md, each with what it is beside and what it is to reach.

use Kind::{Calls, Number};
use Reach::{AtMost, FloorAnd, TimesFloor, TimesPeer};

/// One row. A side is the path of a function in benches/rows, and is built as a program by itself.
#[derive(Debug)]
pub(crate) struct Row {
    /// What it is called on the command line.
    pub name: &'static str,
    /// What the table says.
    pub title: &'static str,
    pub kind: Kind,
    /// The feature of the library that its programs need besides the few that all have.
    pub feature: Option<&'static str>,
    pub ours: &'static str,
    pub floor: Option<&'static str>,
    /// The best of them counts.
    pub peers: &'static [Peer],
    /// All of them are to be reached.
    pub reach: &'static [Reach],
}

/// What the table calls it, and its function.
#[derive(Debug)]
pub(crate) struct Peer(pub &'static str, pub &'static str);

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    /// A call is made again and again.
    Calls,
    /// The program prints a number of this unit.
    Number(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Reach {
    TimesFloor(f64),
    /// Nanoseconds more than the floor.
    FloorAnd(f64),
    TimesPeer(f64),
    AtMost(f64),
}

impl Row {
    const fn of(kind: Kind, name: &'static str, title: &'static str, ours: &'static str) -> Row {
        Row { name, title, kind, feature: None, ours, floor: None, peers: &[], reach: &[] }
    }

    const fn calls(name: &'static str, title: &'static str, ours: &'static str) -> Row {
        Row::of(Calls, name, title, ours)
    }

    const fn number(name: &'static str, title: &'static str, unit: &'static str, ours: &'static str) -> Row {
        Row::of(Number(unit), name, title, ours)
    }

    const fn feature(mut self, feature: &'static str) -> Row {
        self.feature = Some(feature);
        self
    }

    const fn floor(mut self, floor: &'static str) -> Row {
        self.floor = Some(floor);
        self
    }

    const fn peers(mut self, peers: &'static [Peer]) -> Row {
        self.peers = peers;
        self
    }

    const fn reach(mut self, reach: &'static [Reach]) -> Row {
        self.reach = reach;
        self
    }

    pub(crate) fn is_timed(&self) -> bool {
        self.kind == Calls
    }
}

const CLOSED: &[Peer] = &[Peer("failsafe", "peers::failsafe_closed"), Peer("recloser", "peers::recloser_closed")];
const WINDOW: &[Peer] = &[Peer("recloser", "peers::recloser_window")];
const FAILSAFE_WINDOW: &[Peer] = &[Peer("failsafe", "peers::failsafe_window")];
const FAILSAFE_OPEN: &[Peer] = &[Peer("failsafe", "peers::failsafe_open")];
const RECLOSER_OPEN: &[Peer] = &[Peer("recloser", "peers::recloser_open")];
const BY_HAND: &[Peer] = &[Peer("by hand", "peers::by_hand_closed")];
const BY_HAND_OPEN: &[Peer] = &[Peer("by hand", "peers::by_hand_open")];

pub(crate) const ROWS: &[Row] = &[
    Row::calls("closed", "closed, consecutive failures", "ours::closed")
        .floor("floors::gate")
        .peers(CLOSED)
        .reach(&[TimesFloor(1.6), TimesPeer(0.65)]),
    Row::calls("closed-leaked", "closed, consecutive failures, leaked", "ours::closed_leaked")
        .floor("floors::gate")
        .peers(CLOSED)
        .reach(&[TimesFloor(1.6), TimesPeer(0.65)]),
    Row::calls("window", "closed, the last 100 calls", "ours::window_closed")
        .floor("floors::gate")
        .peers(WINDOW)
        .reach(&[TimesFloor(1.6), TimesPeer(0.65)]),
    Row::calls("window-leaked", "closed, the last 100 calls, leaked", "ours::window_closed_leaked")
        .floor("floors::gate")
        .peers(WINDOW)
        .reach(&[TimesFloor(1.6), TimesPeer(0.65)]),
    Row::calls("time-window", "closed, a time window", "ours::time_window")
        .floor("floors::gate_clock")
        .peers(FAILSAFE_WINDOW)
        .reach(&[TimesFloor(1.3), TimesPeer(0.5)]),
    Row::calls("open", "open, rejected; floor: the clock", "ours::open")
        .floor("floors::clock")
        .peers(FAILSAFE_OPEN)
        .reach(&[FloorAnd(12.0), TimesPeer(1.2)]),
    Row::calls("open-typed", "open, rejected; floor: a layer", "ours::open").floor("floors::refuse"),
    Row::calls("admit-open", "open, `admit`; floor: the clock", "ours::admit_open")
        .floor("floors::clock")
        .peers(RECLOSER_OPEN)
        .reach(&[FloorAnd(8.0), TimesPeer(1.0)]),
    Row::calls("room", "bulkhead with room", "ours::room")
        .floor("floors::room")
        .peers(&[Peer("tower", "peers::tower_room")])
        .reach(&[TimesFloor(1.15), TimesPeer(0.6)]),
    Row::calls("full", "bulkhead full, rejected", "ours::full")
        .floor("floors::full")
        .peers(&[Peer("tower, `LoadShed`", "peers::tower_full")])
        .reach(&[TimesFloor(1.0), TimesPeer(0.8)]),
    Row::calls("ready", "readiness, let in", "ours::ready").floor("floors::room"),
    Row::calls("first-try", "retry, first try, budget", "ours::first_try")
        .floor("floors::first_try")
        .peers(&[Peer("tower", "peers::tower_first_try")])
        .reach(&[TimesPeer(1.2)]),
    Row::calls("first-try-free", "retry, first try, no budget", "ours::first_try_free")
        .floor("floors::first_try_free")
        .peers(&[Peer("tower", "peers::tower_first_try_free")])
        .reach(&[TimesFloor(1.3)]),
    Row::calls("first-try-leaked", "retry, first try, no budget, leaked", "newer::first_try_free_leaked")
        .floor("floors::first_try_free")
        .peers(&[Peer("tower", "peers::tower_first_try_free")]),
    Row::calls("third-try", "retry, third try without a wait, budget", "ours::third_try")
        .floor("floors::third_try")
        .peers(&[Peer("tower", "peers::tower_third_try")])
        .reach(&[TimesPeer(1.2)]),
    Row::calls("third-try-free", "retry, third try without a wait, no budget", "ours::third_try_free")
        .floor("floors::third_try_free")
        .peers(&[Peer("tower", "peers::tower_third_try_free")]),
    Row::calls("armed", "timeout that sets its timer, busy runtime", "ours::armed")
        .floor("floors::armed")
        .peers(&[Peer("tower", "peers::tower_armed")])
        .reach(&[TimesFloor(1.06), TimesPeer(1.1)]),
    Row::calls("stack", "stack closed, layers", "ours::stack")
        .floor("floors::stack")
        .peers(BY_HAND)
        .reach(&[TimesFloor(1.25), TimesPeer(0.5)]),
    Row::calls("policy", "stack closed, a policy", "ours::policy_closed")
        .floor("floors::stack")
        .peers(BY_HAND)
        .reach(&[TimesFloor(1.1), TimesPeer(0.5)]),
    Row::calls("policy-leaked", "stack closed, a policy, leaked", "ours::policy_leaked")
        .floor("floors::stack")
        .peers(BY_HAND)
        .reach(&[TimesFloor(1.0), TimesPeer(0.5)]),
    Row::calls("policy-single", "stack closed, a policy without retry", "ours::policy_single")
        .floor("floors::stack_single"),
    Row::calls("stack-open", "stack open, layers", "ours::stack_open")
        .floor("floors::stack_refuse")
        .peers(BY_HAND_OPEN)
        .reach(&[TimesFloor(1.05), TimesPeer(0.5)]),
    Row::calls("policy-open", "stack open, a policy", "ours::policy_open")
        .floor("floors::stack_refuse")
        .peers(BY_HAND_OPEN)
        .reach(&[TimesFloor(1.3), TimesPeer(0.5)]),
    Row::calls("stack-budget", "stack closed, layers, with a budget", "ours::stack_budget")
        .floor("floors::stack_budget"),
    Row::calls("policy-budget", "stack closed, a policy with a budget", "ours::policy_budget")
        .floor("floors::stack_budget"),
    Row::calls("stack-open-budget", "stack open, layers, with a budget", "ours::stack_open_budget")
        .floor("floors::stack_refuse_budget"),
    Row::calls("policy-open-budget", "stack open, a policy with a budget", "ours::policy_open_budget")
        .floor("floors::stack_refuse_budget"),
    Row::calls("closed-large", "closed, a response of 128 bytes", "ours::closed_large")
        .floor("floors::gate_large")
        .reach(&[TimesFloor(1.5)]),
    Row::calls("room-large", "bulkhead with room, 128 bytes", "ours::room_large")
        .floor("floors::room_large")
        .reach(&[TimesFloor(1.15)]),
    Row::calls("ready-large", "readiness, let in, 128 bytes", "ours::ready_large").floor("floors::room_large"),
    Row::calls("policy-large", "stack closed, a policy, 128 bytes", "ours::policy_large")
        .floor("floors::stack_large")
        .reach(&[TimesFloor(1.1)]),
    // 11 and 30 ns where the floor of a closed circuit breaker takes 5.2 and the clock 23.1.
    Row::calls("run-closed", "`run`, closed", "ours::run_closed").floor("floors::gate").reach(&[TimesFloor(2.1)]),
    Row::calls("run-open", "`run`, open; floor: the clock", "ours::run_open")
        .floor("floors::clock")
        .reach(&[FloorAnd(7.0)]),
    Row::number("size-stack", "future of the stack, layers", "bytes", "sizes::stack").reach(&[AtMost(224.0)]),
    Row::number("size-policy", "future of a policy, a layer", "bytes", "sizes::policy_layer").reach(&[AtMost(144.0)]),
    Row::number(
        "size-run-circuit-breaker",
        "future of a circuit breaker's `run`",
        "bytes",
        "sizes::run_circuit_breaker",
    )
    .reach(&[AtMost(72.0)]),
    Row::number("size-run-bulkhead", "future of a bulkhead's `run`", "bytes", "sizes::run_bulkhead")
        .reach(&[AtMost(72.0)]),
    Row::number("size-run-timeout", "future of a timeout's `run`", "bytes", "sizes::run_timeout")
        .reach(&[AtMost(72.0)]),
    Row::number("size-run-retry", "future of a retry's `run`", "bytes", "sizes::run_retry"),
    Row::number("size-run-policy", "future of a policy's `run`", "bytes", "sizes::run_policy").reach(&[AtMost(160.0)]),
    Row::number(
        "size-run-policy-single",
        "future of a policy's `run`, without retry",
        "bytes",
        "sizes::run_policy_single",
    )
    .reach(&[AtMost(104.0)]),
    Row::calls("unknown-key", "keyed and full, an unknown key; floor: a known key", "scale::unknown_key")
        .floor("scale::known_key")
        .reach(&[TimesFloor(3.0)]),
    Row::calls("metrics", "metrics without a recorder; floor: nobody observes", "observed::metrics_of_one")
        .feature("metrics")
        .floor("observed::nobody_of_one")
        .reach(&[TimesFloor(3.0)]),
    Row::calls("metrics-many", "metrics, 50,000 names in turn; floor: nobody observes", "observed::metrics_of_many")
        .feature("metrics")
        .floor("observed::nobody_of_many")
        .reach(&[TimesFloor(3.0)]),
    Row::calls("million-keys", "keyed, 1,000,000 keys in turn; floor: one key", "scale::million_keys")
        .floor("scale::one_key"),
    Row::calls("long-window", "closed, a time window of 16 h; floor: of 10 s", "scale::window_of_sixteen_hours")
        .floor("scale::window_of_ten_seconds"),
    Row::calls("long-queue", "bulkhead, the next of 100,000; floor: of one", "scale::hundred_thousand_wait")
        .floor("scale::one_waits"),
    Row::number("many-targets", "prober, a probe of 10,000 targets; floor: of 2,500", "ns", "probing::many_targets")
        .feature("prober")
        .floor("probing::fewer_targets"),
    Row::number(
        "heap-window",
        "heap of a window of 1,000,000 calls, one failed",
        "bytes",
        "sizes::window_with_a_failure",
    )
    .reach(&[AtMost(130_000.0)]),
    Row::number("heap-recovered", "heap of that window, no failure left in it", "bytes", "sizes::window_recovered")
        .reach(&[AtMost(1_000.0)]),
    Row::number(
        "woken",
        "woken of 100,000 that wait for a circuit breaker, one may pass",
        "services",
        "waiting::woken",
    )
    .reach(&[AtMost(1.0)]),
];

/// Those of the guard: what is counted, not timed, and so does not depend on what else the machine does.
pub(crate) const GUARDED: &[&str] =
    &["closed", "open", "room", "full", "ready", "first-try", "first-try-free", "policy", "policy-open"];
