//! Pointers to caches and observed caches forward every method of the traits.

use super::root;
use std::fs;

/// The methods that the trait `name` in `source` declares, without those that need a sized type:
/// these stand on the others.
fn methods(source: &str, name: &str) -> Vec<String> {
    let begin = source.find(name).unwrap();
    let body = &source[begin..];
    let body = &body[..body.find("\n}").unwrap()];
    let declared = body.split("\n    fn ").skip(1);
    let unsized_ones = declared.filter(|method| {
        let signature = method.split(['{', ';']).next().unwrap();
        !signature.contains("Self: Sized")
    });
    unsized_ones
        .map(|method| method.split(['(', '<']).next().unwrap().to_owned())
        .collect()
}

#[test]
fn every_method_of_a_cache_is_forwarded() {
    let read = |path: &str| fs::read_to_string(root().join("ctu-core/src").join(path)).unwrap();
    let methods = methods(&read("caches/cache.rs"), "pub trait Cache {");
    assert!(methods.len() > 15, "{methods:?}");
    for path in ["caches/forward.rs", "behaviours/observed.rs"] {
        let source = read(path);
        for method in &methods {
            assert!(
                source.contains(&format!(" {method}(")),
                "{path} does not forward `{method}`"
            );
        }
    }
}
