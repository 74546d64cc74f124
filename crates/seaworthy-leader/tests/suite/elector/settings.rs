use std::time::Duration;

use seaworthy_leader::{ElectorBuilder, Local, LocalElector};

use crate::doubles::{millis, seconds};

fn refused(elector: ElectorBuilder<Local>) -> String {
    elector.build().unwrap_err().to_string()
}

fn defaults() -> ElectorBuilder<Local> {
    LocalElector::builder()
}

/// LE-20: the bound is computed, and settings whose bound is longer than `max_failover` are refused, with the sum.
#[test]
fn le_20_bound() {
    assert_eq!(defaults().failover_bound(), millis(23_500));
    assert_eq!(defaults().build().unwrap().failover_bound(), millis(23_500));
    assert!(defaults().max_failover(millis(23_500)).build().is_ok());
    let error = refused(defaults().max_failover(millis(23_499)));
    assert!(error.contains("max_failover") && error.contains("23.5s"), "{error}");
    let error = refused(defaults().ttl(seconds(22)));
    assert!(error.contains("max_failover") && error.contains("30.5s"), "{error}");
    assert!(defaults().ttl(seconds(22)).max_failover(Duration::MAX).build().is_ok());
}

/// LE-22: each rule refuses just beyond its border, names the field, and clamps nothing.
#[test]
fn le_22_rules() {
    let any = || defaults().max_failover(Duration::MAX);
    let brief = || {
        let elector = any().ttl(seconds(1)).renew_every(millis(300)).request_timeout(millis(50)).poll(millis(100));
        elector.retry_renew(millis(50)).stop_time(millis(100)).margin(millis(50))
    };
    let long = || any().ttl(seconds(3_600)).margin(seconds(120));
    for (elector, is_fit, field) in [
        (brief(), true, ""),
        (brief().ttl(millis(999)), false, "ttl"),
        (long(), true, ""),
        (long().ttl(seconds(3_600) + millis(1)), false, "ttl"),
        (brief().renew_every(seconds(1) / 3), true, ""),
        (brief().renew_every(seconds(1) / 3 + Duration::from_nanos(1)), false, "renew_every"),
        (brief().request_timeout(Duration::from_micros(49_999)), false, "request_timeout"),
        (brief().request_timeout(millis(299)), true, ""),
        (brief().request_timeout(millis(300)), false, "request_timeout"),
        (brief().retry_renew(millis(49)), false, "retry_renew"),
        (brief().retry_renew(millis(300)), true, ""),
        (brief().retry_renew(millis(301)), false, "retry_renew"),
        (brief().stop_time(millis(500)), true, ""),
        (brief().stop_time(millis(501)), false, "stop_time"),
        (brief().stop_time(millis(0)), true, ""),
        (brief().margin(seconds(1) / 30), true, ""),
        (brief().margin(seconds(1) / 30 - Duration::from_nanos(1)), false, "margin"),
        (brief().margin(Duration::MAX), false, "ttl"),
        (brief().margin(millis(549)), true, ""),
        (brief().margin(millis(550)), false, "ttl"),
        (brief().poll(millis(99)), false, "poll"),
        (brief().poll(seconds(1)), true, ""),
        (brief().poll(millis(1_001)), false, "poll"),
        (any().release_grace(Duration::MAX), true, ""),
        (any().release_grace(Duration::ZERO), true, ""),
        (any().spread(0), false, "spread"),
        (any().spread(1), true, ""),
        (any().hint("h".repeat(200)), true, ""),
        (any().hint("h".repeat(201)), false, "hint"),
        (any().hint("a\nb"), false, "hint"),
    ] {
        let shown = format!("{elector:?}");
        match elector.build() {
            Ok(_) => assert!(is_fit, "{shown}"),
            Err(error) => assert!(!is_fit && error.to_string().contains(field), "{error}: {shown}"),
        }
    }
}
