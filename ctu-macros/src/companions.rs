//! The companions of a cached function: `cache_in`, `cache_del`, `cache_key`, `refresh`,
//! `uncached`.

use crate::{
    args::Mode,
    attrs::Attrs,
    expand::{Expansion, Role, returned_type},
    steps::{Place, hygienic},
};
use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};
use syn::{FnArg, PatType, Signature, parse_quote};

impl Expansion<'_> {
    /// Declares a marker function. In an impl of a trait, the message of the compiler shows its
    /// name, and with it the missing option.
    pub(crate) fn trait_marker(&self) -> TokenStream {
        let name = self.name_of("is_in_an_impl_of_a_trait_so_write_in_trait");
        let everywhere = &self.attrs.everywhere;
        quote! {
            #(#everywhere)*
            #[doc(hidden)]
            #[allow(dead_code, clippy::all, clippy::pedantic)]
            fn #name() where Self: ::core::marker::Sized {}
        }
    }

    /// Declares the companions.
    pub(crate) fn companions(&self) -> TokenStream {
        let steps = self.steps;
        let runtime = &steps.runtime;
        let awaited = steps.awaited();
        let root = &steps.args.options.root;
        let function = steps.function;
        let name = &function.sig.ident;
        let Attrs {
            everywhere,
            calls,
            inner,
            ..
        } = self.attrs;
        let quiet = quote!(#[allow(dead_code, unused_variables, clippy::all, clippy::pedantic)]);

        let (trait_, typed) = self.cache_trait();
        let error = match &typed {
            Some(ty) => quote!(<#ty as #trait_>::Error),
            None => quote!(impl #root::CacheError),
        };
        let (bind, cache) = steps.cache();
        let key = steps.key(&cache, false);
        let contains = steps.step("contains", name.span());
        let delete = steps.step("delete", name.span());
        let found = quote!(::core::result::Result<bool, #error>);
        let cache_in = self.function(
            &self.name_of("cache_in"),
            Role::Query,
            found.clone(),
            quote!(#bind #contains(#cache, #key) #awaited),
        );
        let cache_del = self.function(
            &self.name_of("cache_del"),
            Role::Query,
            found,
            quote!(#bind #delete(#cache, #key) #awaited),
        );

        let key = steps.key(&cache, true);
        let key_type = match &typed {
            Some(ty) => quote!(impl ::core::ops::Deref<Target = <#ty as #trait_>::Key>),
            None => quote!(impl #runtime::KeyOfUntypedCache),
        };
        let cache_key = self.function(
            &self.name_of("cache_key"),
            Role::Key,
            quote!(::core::result::Result<#key_type, #root::Error>),
            quote!(#bind #runtime::into_key(#key)),
        );

        let refresh = self.refresh();
        let uncached = self.uncached();
        let docs = [
            format!("Returns whether the cache has the result of `{name}` for these arguments."),
            format!(
                "Removes the result of `{name}` for these arguments from its cache. Returns whether it existed."
            ),
            format!("Returns the key of `{name}` for these arguments."),
            format!("Runs `{name}` without its cache."),
            format!("Runs `{name}` and replaces the stored result."),
        ];
        // Methods of a trait are as visible as the trait. The macro cannot see that visibility.
        let vis = match steps.place {
            Place::Trait => quote!(pub),
            _ => steps.function.vis.to_token_stream(),
        };
        let [in_doc, del_doc, key_doc, uncached_doc, refresh_doc] = docs;
        quote! {
            #(#everywhere)* #[doc = #in_doc] #quiet #vis #cache_in
            #(#everywhere)* #[doc = #del_doc] #quiet #vis #cache_del
            #(#everywhere)* #[doc = #key_doc] #quiet #vis #cache_key
            #(#everywhere)* #(#calls)* #[doc = #refresh_doc] #quiet #vis #refresh
            #(#everywhere)* #(#calls)* #(#inner)* #[doc = #uncached_doc] #vis #uncached
        }
    }

    /// The trait of the cache, and the type of the cache if the option names it.
    fn cache_trait(&self) -> (TokenStream, Option<&syn::Type>) {
        let root = &self.steps.args.options.root;
        let trait_ = match (self.steps.is_async(), self.steps.args.options.mode) {
            (false, _) | (true, Mode::Blocking) => quote!(#root::Cache),
            (true, Mode::Local) => quote!(#root::LocalAsyncCache),
            (true, Mode::Any) => quote!(#root::AsyncCache),
        };
        (trait_, self.steps.args.cache_type.as_ref())
    }

    fn refresh(&self) -> TokenStream {
        let steps = self.steps;
        let runtime = &steps.runtime;
        let (bind, cache) = steps.cache();
        let key = steps.key(&cache, false);
        let run_and_ttl = steps.run_and_ttl(false);
        let name = self.name_of("refresh");
        let reports = steps.reports(&match steps.place {
            Place::Free => format!("{}::{name}", steps.function.sig.ident),
            _ => name.to_string(),
        });
        let [key_, returned] = ["key", "returned"].map(hygienic);
        let store = self.store(quote!(#runtime::EntryState::Stale), false);
        let body = quote! {
            #reports
            #bind
            let #key_ = #runtime::into_key(#key);
            #run_and_ttl
            #store
            #returned
        };
        self.function(&name, Role::Call, returned_type(steps), body)
    }

    /// Declares the original function under the name of the companion.
    fn uncached(&self) -> TokenStream {
        let function = self.steps.function;
        let body = &function.body;
        let mut sig = function.sig.clone();
        sig.ident = self.name_of("uncached");
        // The body may not use the argument that is the cache.
        for (param, input) in self.steps.params.iter().zip(typed(&mut sig)) {
            if self.steps.is_cache_root(param) {
                input.attrs.push(parse_quote!(#[allow(unused_variables)]));
            }
        }
        quote!(#sig #body)
    }
}

/// The arguments without `self`.
fn typed(sig: &mut Signature) -> impl Iterator<Item = &mut PatType> {
    sig.inputs.iter_mut().filter_map(|input| match input {
        FnArg::Typed(typed) => Some(typed),
        FnArg::Receiver(_) => None,
    })
}
