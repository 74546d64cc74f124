use super::MetricsObserver;
use super::registry::NamedSeries;
use super::series::{RejectionReason, Series};
use crate::observe::event::BulkheadEvent;

#[inline]
pub(super) fn count(observer: &MetricsObserver, event: &BulkheadEvent<'_>) {
    match *event {
        BulkheadEvent::Acquired { name, source } => {
            observer.with(name, source, |named| named.add(Series::BulkheadInUse, 1));
        }
        BulkheadEvent::Released { name, source } => {
            observer.with(name, source, |named| named.add(Series::BulkheadInUse, -1));
        }
        BulkheadEvent::Queued { name, source } => {
            observer.with(name, source, |named| named.add(Series::BulkheadQueued, 1));
        }
        BulkheadEvent::Left { name, source } => {
            observer.with(name, source, |named| named.add(Series::BulkheadQueued, -1));
        }
        BulkheadEvent::Granted { name, source } => observer.with(name, source, |named| {
            named.add(Series::BulkheadQueued, -1);
            named.add(Series::BulkheadInUse, 1);
        }),
        BulkheadEvent::Resized { name, source, from, to } => {
            observer.with(name, source, |named| resized(named, from, to));
            if to == 0 {
                observer.gone(source);
            }
        }
        BulkheadEvent::Rejected { name, source, waited } => {
            let reason = waited.map_or(RejectionReason::BulkheadFull, |_| RejectionReason::BulkheadWaitOver);
            observer.with(name, source, |named| named.count(Series::Rejections(reason), 1));
        }
    }
}

fn resized(named: &NamedSeries, from: u32, to: u32) {
    named.add(Series::BulkheadLimit, i64::from(to) - i64::from(from));
    if from == 0 {
        named.add(Series::BulkheadInUse, 0);
        named.add(Series::BulkheadQueued, 0);
        named.count(Series::Rejections(RejectionReason::BulkheadFull), 0);
        named.count(Series::Rejections(RejectionReason::BulkheadWaitOver), 0);
    }
}
