//! The attributes of a cached function, sorted by the item that they belong to.

use crate::function::any_ident;
use quote::ToTokens;
use syn::{
    Attribute, Error, Meta, Path, Result, Token, parse_quote, punctuated::Punctuated,
    spanned::Spanned,
};

/// The attributes of a function, sorted by their place in the expansion.
#[derive(Default)]
pub(crate) struct Attrs {
    /// Attributes of all items of the expansion: conditions, hidden docs, lint levels.
    pub(crate) everywhere: Vec<Attribute>,
    /// Attributes of the cached function: docs, `deprecated`.
    pub(crate) outer: Vec<Attribute>,
    /// All other attributes. They stand below `#[cached]` and belong to the wrapped function.
    pub(crate) inner: Vec<Attribute>,
    /// `must_use` and `track_caller`. They hold for the cached and the uncached function.
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

    /// Sorts one attribute. `attribute` creates it from its content.
    fn sort(&mut self, meta: Meta, attribute: &dyn Fn(&Meta) -> Attribute) -> Result<()> {
        let name = last_of(meta.path());
        match (name.as_str(), &meta) {
            // The compiler has not evaluated it yet if the function is in a group.
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
            // Only the body fulfils an expectation. The other items get a permission.
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
                    "a cached function has no symbol: move this attribute to a function that calls it",
                ));
            }
            _ => self.inner.push(attribute(&meta)),
        }
        Ok(())
    }

    /// The position of the first attribute with this name, under any path.
    pub(crate) fn position_of(attrs: &[Attribute], name: &str) -> Option<usize> {
        attrs.iter().position(|attr| last_of(attr.path()) == name)
    }
}

/// Returns whether the attribute names a symbol, with or without `unsafe(..)` around it.
fn is_symbol(meta: &Meta) -> bool {
    any_ident(meta.to_token_stream(), &|ident| {
        ident == "no_mangle" || ident == "export_name"
    })
}

fn last_of(path: &Path) -> String {
    let last = path.segments.last();
    last.map(|last| last.ident.to_string()).unwrap_or_default()
}
