//! What a policy's parts and classes require of one another. Each value is valid on its own.

use std::time::Duration;

use super::class::Class;
use super::error::PolicyError;
use super::handle::Parts;
use crate::machine::circuit_breaker::body_scope::BodyRules;
use crate::machine::circuit_breaker::settings::OnDrop;

/// The rules of [`times`].
pub(in crate::policy) const WITHIN_TOTAL: &str = "must be shorter than `total_timeout`";
pub(in crate::policy) const WITHIN_TIMEOUT: &str = "must be shorter than the policy's `timeout`";

pub(super) fn classes(parts: &Parts) -> Result<(), PolicyError> {
    for (number, (name, class)) in parts.classes.iter().enumerate() {
        if name.is_empty() {
            return Err(PolicyError::new("classes", "a name must not be empty"));
        }
        let wrong = |field: &str, rule: &'static str| Err(PolicyError::new(format!("classes.{name}{field}"), rule));
        if parts.classes[..number].iter().any(|(other, _)| other == name) {
            return wrong("", "there are two of this name");
        }
        if class.is_over_at_once() {
            return wrong(".timeout", "must be longer than zero");
        }
        // A bare class leaves out whatever there is.
        if *class == Class::bare() {
            continue;
        }
        for (leaves_out, is_there, field) in [
            (!class.has_circuit_breaker(), parts.circuit_breaker.is_some(), ".circuit_breaker"),
            (!class.has_bulkhead(), parts.bulkhead.is_some(), ".bulkhead"),
            (!class.has_retry(), parts.retry.is_some(), ".retry"),
            (class.is_endless(), parts.timeout.is_some(), ".timeout"),
            (!class.has_total_timeout(), parts.total_timeout.is_some(), ".total_timeout"),
        ] {
            if leaves_out && !is_there {
                return wrong(field, "must not be left out: the policy has none");
            }
        }
    }
    Ok(())
}

/// Refuses settings of bodies that have no effect.
pub(super) fn bodies(rules: &BodyRules, has_circuit: bool, has_bulkhead: bool) -> Result<(), PolicyError> {
    let flaw = rules.flaw().or(match rules {
        _ if has_circuit => None,
        BodyRules { early: Some(_), .. } => Some(("settle_early", "needs a circuit breaker")),
        BodyRules { on_drop: Some(_), .. } => Some(("on_body_drop", "needs a circuit breaker")),
        BodyRules { until_end: true, .. } if !has_bulkhead => {
            Some(("until_body_end", "needs a circuit breaker or a bulkhead"))
        }
        _ => None,
    });
    flaw.map_or(Ok(()), |(field, rule)| Err(PolicyError::new(format!("circuit_breaker.{field}"), rule)))
}

/// Refuses a time limit that can never take effect because another always ends first.
pub(super) fn times(parts: &Parts, owns_circuit: bool) -> Result<(), PolicyError> {
    if let Some(total) = parts.total_timeout {
        if parts.timeout.is_some_and(|timeout| timeout >= total) {
            return Err(PolicyError::new("timeout", WITHIN_TOTAL));
        }
        for (name, class) in &parts.classes {
            if class.has_total_timeout() && class.own_timeout().is_some_and(|timeout| timeout >= total) {
                return Err(PolicyError::new(format!("classes.{name}.timeout"), WITHIN_TOTAL));
            }
        }
    }
    // Other users of a shared circuit breaker may give their calls more time.
    let circuit_breaker = parts.circuit_breaker.as_ref().filter(|_| owns_circuit);
    let (Some(circuit_breaker), Some(longest)) = (circuit_breaker, longest(parts)) else { return Ok(()) };
    let settings = circuit_breaker.shared().settings();
    if settings.slow_call.is_some_and(|slow| slow >= longest) {
        return Err(PolicyError::new("circuit_breaker.slow_call", WITHIN_TIMEOUT));
    }
    for (field, rule) in [
        ("circuit_breaker.on_drop.failure_after", settings.on_drop),
        ("circuit_breaker.on_deadline.failure_after", settings.on_deadline),
    ] {
        if matches!(rule, Some(OnDrop::FailureAfter(after)) if after >= longest) {
            return Err(PolicyError::new(field, WITHIN_TIMEOUT));
        }
    }
    Ok(())
}

/// The longest time limit of a call that the circuit breaker sees, if all of them have one.
fn longest(parts: &Parts) -> Option<Duration> {
    let usual = Class::new();
    let classes = parts.classes.iter().map(|(_, class)| class).filter(|class| class.has_circuit_breaker());
    let mut longest = Duration::ZERO;
    for class in std::iter::once(&usual).chain(classes) {
        let total = parts.total_timeout.filter(|_| class.has_total_timeout());
        longest = longest.max(class.limit(parts.timeout).into_iter().chain(total).min()?);
    }
    Some(longest)
}
