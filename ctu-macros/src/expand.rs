//! The expansion of a cached function.

use crate::{
    args::{Args, OnError, SingleFlight},
    attrs::Attrs,
    failure::Access,
    function::Function,
    steps::{Place, Steps, hygienic},
};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{Error, FnArg, Path, ReceiverKind, Result, parse_quote, parse2, spanned::Spanned};

/// Expands `#[cached]`. With an error, the original function is kept, so that its absence does not
/// cause further errors.
pub(crate) fn cached(args: TokenStream, item: TokenStream, root: Path) -> TokenStream {
    expand(args, item.clone(), root).unwrap_or_else(|error| error_with_item(error, item))
}

/// The error and the original item.
pub(crate) fn error_with_item(error: Error, item: TokenStream) -> TokenStream {
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

/// The cached function and its companions.
pub(crate) fn expand_at(args: &Args, function: Function, place: Place) -> Result<TokenStream> {
    let Expanded { cached, companions } = expand_apart(args, function, place)?;
    Ok(quote!(#cached #companions))
}

/// The parts of an expansion.
pub(crate) struct Expanded {
    pub(crate) cached: TokenStream,
    /// The companions, with the visibility of the function.
    pub(crate) companions: TokenStream,
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
    let attrs = Attrs::new(std::mem::take(&mut function.attrs))?;
    let steps = Steps::new(args, &function, place)?;
    let function = Expansion {
        steps: &steps,
        attrs: &attrs,
    };
    let cached = function.cached();
    let companions = match place {
        Place::Free => {
            let companions = function.companions();
            let (everywhere, runtime) = (&attrs.everywhere, &steps.runtime);
            let (vis, name) = (&steps.function.vis, &steps.function.sig.ident);
            let doc = format!("The companions of the cached function `{name}`.");
            // In an impl block, the message of the compiler shows the name of this macro.
            quote! {
                #runtime::in_an_impl_write_method! {
                    [#(#everywhere)*] #doc #vis #name { #companions }
                }
            }
        }
        Place::Method => {
            let companions = function.companions();
            let marker = function.trait_marker();
            quote!(#marker #companions)
        }
        Place::Trait => function.companions(),
        Place::Alone => TokenStream::new(),
    };
    Ok(Expanded { cached, companions })
}

/// The purpose of a generated function. It determines the signature.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Runs the user's code.
    Call,
    /// Queries the cache: `&self` is enough.
    Query,
    /// Makes the key, without `async`.
    Key,
}

pub(crate) struct Expansion<'a> {
    pub(crate) steps: &'a Steps<'a>,
    pub(crate) attrs: &'a Attrs,
}

impl Expansion<'_> {
    pub(crate) fn name_of(&self, suffix: &str) -> Ident {
        let name = &self.steps.function.sig.ident;
        match self.steps.place {
            Place::Free => Ident::new(suffix, name.span()),
            _ => format_ident!("{name}_{suffix}", span = name.span()),
        }
    }

    /// Declares a function with the arguments of the cached function.
    pub(crate) fn function(
        &self,
        name: &Ident,
        role: Role,
        returned: TokenStream,
        body: TokenStream,
    ) -> TokenStream {
        let sig = &self.steps.function.sig;
        let mut generics = sig.generics.clone();
        // In a trait, a companion must not prevent a `dyn` trait.
        if self.steps.place == Place::Method && *name != sig.ident {
            let sized = parse_quote!(Self: ::core::marker::Sized);
            generics.make_where_clause().predicates.push(sized);
        }
        let asyncness = sig.asyncness.filter(|_| role != Role::Key);
        let receiver = sig.inputs.iter().find_map(|input| match input {
            FnArg::Receiver(receiver) => Some(match &receiver.kind {
                ReceiverKind::Reference(and, lifetime, Some(_)) if role != Role::Call => {
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

    /// Declares the cached function.
    fn cached(&self) -> TokenStream {
        let steps = self.steps;
        let (runtime, awaited) = (&steps.runtime, steps.awaited());
        let sig = &steps.function.sig;
        let (bind, cache) = steps.cache();
        let key = steps.key(&cache, false);
        let in_flight = steps.args.options.single_flight.is_some();
        let (run_and_ttl, policy) = (steps.run_and_ttl(in_flight), steps.policy());
        let (on_read_error, read) = (steps.on_error(Access::Read), steps.on_success(Access::Read));
        let reports = steps.reports(&sig.ident.to_string());
        let [key_, lookup, state, returned, error] =
            ["key", "lookup", "state", "returned", "error"].map(hygienic);
        let failed = match steps.args.options.on_error {
            OnError::Return(_) => on_read_error.clone(),
            _ => quote!({ #on_read_error; #runtime::EntryState::after(&#error) }),
        };
        let span = returned_type(steps).span();
        let look_up = steps.step("lookup", span);
        let look_up = quote_spanned!(span=> #look_up(#cache, &#key_, #policy) #awaited);
        let store = self.store(quote!(#state), in_flight);
        let on_miss = quote! {
            let #state = match #lookup {
                #runtime::Lookup::Hit(#returned) => return #returned,
                #runtime::Lookup::Miss => {
                    #read
                    #runtime::EntryState::Absent
                }
                #runtime::Lookup::Failed(#error) => #failed,
            };
        };
        let run_and_store = quote! {
            #run_and_ttl
            if #state.is_known() {
                #store
            }
            #returned
        };
        let rest = match &steps.args.options.single_flight {
            None => quote!(#on_miss #run_and_store),
            Some(single_flight) => {
                let rest = self.single_flight(single_flight, &on_miss, &run_and_store);
                let span = single_flight.span();
                let message = "`single_flight` needs the feature `std` of `ctu-core`: an operating system wakes waiting callers. Without `single_flight`, concurrent callers compute the same value";
                let runtime = steps.runtime_at(span);
                quote_spanned!(span=> #runtime::needs_std! { #message, #rest })
            }
        };
        let body = quote! {
            #reports
            #bind
            let #key_ = #key;
            let (#key_, #lookup) = match #look_up {
                #runtime::Lookup::Hit(#returned) => {
                    #read
                    return #returned;
                }
                #lookup => #runtime::after_miss(#key_, #lookup),
            };
            #rest
        };
        let returned = returned_type(steps);
        let function = self.function(&sig.ident, Role::Call, returned, body);
        let Attrs {
            everywhere,
            outer,
            calls,
            ..
        } = self.attrs;
        let vis = &steps.function.vis;
        // The cached function has the attributes of the body if it contains the body.
        let inner = (steps.place == Place::Alone).then_some(&self.attrs.inner);
        let inner = inner.into_iter().flatten();
        quote! {
            #(#everywhere)*
            #(#outer)*
            #(#calls)*
            #(#inner)*
            #[allow(clippy::redundant_closure_call, clippy::needless_pass_by_value)]
            #vis #function
        }
    }

    /// Stores the result of the function, given the `state` of the entry, and ends the flight.
    pub(crate) fn store(&self, state: TokenStream, in_flight: bool) -> TokenStream {
        let steps = self.steps;
        let (policy, awaited) = (steps.policy(), steps.awaited());
        let (_, cache) = steps.cache();
        let (on_write_error, written) = (
            steps.on_error(Access::Write),
            steps.on_success(Access::Write),
        );
        let [key, returned, outcome, ttl, error] =
            ["key", "returned", "outcome", "ttl", "error"].map(hygienic);
        let runtime = &steps.runtime;
        let flight = hygienic("flight");
        let finish = in_flight.then(|| quote!(#runtime::finish(&mut #flight);));
        let span = returned_type(steps).span();
        let (outcome_of, store) = (steps.step("outcome", span), steps.step("store", span));
        let outcome_of = quote_spanned!(span=> #outcome_of(#cache, &#returned, #policy));
        let store = quote_spanned!(span=>
            #store(#cache, &#key, #outcome, #ttl, #state) #awaited
        );
        quote! {
            let #outcome = #outcome_of;
            match #store {
                ::core::result::Result::Ok(true) => { #written #finish }
                ::core::result::Result::Ok(false) => {}
                ::core::result::Result::Err(#error) => { #on_write_error; }
            }
        }
    }

    /// The steps after a miss with `single_flight`.
    fn single_flight(
        &self,
        single_flight: &SingleFlight,
        on_miss: &TokenStream,
        run_and_store: &TokenStream,
    ) -> TokenStream {
        let steps = self.steps;
        let (runtime, awaited) = (&steps.runtime, steps.awaited());
        let (_, cache) = steps.cache();
        let (run, policy) = (steps.run(false), steps.policy());
        let written = steps.on_success(Access::Write);
        let flights = steps.flights(single_flight);
        let [key, lookup, state, returned, error] =
            ["key", "lookup", "state", "returned", "error"].map(hygienic);
        let (run_, flight) = (hygienic("run"), hygienic("flight"));
        if !steps.uses_get_or_compute() {
            let join = steps.step("join_then_lookup", steps.function.sig.ident.span());
            return quote! {
                let (#lookup, mut #flight) =
                    #join(#flights, #cache, &#key, #lookup, #policy, true) #awaited;
                #on_miss
                #run_and_store
            };
        }
        // No code follows a returned error.
        let (mut on_read_error, mut on_write_error) =
            (steps.on_error(Access::Read), steps.on_error(Access::Write));
        if !matches!(steps.args.options.on_error, OnError::Return(_)) {
            on_read_error = quote!(#on_read_error; #run_());
            on_write_error = quote!(#on_write_error; #returned);
        }
        quote! {
            let (#lookup, #flight) = #runtime::join(#flights, #cache, &#key, #lookup, #policy);
            #on_miss
            let #run_ = || #run;
            if !#state.is_known() {
                return #run_();
            }
            match #runtime::compute(#cache, &#key, #run_, #state, #policy, #flight) {
                #runtime::Computed::Done(#returned) => #returned,
                #runtime::Computed::Stored(#returned) => {
                    #written
                    #returned
                }
                #runtime::Computed::Failed(#returned, #error) => { #on_write_error }
                #runtime::Computed::NotRun(#error, #run_) => { #on_read_error }
            }
        }
    }
}

pub(crate) fn returned_type(steps: &Steps<'_>) -> TokenStream {
    match &steps.function.sig.output {
        syn::ReturnType::Type(_, ty) => quote!(#ty),
        syn::ReturnType::Default => quote!(()),
    }
}
