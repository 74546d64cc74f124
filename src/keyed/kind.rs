use crate::{Circuit, Slots};

/// What there can be one of for each key: a [`Circuit`] or a [`Slots`].
pub trait KeyedHandle: sealed::Kind {}

impl KeyedHandle for Circuit {}
impl KeyedHandle for Slots {}

pub(super) mod sealed {
    use std::fmt::Debug;

    use crate::audience::Audience;
    use crate::bulkhead::{SlotsBuilder, SlotsTemplate};
    use crate::circuit::{CircuitBuilder, CircuitTemplate};
    use crate::machine::idleness::Idleness;
    use crate::machine::moment::Moment;
    use crate::{Circuit, ConfigError, Name, Slots};

    #[expect(private_interfaces, reason = "nobody else implements or calls it")]
    pub trait Kind: Clone + Debug + Sized {
        type Builder: Clone + Debug;
        /// Settings that were checked, so that a handle can be made of them at any time.
        type Template: Debug;

        fn check(builder: Self::Builder) -> Result<(Name, Self::Template), ConfigError>;
        fn make(template: &Self::Template, name: Name) -> Self;
        /// For calls that nothing can be remembered of by key.
        fn overflow(template: &Self::Template, name: Name) -> Self;
        fn idleness(&mut self, template: &Self::Template, now: Moment) -> Idleness;
        fn audience(template: &Self::Template) -> &Audience;
    }

    #[expect(private_interfaces, reason = "as above")]
    impl Kind for Circuit {
        type Builder = CircuitBuilder;
        type Template = CircuitTemplate;

        fn check(builder: CircuitBuilder) -> Result<(Name, CircuitTemplate), ConfigError> {
            let (name, template) = builder.checked()?;
            let template = template.of_family(&name);
            Ok((name, template))
        }

        fn make(template: &CircuitTemplate, name: Name) -> Circuit {
            template.make(name)
        }

        fn overflow(template: &CircuitTemplate, name: Name) -> Circuit {
            template.observing().make(name)
        }

        fn idleness(&mut self, _: &CircuitTemplate, now: Moment) -> Idleness {
            Circuit::idleness(self, now)
        }

        fn audience(template: &CircuitTemplate) -> &Audience {
            template.audience()
        }
    }

    #[expect(private_interfaces, reason = "as above")]
    impl Kind for Slots {
        type Builder = SlotsBuilder;
        type Template = SlotsTemplate;

        fn check(builder: SlotsBuilder) -> Result<(Name, SlotsTemplate), ConfigError> {
            let (name, template) = builder.checked()?;
            let template = template.of_family(&name);
            Ok((name, template))
        }

        fn make(template: &SlotsTemplate, name: Name) -> Slots {
            template.make(name)
        }

        fn overflow(template: &SlotsTemplate, name: Name) -> Slots {
            template.make(name)
        }

        fn idleness(&mut self, template: &SlotsTemplate, _: Moment) -> Idleness {
            Slots::idleness(self, template.limit())
        }

        fn audience(template: &SlotsTemplate) -> &Audience {
            template.audience()
        }
    }
}
