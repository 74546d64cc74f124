use std::sync::{Arc, Mutex};
use std::time::Duration;

use seaworthy::ProbeState;
use seaworthy::prober::{ProbePolicy, Prober};

use super::{Line, Script, pass, policy, prober, quick};
use crate::support::{MS, SECOND, now};

/// When the probes began, in milliseconds since `start`.
fn millis(script: &Script, start: tokio::time::Instant) -> Vec<u128> {
    script.began().iter().map(|at| (*at - start).as_millis()).collect()
}

/// PR-05: the first probe begins at once, each later one an interval after the last one ended.
#[tokio::test(start_paused = true)]
async fn an_interval_from_the_end() {
    let (prober, start) = (prober(), now());
    let script = Script::new(&[Line::Ok, Line::Takes(300 * MS), Line::Fail("sick"), Line::Takes(40 * MS), Line::Ok]);
    prober.add("a", policy(), script.clone()).unwrap();
    let task = prober.spawn();
    pass(5 * SECOND).await;
    // 0 + 0, + 1 s; 1,000 + 300 + 1 s; …
    assert_eq!(millis(&script, start), [0, 1_000, 2_300, 3_300, 4_340]);
    task.stop().await;
    pass(3 * SECOND).await;
    assert_eq!(script.count(), 5, "nothing after the stop");
}

/// PR-05, PR-07: a probe that hangs ends when its time is over, and the interval begins there.
#[tokio::test(start_paused = true)]
async fn a_probe_that_hangs_ends_with_its_time() {
    let (prober, start) = (prober(), now());
    let script = Script::new(&[Line::Hang]);
    let policy = quick().timeout(250 * MS).build().unwrap();
    let target = prober.add("a", policy, script.clone()).unwrap();
    let _task = prober.spawn();
    pass(249 * MS).await;
    assert_eq!(target.status().unwrap().failures, 0);
    pass(MS).await;
    let status = target.status().unwrap();
    assert_eq!((status.failures, status.last_error.as_deref()), (1, Some("timed out after 250ms")));
    pass(2_499 * MS).await;
    assert_eq!((millis(&script, start), script.most()), (vec![0, 1_250, 2_500], 1));
    assert_eq!(target.state(), ProbeState::Starting);
    pass(MS).await;
    assert_eq!((target.state(), target.status().unwrap().failures), (ProbeState::Unhealthy, 3));
}

/// PR-05: this many at a time and no more; beyond that, the target that was due first goes first.
#[tokio::test(start_paused = true)]
async fn a_bounded_number_in_the_order_in_which_they_are_due() {
    let prober = Prober::builder().max_concurrent(2).build().unwrap();
    let start = now();
    let order = Arc::new(Mutex::new(Vec::new()));
    let shared = Script::new(&[Line::Takes(100 * MS)]);
    for place in 0..5 {
        let (order, script) = (order.clone(), shared.clone());
        let probe = move || {
            let (order, script) = (order.clone(), script.clone());
            async move {
                order.lock().unwrap().push((place, (now() - start).as_millis()));
                seaworthy::prober::Probe::probe(&script).await
            }
        };
        prober.add(format!("t{place}"), policy(), probe).unwrap();
        pass(MS).await;
    }
    let start = (now() - start).as_millis();
    let _task = prober.spawn();
    pass(250 * MS).await;
    let in_order = [(0, start), (1, start), (2, start + 100), (3, start + 100), (4, start + 200)];
    assert_eq!((order.lock().unwrap().as_slice(), shared.most()), (&in_order[..], 2));
    // The last one ends at 300; the first two are due at 1,100.
    pass(1_000 * MS).await;
    let then = [(0, start + 1_100), (1, start + 1_100), (2, start + 1_200), (3, start + 1_200)];
    assert_eq!(&order.lock().unwrap()[5..], then);
}

/// PR-05: jitter is added to the first probe and to each interval, never more than was set; a seed makes it repeatable.
#[tokio::test(start_paused = true)]
async fn jitter() {
    let run = async |seed| {
        let prober = Prober::builder().random_seed(seed).build().unwrap();
        let (script, start) = (Script::new(&[Line::Ok]), now());
        prober.add("a", quick().jitter(400 * MS).build().unwrap(), script.clone()).unwrap();
        let _task = prober.spawn();
        pass(12 * SECOND).await;
        millis(&script, start)
    };
    let times = run(7).await;
    assert_eq!(times, run(7).await);
    assert_ne!(times, run(8).await);
    assert!(times[0] <= 401, "{times:?}");
    let pauses: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(pauses.len() >= 8 && pauses.iter().all(|pause| (1_000..=1_401).contains(pause)), "{pauses:?}");
    assert!(pauses.iter().max().unwrap() - pauses.iter().min().unwrap() > 20, "{pauses:?}");
}

/// PR-05: an interval with no limit means one probe and no panic; an interval of a nanosecond works, too.
#[tokio::test(start_paused = true)]
async fn the_longest_and_the_shortest_interval() {
    let prober = prober();
    let (once, often) = (Script::new(&[Line::Ok]), Script::new(&[Line::Ok]));
    let endless = ProbePolicy::builder().interval(Duration::MAX).timeout(Duration::MAX).jitter(Duration::ZERO);
    prober.add("once", endless.build().unwrap(), once.clone()).unwrap();
    let shortest = ProbePolicy::builder().interval(Duration::from_nanos(1)).build().unwrap();
    prober.add("often", shortest, often.clone()).unwrap();
    let _task = prober.spawn();
    pass(5 * MS).await;
    assert_eq!(once.count(), 1);
    assert!(often.count() >= 5, "{}", often.count());
    tokio::time::advance(Duration::from_secs(365 * 24 * 3600)).await;
    pass(MS).await;
    assert_eq!(once.count(), 1);
}

