use syn::{Attribute, Meta, Path, parse_quote};

/// The attributes of a function, by where they belong in what it expands to.
#[derive(Default)]
pub(crate) struct Attrs {
    /// Whether there is a function at all, and which lints it is excused from: everywhere.
    pub(crate) everywhere: Vec<Attribute>,
    /// What its callers see: docs, `must_use`, `deprecated`.
    pub(crate) outer: Vec<Attribute>,
    /// All others: they were written below `#[cached]`, and so are of the function that it wraps.
    pub(crate) inner: Vec<Attribute>,
    /// `must_use`, which is as true of the function without its cache.
    pub(crate) must_use: Vec<Attribute>,
}

impl Attrs {
    pub(crate) fn new(attrs: Vec<Attribute>) -> Self {
        let mut sorted = Self::default();
        for attr in attrs {
            let name = attr
                .path()
                .segments
                .last()
                .map(|last| last.ident.to_string());
            match name.as_deref().unwrap_or_default() {
                "cfg" | "cfg_attr" | "allow" | "warn" | "deny" | "forbid" => {
                    sorted.everywhere.push(attr);
                }
                // An expectation is met once, where the body is; elsewhere it is a permission.
                "expect" => {
                    if let Meta::List(list) = &attr.meta {
                        let lints = &list.tokens;
                        sorted.outer.push(parse_quote!(#[allow(#lints)]));
                    }
                    sorted.inner.push(attr);
                }
                "doc" | "deprecated" => sorted.outer.push(attr),
                "must_use" => {
                    sorted.outer.push(attr.clone());
                    sorted.must_use.push(attr);
                }
                _ => sorted.inner.push(attr),
            }
        }
        sorted
    }

    /// Takes out the first attribute of a function that is of this macro, too.
    pub(crate) fn position_of(attrs: &[Attribute], name: &str) -> Option<usize> {
        let is = |path: &Path| path.segments.last().is_some_and(|last| last.ident == name);
        attrs.iter().position(|attr| is(attr.path()))
    }
}
