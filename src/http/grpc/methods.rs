use std::sync::Arc;

use crate::error::ConfigError;
use crate::error::check::Subject;
use crate::grpc::method::{method_flaw, path_of_service, service_flaw};

/// The gRPC methods that may be called again, because two such calls have the same effect as one. Every gRPC request is
/// a `POST`, so only their names tell. Nothing named is nothing retried.
///
/// # Clone
/// Costs a reference count, if any is named.
///
/// ```
/// use seaworthy::http::grpc::GrpcMethods;
///
/// let methods = GrpcMethods::builder()
///     .idempotent("/shop.Cart/Get")
///     .idempotent_service("shop.Catalogue")
///     .build()?;
/// assert!(methods.contains("/shop.Cart/Get") && methods.contains("/shop.Catalogue/List"));
/// assert!(!methods.contains("/shop.Cart/Add"));
/// # Ok::<(), seaworthy::ConfigError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GrpcMethods {
    /// Sorted. Paths of methods, and of services, which end in a slash.
    paths: Option<Arc<[Box<str>]>>,
}

impl GrpcMethods {
    /// None at all: nothing is retried, unless the settings of a policy name some.
    #[must_use]
    pub const fn new() -> GrpcMethods {
        GrpcMethods { paths: None }
    }

    /// Starts a list.
    pub fn builder() -> GrpcMethodsBuilder {
        GrpcMethodsBuilder { methods: Vec::new(), services: Vec::new() }
    }

    pub(super) fn of(mut paths: Vec<Box<str>>) -> GrpcMethods {
        paths.sort_unstable();
        paths.dedup();
        GrpcMethods { paths: (!paths.is_empty()).then(|| paths.into()) }
    }

    /// These and those that settings name.
    pub(super) fn and(self, more: &[Box<str>]) -> GrpcMethods {
        if more.is_empty() { self } else { GrpcMethods::of(self.paths().iter().chain(more).cloned().collect()) }
    }

    pub(super) fn paths(&self) -> &[Box<str>] {
        self.paths.as_deref().unwrap_or_default()
    }

    /// Whether the method with this path was named, by itself or with its service.
    #[must_use]
    #[inline]
    pub fn contains(&self, path: &str) -> bool {
        let Some(paths) = &self.paths else { return false };
        let has = |path: &str| paths.binary_search_by(|known| (**known).cmp(path)).is_ok();
        match path.rfind('/') {
            // What ends in a slash is no method, though it may be the path of a service.
            Some(slash) if slash + 1 < path.len() => has(path) || has(&path[..=slash]),
            _ => false,
        }
    }
}

/// A list of methods. Made by [`GrpcMethods::builder`]; nothing is checked before [`build`](Self::build).
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct GrpcMethodsBuilder {
    methods: Vec<Box<str>>,
    services: Vec<Box<str>>,
}

impl GrpcMethodsBuilder {
    /// Names a method by its exact path, such as `/shop.Cart/Get`.
    pub fn idempotent(mut self, path: impl Into<Box<str>>) -> GrpcMethodsBuilder {
        self.methods.push(path.into());
        self
    }

    /// Names all methods of a service, such as `shop.Catalogue`.
    pub fn idempotent_service(mut self, name: impl Into<Box<str>>) -> GrpcMethodsBuilder {
        self.services.push(name.into());
        self
    }

    /// Checks the names.
    ///
    /// # Errors
    /// The first path that is not `/service/method`, or service whose name has a slash, and the rule.
    pub fn build(self) -> Result<GrpcMethods, ConfigError> {
        let subject = Subject::of("grpc methods");
        let GrpcMethodsBuilder { methods: mut paths, services } = self;
        for path in &paths {
            method_flaw(path).map_or(Ok(()), |rule| Err(subject.refuse("idempotent", path, rule)))?;
        }
        for name in &services {
            service_flaw(name).map_or(Ok(()), |rule| Err(subject.refuse("idempotent_service", name, rule)))?;
        }
        paths.extend(services.iter().map(|name| path_of_service(name)));
        Ok(GrpcMethods::of(paths))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// GR-06: by exact path or service, and nothing else; nothing named is nothing at all.
    #[test]
    fn gr_06_membership() {
        let builder = GrpcMethods::builder().idempotent_service("shop.Catalogue").idempotent("/shop.Cart/Get");
        let methods = builder.build().expect("valid names");
        for path in ["/shop.Cart/Get", "/shop.Catalogue/Get", "/shop.Catalogue/List"] {
            assert!(methods.contains(path), "{path}");
        }
        for path in [
            "",
            "/",
            "*",
            "/shop.Cart/Put",
            "/shop.Cart/Ge",
            "/shop.Cart/Gets",
            "/shop.Cart/",
            "/shop.Cart",
            "/Shop.Cart/Get",
            "/shop.Catalogue",
            "/shop.Catalogue/",
            "/shop.Catalogue/a/b",
            "/shop.CatalogueX/Get",
            "/x/shop.Cart/Get",
        ] {
            assert!(!methods.contains(path), "{path}");
        }
        let none = GrpcMethods::new();
        assert!(!none.contains("/a/b") && !none.contains("/shop.Cart/Get"));
        assert_eq!(GrpcMethods::builder().build(), Ok(none.clone()));
        let more = [Box::from("/a/b")];
        assert!(methods.clone().and(&more).contains("/a/b") && methods.clone().and(&more).contains("/shop.Cart/Get"));
        assert_eq!((methods.clone().and(&[]), none.and(methods.paths())), (methods.clone(), methods));
    }
}
