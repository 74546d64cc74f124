//! Access to the inner service, which every service offers, written once.

/// `get_ref`, `get_mut` and `into_inner`, for an `impl` whose `S` is the inner service.
///
/// Takes where the inner service is, and what happens to calls made on it directly. `unready` runs before `get_mut`
/// lends the inner service out, because the caller may use up its readiness. `through` is for a service that wraps
/// another one of this crate's.
macro_rules! accessors {
    ($self:ident.$inner:ident, $called_directly:literal $(, unready: $unready:expr)?) => {
        accessors! {
            @ $self, $called_directly, &$self.$inner, { $($unready;)? &mut $self.$inner }, $self.$inner
        }
    };
    (through $self:ident.$outer:ident, $called_directly:literal) => {
        accessors! {
            @ $self, $called_directly, $self.$outer.get_ref(), $self.$outer.get_mut(), $self.$outer.into_inner()
        }
    };
    (@ $self:ident, $called_directly:literal, $get_ref:expr, $get_mut:expr, $into_inner:expr) => {
        /// The inner service.
        pub fn get_ref(&$self) -> &S {
            $get_ref
        }

        #[doc = concat!("The inner service. ", $called_directly)]
        pub fn get_mut(&mut $self) -> &mut S {
            $get_mut
        }

        /// Unwraps the inner service.
        pub fn into_inner($self) -> S {
            $into_inner
        }
    };
}
