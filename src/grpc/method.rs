/// What a method's path breaks, if anything.
pub(crate) fn method_flaw(path: &str) -> Option<&'static str> {
    let name = path.strip_prefix('/').and_then(|path| path.split_once('/'));
    let fine = name.is_some_and(|(service, method)| is_name(service) && is_name(method));
    (!fine).then_some("must be the path of a method, such as /shop.Cart/Get")
}

/// What a service's name breaks, if anything.
pub(crate) fn service_flaw(name: &str) -> Option<&'static str> {
    (!is_name(name)).then_some("must be the name of a service without slashes, such as shop.Cart")
}

/// What can be between two slashes of a path.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'/' | b'?' | b'#'))
}

/// The path that stands for all methods of a service.
pub(crate) fn path_of_service(name: &str) -> Box<str> {
    format!("/{name}/").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// GR-06: a method's path has exactly two slashes, and a service's name none.
    #[test]
    fn gr_06_flaws() {
        for path in ["/shop.Cart/Get", "/Cart/Get", "/a/b", "/shop.Cart/get_all-2"] {
            assert_eq!(method_flaw(path), None, "{path}");
        }
        for path in [
            "", "/", "//", "///", "a", "a/b", "/a", "/a/", "//b", "/a/b/", "/a/b/c", "a/b/c", " /a/b", "/a /b",
            "/a/b?", "/a/b#", "/ä/b", "/a/b\n",
        ] {
            assert!(method_flaw(path).is_some_and(|rule| rule.contains("/shop.Cart/Get")), "{path:?}");
        }
        assert_eq!((service_flaw("shop.Cart"), service_flaw("Cart")), (None, None));
        for name in ["", "/", "/shop.Cart", "shop.Cart/", "shop.Cart/Get", "shop Cart"] {
            assert!(service_flaw(name).is_some_and(|rule| rule.contains("shop.Cart")), "{name:?}");
        }
    }
}
