#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod args;
mod attrs;
mod check;
mod companions;
mod expand;
mod failure;
mod function;
mod generics;
mod group;
mod hints;
mod steps;

use proc_macro::TokenStream;
use syn::parse_quote;

/// Declares each attribute twice, once for `ctu-core` and once for `ctu-std`. The expansion refers
/// to the crate that the program imports the attribute from.
macro_rules! attributes {
    ($(#[doc = $doc:expr] $name:ident $name_std:ident: $expand:path;)*) => {$(
        #[doc = $doc]
        #[proc_macro_attribute]
        pub fn $name(args: TokenStream, item: TokenStream) -> TokenStream {
            $expand(args.into(), item.into(), parse_quote!(::ctu_core)).into()
        }

        #[doc = $doc]
        #[proc_macro_attribute]
        pub fn $name_std(args: TokenStream, item: TokenStream) -> TokenStream {
            $expand(args.into(), item.into(), parse_quote!(::ctu_std)).into()
        }
    )*};
}
attributes! {
    #[doc = include_str!("../docs/cached.md")]
    cached cached_std: expand::cached;
    #[doc = include_str!("../docs/cache_methods.md")]
    cache_methods cache_methods_std: group::methods;
    #[doc = include_str!("../docs/cache_functions.md")]
    cache_functions cache_functions_std: group::functions;
}
