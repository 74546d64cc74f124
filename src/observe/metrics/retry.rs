use super::MetricsObserver;
use super::labels::STOP_REASONS;
use super::registry::NamedSeries;
use super::series::Series;
use crate::observe::event::{BudgetRef, RetryEvent};

#[inline]
pub(super) fn count(observer: &MetricsObserver, event: &RetryEvent<'_>) {
    match *event {
        RetryEvent::Built { name, source, budget } => observer.with(name, source, |named| built(named, budget)),
        RetryEvent::Began { name, source, budget } => {
            observer.with(name, source, |named| step(named, Series::RetryRequests, budget));
        }
        RetryEvent::Retried { name, source, budget, .. } => {
            observer.with(name, source, |named| step(named, Series::Retries, budget));
        }
        RetryEvent::Stopped { name, source, reason, budget, .. } => {
            observer.with(name, source, |named| step(named, Series::RetryStops(reason), budget));
        }
    }
}

fn built(named: &NamedSeries, budget: Option<BudgetRef<'_>>) {
    named.count(Series::RetryRequests, 0);
    named.count(Series::Retries, 0);
    for reason in STOP_REASONS {
        named.count(Series::RetryStops(reason), 0);
    }
    set_balance(named, budget);
}

fn step(named: &NamedSeries, step: Series, budget: Option<BudgetRef<'_>>) {
    named.count(step, 1);
    set_balance(named, budget);
}

fn set_balance(named: &NamedSeries, budget: Option<BudgetRef<'_>>) {
    if let Some(budget) = budget {
        named.set(Series::RetryBudgetTokens, || budget.balance());
    }
}
