use super::*;

const TIMING: Timing = Timing {
    ttl: seconds(15),
    renew_every: seconds(5),
    retry_renew: seconds(1),
    stop_time: seconds(3),
    margin: seconds(1),
};

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn changes(term: &mut TermClock, now: u64) -> Vec<Change> {
    std::iter::from_fn(|| term.look(seconds(now))).collect()
}

/// LE-05: counted from when the last good renewal was sent, told at 11 s, over at 14 s; each once.
#[test]
fn told_then_over() {
    let mut term = TermClock::granted(TIMING, seconds(100));
    assert_eq!((term.due(), term.deadline()), (Some(seconds(105)), seconds(114)));
    assert_eq!(term.next_look(), Some(seconds(105)));
    assert_eq!(term.renewed(seconds(105), seconds(105)), Some(seconds(119)));
    term.not_renewed(seconds(110), seconds(110));
    assert_eq!(term.due(), Some(seconds(111)));
    term.not_renewed(seconds(111), seconds(113));
    assert_eq!(term.due(), Some(seconds(113)));
    assert!(changes(&mut term, 115).is_empty());
    assert_eq!(changes(&mut term, 116), [Change::Told { stop_by: seconds(119) }]);
    assert!(changes(&mut term, 118).is_empty());
    assert_eq!((changes(&mut term, 119), term.due()), (vec![], None));
    assert_eq!(term.next_look(), Some(Duration::from_millis(119_100)));
    assert_eq!(term.look(Duration::from_millis(119_099)), None);
    let by = Duration::from_millis(100);
    assert_eq!(term.look(Duration::from_millis(119_100)), Some(Change::Expired { by }));
    assert_eq!(changes(&mut term, 121), [Change::Stuck { told_for: seconds(5) }]);
    assert_eq!((changes(&mut term, 500), term.next_look()), (vec![], None));
}

/// LE-23: the margin covers two clocks of which one runs faster by margin / (ttl - margin), 7 % at defaults: on the
/// faster row clock the lease is over no sooner than the term is on the slower one of its leader.
#[test]
fn rates_differ() {
    let term = TermClock::granted(TIMING, seconds(0));
    let on_row_clock = |rate: f64| term.deadline().mul_f64(1.0 + rate);
    assert!(on_row_clock(0.0714) <= TIMING.ttl && on_row_clock(0.072) > TIMING.ttl);
}

/// LE-06: a renewal that succeeds after that does not bring the term back, although it is asked for.
#[test]
fn told_is_told() {
    let mut term = TermClock::granted(TIMING, seconds(0));
    assert_eq!(changes(&mut term, 11), [Change::Told { stop_by: seconds(14) }]);
    assert_eq!(term.due(), Some(seconds(5)));
    assert_eq!(term.renewed(seconds(12), seconds(12)), None);
    assert_eq!((term.deadline(), term.due()), (seconds(14), Some(seconds(17))));
    assert_eq!((changes(&mut term, 14), term.due()), (vec![], None));
    assert_eq!(term.renewed(seconds(14), seconds(14)), None);
}

/// LE-05: one that was stopped finds its time over at its first look, and has its stop time all the same.
#[test]
fn found_out_late() {
    let mut term = TermClock::granted(TIMING, seconds(0));
    let expected = [Change::Told { stop_by: seconds(43) }, Change::Expired { by: seconds(26) }];
    assert_eq!(changes(&mut term, 40), expected);
}

/// LE-04: a renewal that is noted when the deadline has passed, because the process was stopped, brings nothing back.
#[test]
fn noted_too_late() {
    let mut term = TermClock::granted(TIMING, seconds(0));
    assert_eq!(term.renewed(seconds(10), seconds(14)), None);
    assert_eq!((term.deadline(), term.due()), (seconds(14), None));
    let expected = [Change::Told { stop_by: seconds(18) }, Change::Expired { by: seconds(1) }];
    assert_eq!(changes(&mut term, 15), expected);
    // Noted in time, and found over by somebody else meanwhile.
    let mut term = TermClock::granted(TIMING, seconds(0));
    assert_eq!(term.renewed(seconds(10), seconds(13)), Some(seconds(24)));
    term.found_over(seconds(14));
    assert_eq!((term.deadline(), term.due()), (seconds(14), None));
    assert_eq!(changes(&mut term, 14), [Change::Told { stop_by: seconds(17) }]);
}

/// LE-11: what the store says is gone is over at once, and its work has its stop time.
#[test]
fn lost() {
    let mut term = TermClock::granted(TIMING, seconds(0));
    assert_eq!(term.lost(seconds(5)), seconds(8));
    assert_eq!(term.renewed(seconds(5), seconds(5)), None);
    assert_eq!((changes(&mut term, 8), term.next_look()), (vec![], Some(seconds(9))));
    // Told already: no longer than it had.
    let mut term = TermClock::granted(TIMING, seconds(0));
    changes(&mut term, 11);
    assert_eq!(term.lost(seconds(13)), seconds(14));
}

/// LE-34: what winds down is renewed all the while, and not after it; if that fails its work has until its deadline.
#[test]
fn winds_down() {
    let mut term = TermClock::granted(TIMING, seconds(0));
    term.wind_down(seconds(4), seconds(14));
    assert_eq!(term.renewed(seconds(5), seconds(5)), Some(seconds(19)));
    assert_eq!(term.renewed(seconds(10), seconds(10)), Some(seconds(24)));
    assert!(changes(&mut term, 13).is_empty());
    assert_eq!(term.due(), Some(seconds(15)));
    assert!(changes(&mut term, 14).is_empty());
    assert_eq!(term.due(), None);
    assert_eq!(changes(&mut term, 15), [Change::Stuck { told_for: seconds(11) }]);

    let mut cut_off = TermClock::granted(TIMING, seconds(0));
    cut_off.wind_down(seconds(4), seconds(1_000));
    assert_eq!(changes(&mut cut_off, 11), [Change::Hurried { stop_by: seconds(14) }]);
    assert_eq!(cut_off.renewed(seconds(12), seconds(12)), None);
    assert!(changes(&mut cut_off, 14).is_empty());
    let expected = [Change::Expired { by: seconds(1) }, Change::Stuck { told_for: seconds(11) }];
    assert_eq!(changes(&mut cut_off, 15), expected);
}

/// LE-05: without a stop time it is told when it is over.
#[test]
fn no_stop_time() {
    let mut term = TermClock::granted(Timing { stop_time: Duration::ZERO, ..TIMING }, seconds(0));
    assert!(changes(&mut term, 13).is_empty());
    assert_eq!(changes(&mut term, 14), [Change::Told { stop_by: seconds(14) }]);
    assert_eq!(term.due(), None);
}