/// PR-06: another policy, a restart and another probe begin a fresh window at once; a probe in flight no longer counts.
#[tokio::test(start_paused = true)]
async fn a_fresh_window_drops_late_results() {
    for change in 0..3 {
        let prober = prober();
        let script = Script::new(&[Line::Fail("old"), Line::Takes(500 * MS), Line::Fail("new")]);
        let target = prober.add("a", quick().failure_threshold(1).build().unwrap(), script.clone()).unwrap();
        let _task = prober.spawn();
        pass(1_200 * MS).await;
        // One failed, and one is in flight that would succeed at 1,500.
        assert_eq!((target.state(), script.count()), (ProbeState::Unhealthy, 2));
        let changed = match change {
            0 => target.set_policy(quick().interval(2 * SECOND).build().unwrap()),
            1 => target.restart(),
            _ => target.set_probe(policy(), script.clone()),
        };
        assert!(changed);
        let status = target.status().unwrap();
        assert_eq!((status.state, status.failures, status.since_probe()), (ProbeState::Starting, 0, None));
        assert_eq!(status.last_error, None);
        pass(MS).await;
        // The next one began at once, after the old one was gone.
        assert_eq!((script.count(), script.most()), (3, 1));
        pass(700 * MS).await;
        let status = target.status().unwrap();
        assert_eq!((status.successes, status.failures), (0, 1), "{change}");
        assert_eq!(status.last_error.as_deref(), Some("new"));
    }
}

/// PB-06: a timeout longer than the interval is allowed: probes of a target do not overlap, and the interval begins
/// when one has ended.
#[tokio::test(start_paused = true)]
async fn a_timeout_longer_than_the_interval() {
    let (prober, start) = (prober(), now());
    let script = Script::new(&[Line::Takes(2_500 * MS), Line::Hang]);
    let policy = quick().timeout(4 * SECOND).build().unwrap();
    let target = prober.add("a", policy, script.clone()).unwrap();
    let _task = prober.spawn();
    pass(2_600 * MS).await;
    assert_eq!((target.state(), policy.timeout()), (ProbeState::Healthy, 4 * SECOND));
    pass(6_400 * MS).await;
    assert_eq!((millis(&script, start), script.most()), (vec![0, 3_500, 8_500], 1));
    assert_eq!(target.status().unwrap().failures, 1);
}

/// The longest time between two probes, and before the first.
fn longest_gap(script: &Script, start: tokio::time::Instant) -> Duration {
    let began: Vec<_> = std::iter::once(start).chain(script.began()).chain([now()]).collect();
    began.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap()
}

/// PB-09: 200 targets that hang, with the default limit, do not keep one with an interval of 1 s from being probed at
/// least every 5 s, whenever it was added; and the hung ones are probed, too.
#[tokio::test(start_paused = true)]
async fn hung_targets_do_not_take_the_turns_of_others() {
    for first in [true, false] {
        let prober = prober();
        let well = Script::new(&[Line::Takes(5 * MS)]);
        if first {
            prober.add("well", policy(), well.clone()).unwrap();
        }
        let hung: Vec<_> = (0..200).map(|_| Script::new(&[Line::Hang])).collect();
        for (place, script) in hung.iter().enumerate() {
            prober.add(format!("hung {place}"), ProbePolicy::default(), script.clone()).unwrap();
        }
        if !first {
            prober.add("well", policy(), well.clone()).unwrap();
        }
        let start = now();
        let _task = prober.spawn();
        pass(120 * SECOND).await;
        let gap = longest_gap(&well, start);
        assert!(gap <= 5 * SECOND, "added first: {first}: {gap:?}");
        assert!(well.count() > 60, "{}", well.count());
        let counts: Vec<_> = hung.iter().map(Script::count).collect();
        assert!(counts.iter().all(|count| (4..=11).contains(count)), "{counts:?}");
    }
}

/// PB-09: nor do they if all have the same interval, once it is known which of them hang.
#[tokio::test(start_paused = true)]
async fn hung_targets_with_the_same_interval() {
    let prober = prober();
    let well = Script::new(&[Line::Takes(5 * MS)]);
    prober.add("well", policy(), well.clone()).unwrap();
    let hung: Vec<_> = (0..200).map(|_| Script::new(&[Line::Hang])).collect();
    for (place, script) in hung.iter().enumerate() {
        prober.add(format!("hung {place}"), policy(), script.clone()).unwrap();
    }
    let start = now();
    let _task = prober.spawn();
    pass(60 * SECOND).await;
    assert!(longest_gap(&well, start) <= 5 * SECOND, "{:?}", longest_gap(&well, start));
    hung.iter().for_each(|script| script.then(Line::Ok));
    pass(60 * SECOND).await;
    let counts: Vec<_> = hung.iter().map(Script::count).collect();
    hung.iter().for_each(|script| script.then(Line::Hang));
    // Each has to be found out first, which takes a second each.
    pass(15 * SECOND).await;
    let (start, before) = (now(), well.count());
    pass(60 * SECOND).await;
    let since: Vec<_> = well.began().split_off(before);
    let gap = since.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
    assert!(gap <= 5 * SECOND && since[0] - start <= 5 * SECOND, "{gap:?}");
    assert!(hung.iter().zip(counts).all(|(script, before)| script.count() > before), "none is forgotten");
}
