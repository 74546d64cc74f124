use crate::bulkhead::handle::Bulkhead;
use crate::circuit_breaker::handle::CircuitBreaker;

/// What there can be one of per key: a [`CircuitBreaker`] or a [`Bulkhead`].
pub trait KeyedHandle: sealed::KeyedHandleKind {}

impl KeyedHandle for CircuitBreaker {}
impl KeyedHandle for Bulkhead {}

pub(super) mod sealed {
    use std::fmt::Debug;

    use crate::bulkhead::handle::Bulkhead;
    use crate::bulkhead::{BulkheadBuilder, BulkheadTemplate};
    use crate::circuit_breaker::handle::CircuitBreaker;
    use crate::circuit_breaker::{CircuitBreakerBuilder, CircuitBreakerTemplate};
    use crate::error::ConfigError;
    use crate::machine::keyed::idleness::Idleness;
    use crate::machine::timestamp::Timestamp;
    use crate::name::Name;
    use crate::observe::notifier::Notifier;

    #[expect(private_interfaces, reason = "only this crate implements and calls it")]
    pub trait KeyedHandleKind: Clone + Debug + Sized {
        type Builder: Clone + Debug;
        /// Checked settings, from which a handle can be made at any time.
        type Template: Debug;

        fn check(builder: Self::Builder) -> Result<(Name, Self::Template), ConfigError>;
        fn make(template: &Self::Template, name: Name) -> Self;
        /// For calls of which nothing can be remembered per key.
        fn overflow(template: &Self::Template, name: Name) -> Self;
        fn idleness(&mut self, template: &Self::Template, now: Timestamp) -> Idleness;
        fn notifier(template: &Self::Template) -> &Notifier;
    }

    #[expect(private_interfaces, reason = "as above")]
    impl KeyedHandleKind for CircuitBreaker {
        type Builder = CircuitBreakerBuilder;
        type Template = CircuitBreakerTemplate;

        fn check(builder: CircuitBreakerBuilder) -> Result<(Name, CircuitBreakerTemplate), ConfigError> {
            let (name, template) = builder.checked()?;
            let template = template.of_family(&name);
            Ok((name, template))
        }

        fn make(template: &CircuitBreakerTemplate, name: Name) -> CircuitBreaker {
            template.make(name)
        }

        fn overflow(template: &CircuitBreakerTemplate, name: Name) -> CircuitBreaker {
            template.observing().make(name)
        }

        fn idleness(&mut self, _: &CircuitBreakerTemplate, now: Timestamp) -> Idleness {
            CircuitBreaker::idleness(self, now)
        }

        fn notifier(template: &CircuitBreakerTemplate) -> &Notifier {
            template.notifier()
        }
    }

    #[expect(private_interfaces, reason = "as above")]
    impl KeyedHandleKind for Bulkhead {
        type Builder = BulkheadBuilder;
        type Template = BulkheadTemplate;

        fn check(builder: BulkheadBuilder) -> Result<(Name, BulkheadTemplate), ConfigError> {
            let (name, template) = builder.checked()?;
            let template = template.of_family(&name);
            Ok((name, template))
        }

        fn make(template: &BulkheadTemplate, name: Name) -> Bulkhead {
            template.make(name)
        }

        fn overflow(template: &BulkheadTemplate, name: Name) -> Bulkhead {
            template.make(name)
        }

        fn idleness(&mut self, template: &BulkheadTemplate, _: Timestamp) -> Idleness {
            Bulkhead::idleness(self, template.limit())
        }

        fn notifier(template: &BulkheadTemplate) -> &Notifier {
            template.notifier()
        }
    }
}
