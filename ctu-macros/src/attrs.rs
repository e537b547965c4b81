use crate::function::any_ident;
use quote::ToTokens;
use syn::{
    Attribute, Error, Meta, Path, Result, Token, parse_quote, punctuated::Punctuated,
    spanned::Spanned,
};

/// The attributes of a function, by where they belong in what it expands to.
#[derive(Default)]
pub(crate) struct Attrs {
    /// Whether there is a function at all or in the docs, and which lints it is excused from: everywhere.
    pub(crate) everywhere: Vec<Attribute>,
    /// What its callers see: docs, `deprecated`.
    pub(crate) outer: Vec<Attribute>,
    /// All others: they were written below `#[cached]`, and so are of the function that it wraps.
    pub(crate) inner: Vec<Attribute>,
    /// `must_use` and `track_caller`, which are as true of the function without its cache.
    pub(crate) calls: Vec<Attribute>,
}

impl Attrs {
    pub(crate) fn new(attrs: Vec<Attribute>) -> Result<Self> {
        let mut sorted = Self::default();
        for attr in attrs {
            sorted.sort(attr.meta, &|meta| parse_quote!(#[#meta]))?;
        }
        Ok(sorted)
    }

    /// Puts an attribute where it belongs, made of its content by `attribute`.
    fn sort(&mut self, meta: Meta, attribute: &dyn Fn(&Meta) -> Attribute) -> Result<()> {
        let name = last_of(meta.path());
        match (name.as_str(), &meta) {
            // In a group the compiler has not looked at it yet.
            ("cfg_attr", Meta::List(list)) => {
                let parts =
                    list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)?;
                let mut parts = parts.into_iter();
                let Some(condition) = parts.next() else {
                    return Ok(());
                };
                for part in parts {
                    self.sort(part, &|meta| {
                        attribute(&parse_quote!(cfg_attr(#condition, #meta)))
                    })?;
                }
            }
            ("cfg" | "allow" | "warn" | "deny" | "forbid", _) => {
                self.everywhere.push(attribute(&meta));
            }
            // An expectation is met once, where the body is; elsewhere it is a permission.
            ("expect", Meta::List(list)) => {
                let lints = &list.tokens;
                self.outer.push(attribute(&parse_quote!(allow(#lints))));
                self.inner.push(attribute(&meta));
            }
            ("doc", Meta::List(list)) if any_ident(list.tokens.clone(), &|it| it == "hidden") => {
                self.everywhere.push(attribute(&meta));
            }
            ("doc" | "deprecated", _) => self.outer.push(attribute(&meta)),
            ("must_use" | "track_caller", _) => self.calls.push(attribute(&meta)),
            ("no_mangle" | "export_name" | "unsafe", _) if is_symbol(&meta) => {
                return Err(Error::new(
                    meta.span(),
                    "a cached function has no symbol of its own: put this on a function that calls it",
                ));
            }
            _ => self.inner.push(attribute(&meta)),
        }
        Ok(())
    }

    /// Where the first attribute of this name is, whatever the path to it.
    pub(crate) fn position_of(attrs: &[Attribute], name: &str) -> Option<usize> {
        attrs.iter().position(|attr| last_of(attr.path()) == name)
    }
}

/// Whether it names a symbol, with `unsafe(..)` around it or without.
fn is_symbol(meta: &Meta) -> bool {
    any_ident(meta.to_token_stream(), &|ident| {
        ident == "no_mangle" || ident == "export_name"
    })
}

fn last_of(path: &Path) -> String {
    let last = path.segments.last();
    last.map(|last| last.ident.to_string()).unwrap_or_default()
}
