use crate::{
    args::{Args, Mode, OnError, SingleFlight},
    attrs::Attrs,
    function::Function,
    steps::{Access, Place, Steps, own},
};
use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens as _, format_ident, quote, quote_spanned};
use syn::{
    Error, FnArg, PatType, Path, ReceiverKind, Result, Signature, parse_quote, parse2,
    spanned::Spanned,
};

/// `#[cached]`. On an error the function stays as it was, so that no error follows from its absence.
pub(crate) fn cached(args: TokenStream, item: TokenStream, root: Path) -> TokenStream {
    expand(args, item.clone(), root).unwrap_or_else(|error| beside(error, item))
}

/// An error, and the item as it was.
pub(crate) fn beside(error: Error, item: TokenStream) -> TokenStream {
    let error = error.into_compile_error();
    quote!(#error #item)
}

fn expand(args: TokenStream, item: TokenStream, root: Path) -> Result<TokenStream> {
    let parsed = Args::parse(args.clone(), root)?;
    let function: Function = parse2(item)?;
    let place = if parsed.options.in_trait {
        Place::Alone
    } else if parsed.options.method || function.is_method(&args) {
        Place::Method
    } else {
        Place::Free
    };
    expand_at(&parsed, function, place)
}

/// The function with its cache, and what comes beside it.
pub(crate) fn expand_at(args: &Args, function: Function, place: Place) -> Result<TokenStream> {
    let Expanded { cached, beside } = expand_apart(args, function, place)?;
    Ok(quote!(#cached #beside))
}

/// What a function becomes.
pub(crate) struct Expanded {
    pub(crate) cached: TokenStream,
    /// What comes beside it, with its visibility.
    pub(crate) beside: TokenStream,
}

pub(crate) fn expand_apart(args: &Args, mut function: Function, place: Place) -> Result<Expanded> {
    function.check()?;
    if let Some(at) = Attrs::position_of(&function.attrs, "cached") {
        let span = function
            .attrs
            .get(at)
            .map_or(function.sig.ident.span(), Spanned::span);
        return Err(Error::new(
            span,
            "this function is cached twice: leave one attribute out",
        ));
    }
    let attrs = Attrs::new(std::mem::take(&mut function.attrs));
    let steps = Steps::new(args, &function, place)?;
    let function = Expansion {
        steps: &steps,
        attrs: &attrs,
    };
    let cached = function.cached();
    let beside = match place {
        Place::Free => {
            let beside = function.beside();
            let (everywhere, runtime) = (&attrs.everywhere, &steps.runtime);
            let (vis, name) = (&steps.function.vis, &steps.function.sig.ident);
            let doc = format!("What comes beside the cached function `{name}`.");
            // The macro's name is in the compiler's message where this stands in an impl block.
            quote! {
                #runtime::in_an_impl_write_method! {
                    [#(#everywhere)*] #doc #vis #name { #beside }
                }
            }
        }
        Place::Method => {
            let beside = function.beside();
            let told = function.tells_of_traits();
            quote!(#told #beside)
        }
        Place::Trait => function.beside(),
        Place::Alone => TokenStream::new(),
    };
    Ok(Expanded { cached, beside })
}

/// What a function does, as far as its signature shows it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Runs the user's code.
    Call,
    /// Asks the cache: `&self` is enough.
    Ask,
    /// Makes the key, for which nothing is awaited.
    Key,
}

struct Expansion<'a> {
    steps: &'a Steps<'a>,
    attrs: &'a Attrs,
}

impl Expansion<'_> {
    fn name_of(&self, what: &str) -> Ident {
        let name = &self.steps.function.sig.ident;
        match self.steps.place {
            Place::Free => Ident::new(what, name.span()),
            _ => format_ident!("{name}_{what}", span = name.span()),
        }
    }

    /// A function with the arguments of this one.
    fn function(
        &self,
        name: &Ident,
        form: Form,
        returned: TokenStream,
        body: TokenStream,
    ) -> TokenStream {
        let sig = &self.steps.function.sig;
        let generics = &sig.generics;
        let asyncness = sig.asyncness.filter(|_| form != Form::Key);
        let receiver = sig.inputs.iter().find_map(|input| match input {
            FnArg::Receiver(receiver) => Some(match &receiver.kind {
                ReceiverKind::Reference(and, lifetime, Some(_)) if form != Form::Call => {
                    let this = receiver.self_token;
                    quote!(#and #lifetime #this)
                }
                _ => quote!(#receiver),
            }),
            FnArg::Typed(_) => None,
        });
        let inputs = receiver
            .into_iter()
            .chain(self.steps.params.iter().map(|param| param.declared()));
        let where_clause = &generics.where_clause;
        quote! {
            #asyncness fn #name #generics (#(#inputs),*) -> #returned #where_clause { #body }
        }
    }

    /// A function whose name is in the compiler's message where no function may stand beside this one.
    fn tells_of_traits(&self) -> TokenStream {
        let name = self.name_of("is_in_an_impl_of_a_trait_so_write_in_trait");
        let everywhere = &self.attrs.everywhere;
        quote! {
            #(#everywhere)*
            #[doc(hidden)]
            #[allow(dead_code, clippy::all, clippy::pedantic)]
            fn #name() where Self: ::core::marker::Sized {}
        }
    }

    /// The function that its callers see.
    fn cached(&self) -> TokenStream {
        let steps = self.steps;
        let (runtime, awaited) = (&steps.runtime, steps.awaited());
        let sig = &steps.function.sig;
        let (bind, cache) = steps.cache();
        let key = steps.key(&cache, false);
        let (run, ttl, policy) = (steps.run(), steps.ttl(), steps.policy());
        let (unread, unwritten) = (steps.on_error(Access::Read), steps.on_error(Access::Write));
        let (read, written) = (
            steps.on_success(Access::Read),
            steps.on_success(Access::Write),
        );
        let reports = steps.reports();
        let [key_, looked, missed, returned, ttl_, error] =
            ["key", "looked", "missed", "returned", "ttl", "error"].map(own);
        let failed = match steps.args.options.on_error {
            OnError::Return(_) => unread.clone(),
            _ => quote!({ #unread; false }),
        };
        let span = returned_type(steps).span();
        let (look, keep) = (steps.step("look", span), steps.step("keep", span));
        let look = quote_spanned!(span=> #look(#cache, &#key_, #policy) #awaited);
        let keep = quote_spanned!(span=>
            #keep(#cache, &#key_, &#returned, #ttl_, #policy) #awaited
        );
        let missed_or_failed = quote! {
            let #missed = match #looked {
                #runtime::Look::Hit(#returned) => return #returned,
                #runtime::Look::Miss => {
                    #read
                    true
                }
                #runtime::Look::Failed(#error) => #failed,
            };
        };
        let run_and_keep = quote! {
            let #ttl_ = #ttl;
            let #returned = #run;
            if #missed {
                match #keep {
                    ::core::result::Result::Ok(true) => { #written }
                    ::core::result::Result::Ok(false) => {}
                    ::core::result::Result::Err(#error) => { #unwritten; }
                }
            }
            #returned
        };
        let rest = match &steps.args.options.single_flight {
            None => quote!(#missed_or_failed #run_and_keep),
            Some(single_flight) => {
                let rest = self.single_flight(single_flight, &missed_or_failed, &run_and_keep);
                let span = single_flight.span();
                let say = "`single_flight` needs the feature `std` of `ctu-core`: who waits has to be woken by an operating system. Leave it out, and callers that meet compute the same value";
                let runtime = steps.runtime_at(span);
                quote_spanned!(span=> #runtime::needs_std! { #say, #rest })
            }
        };
        let body = quote! {
            #reports
            #bind
            let #key_ = #key;
            let (#key_, #looked) = match #look {
                #runtime::Look::Hit(#returned) => {
                    #read
                    return #returned;
                }
                #looked => #runtime::missed(#key_, #looked),
            };
            #rest
        };
        let returned = returned_type(steps);
        let function = self.function(&sig.ident, Form::Call, returned, body);
        let (everywhere, outer) = (&self.attrs.everywhere, &self.attrs.outer);
        let vis = &steps.function.vis;
        // Where the body stands in it, the body's attributes do, too.
        let inner = (steps.place == Place::Alone).then_some(&self.attrs.inner);
        let inner = inner.into_iter().flatten();
        quote! {
            #(#everywhere)*
            #(#outer)*
            #(#inner)*
            #[allow(clippy::redundant_closure_call, clippy::needless_pass_by_value)]
            #vis #function
        }
    }

    /// What follows a miss with `single_flight`.
    fn single_flight(
        &self,
        single_flight: &SingleFlight,
        missed_or_failed: &TokenStream,
        run_and_keep: &TokenStream,
    ) -> TokenStream {
        let steps = self.steps;
        let (runtime, awaited) = (&steps.runtime, steps.awaited());
        let (_, cache) = steps.cache();
        let (run, policy) = (steps.run(), steps.policy());
        let written = steps.on_success(Access::Write);
        let flights = steps.flights(single_flight);
        let [key, looked, missed, returned, error] =
            ["key", "looked", "missed", "returned", "error"].map(own);
        let (run_, flight) = (own("run"), own("_flight"));
        if !steps.computes_within() {
            let fly = steps.step("fly", steps.function.sig.ident.span());
            return quote! {
                let (#looked, #flight) = #fly(#flights, #cache, &#key, #looked, #policy) #awaited;
                #missed_or_failed
                #run_and_keep
            };
        }
        // Where the error is returned, nothing comes after it.
        let (mut unread, mut unwritten) =
            (steps.on_error(Access::Read), steps.on_error(Access::Write));
        if !matches!(steps.args.options.on_error, OnError::Return(_)) {
            unread = quote!(#unread; #run_());
            unwritten = quote!(#unwritten; #returned);
        }
        quote! {
            let #flight = #runtime::board(#flights, #cache, &#key, &#looked);
            #missed_or_failed
            let #run_ = || #run;
            if !#missed {
                return #run_();
            }
            match #runtime::compute(#cache, &#key, #run_, #policy) {
                #runtime::Computed::Done(#returned) => #returned,
                #runtime::Computed::Stored(#returned) => {
                    #written
                    #returned
                }
                #runtime::Computed::Failed(#returned, #error) => { #unwritten }
                #runtime::Computed::NotRun(#error, #run_) => { #unread }
            }
        }
    }

    /// The functions beside it.
    fn beside(&self) -> TokenStream {
        let steps = self.steps;
        let runtime = &steps.runtime;
        let awaited = steps.awaited();
        let root = &steps.args.options.root;
        let function = steps.function;
        let name = &function.sig.ident;
        let (everywhere, must_use, inner) = (
            &self.attrs.everywhere,
            &self.attrs.must_use,
            &self.attrs.inner,
        );
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
            Form::Ask,
            found.clone(),
            quote!(#bind #contains(#cache, #key) #awaited),
        );
        let cache_del = self.function(
            &self.name_of("cache_del"),
            Form::Ask,
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
            Form::Key,
            quote!(::core::result::Result<#key_type, #root::Error>),
            quote!(#bind #runtime::made(#key)),
        );

        let refresh = self.refresh();
        let uncached = self.uncached();
        let docs = [
            format!("Whether the result of `{name}` for these arguments is in its cache."),
            format!(
                "Removes the result of `{name}` for these arguments from its cache, and says whether it was there."
            ),
            format!("The key of the result of `{name}` for these arguments."),
            format!("What `{name}` does without its cache."),
            format!(
                "Computes the result of `{name}` anew, and stores it in place of what was stored before."
            ),
        ];
        // What is in an impl of a trait is as visible as the trait, which does not show here.
        let vis = match steps.place {
            Place::Trait => quote!(pub),
            _ => steps.function.vis.to_token_stream(),
        };
        let [in_doc, del_doc, key_doc, uncached_doc, refresh_doc] = docs;
        quote! {
            #(#everywhere)* #[doc = #in_doc] #quiet #vis #cache_in
            #(#everywhere)* #[doc = #del_doc] #quiet #vis #cache_del
            #(#everywhere)* #[doc = #key_doc] #quiet #vis #cache_key
            #(#everywhere)* #(#must_use)* #[doc = #refresh_doc] #quiet #vis #refresh
            #(#everywhere)* #(#must_use)* #(#inner)* #[doc = #uncached_doc] #vis #uncached
        }
    }

    /// The trait of the cache, and the cache's type where it is named.
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
        let (run, ttl, policy) = (steps.run(), steps.ttl(), steps.policy());
        let (unwritten, written) = (
            steps.on_error(Access::Write),
            steps.on_success(Access::Write),
        );
        let reports = steps.reports();
        let awaited = steps.awaited();
        let [key_, returned, ttl_, error] = ["key", "returned", "ttl", "error"].map(own);
        let span = returned_type(steps).span();
        let renew = steps.step("renew", span);
        let renew = quote_spanned!(span=>
            #renew(#cache, &#key_, &#returned, #ttl_, #policy) #awaited
        );
        let body = quote! {
            #reports
            #bind
            let #key_ = #runtime::made(#key);
            let #ttl_ = #ttl;
            let #returned = #run;
            match #renew {
                ::core::result::Result::Ok(true) => { #written }
                ::core::result::Result::Ok(false) => {}
                ::core::result::Result::Err(#error) => { #unwritten; }
            }
            #returned
        };
        self.function(
            &self.name_of("refresh"),
            Form::Call,
            returned_type(steps),
            body,
        )
    }

    /// The function as it was written, under another name.
    fn uncached(&self) -> TokenStream {
        let function = self.steps.function;
        let body = &function.body;
        let mut sig = function.sig.clone();
        sig.ident = self.name_of("uncached");
        // An argument that is the cache has done its work.
        for (param, input) in self.steps.params.iter().zip(typed(&mut sig)) {
            if self.steps.is_cache_root(param) {
                input.attrs.push(parse_quote!(#[allow(unused_variables)]));
            }
        }
        quote!(#sig #body)
    }
}

/// The arguments but for `self`.
fn typed(sig: &mut Signature) -> impl Iterator<Item = &mut PatType> {
    sig.inputs.iter_mut().filter_map(|input| match input {
        FnArg::Typed(typed) => Some(typed),
        FnArg::Receiver(_) => None,
    })
}

fn returned_type(steps: &Steps<'_>) -> TokenStream {
    match &steps.function.sig.output {
        syn::ReturnType::Type(_, ty) => quote!(#ty),
        syn::ReturnType::Default => quote!(()),
    }
}
