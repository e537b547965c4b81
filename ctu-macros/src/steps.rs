//! The parts that generated functions share: the cache, the key, the call without the cache.

use crate::{
    args::{Args, Key, Mode, SingleFlight},
    function::{Function, Param, SelfKind},
};
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens as _, format_ident, quote, quote_spanned};
use syn::{Expr, ExprLit, Lit, Pat, Result, ReturnType, ext::IdentExt, spanned::Spanned};

/// The place of the function, and the place of its companions.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In a module or a block. The companions are functions of a type of the same name.
    Free,
    /// In an impl block. The companions are methods named after the function.
    Method,
    /// In an impl of a trait. The companions are methods of the type, in a separate impl block.
    Trait,
    /// In an impl of a trait, without companions.
    Alone,
}

pub(crate) struct Steps<'a> {
    pub(crate) args: &'a Args,
    pub(crate) function: &'a Function,
    pub(crate) params: Vec<Param>,
    pub(crate) self_kind: SelfKind,
    pub(crate) place: Place,
    /// `crate::cached`
    pub(crate) runtime: TokenStream,
    cache_root: Option<Ident>,
}

/// A hygienic name: it cannot collide with a name of the user.
pub(crate) fn hygienic(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

impl<'a> Steps<'a> {
    pub(crate) fn new(args: &'a Args, function: &'a Function, place: Place) -> Result<Self> {
        let root = &args.options.root;
        let steps = Self {
            args,
            function,
            params: function.params(),
            self_kind: function.self_kind()?,
            place,
            runtime: quote!(#root::cached),
            cache_root: root_of(&args.cache).cloned(),
        };
        steps.check()?;
        Ok(steps)
    }

    pub(crate) fn is_async(&self) -> bool {
        self.function.sig.asyncness.is_some()
    }

    pub(crate) fn awaited(&self) -> TokenStream {
        if self.is_async() {
            quote!(.await)
        } else {
            TokenStream::new()
        }
    }

    /// Waits for the result of the function, `call`. In a flight, an async computation may request its own key.
    fn result_of(&self, call: TokenStream, in_flight: bool) -> TokenStream {
        if !self.is_async() {
            return call;
        }
        if !in_flight {
            return quote!(#call.await);
        }
        let (runtime, flight) = (&self.runtime, hygienic("flight"));
        quote!(#runtime::Flight::run(&#flight, ::core::pin::pin!(#call)).await)
    }

    /// The blocking or async form of a function of the runtime, at `span`.
    pub(crate) fn step(&self, name: &str, span: Span) -> TokenStream {
        let name = if self.is_async() {
            format_ident!("{name}_async", span = span)
        } else {
            Ident::new(name, span)
        };
        let runtime = self.runtime_at(span);
        quote_spanned!(span=> #runtime::#name)
    }

    /// The path of the runtime. The compiler reports its errors at `span`.
    pub(crate) fn runtime_at(&self, span: Span) -> TokenStream {
        let respan = |mut token: TokenTree| {
            token.set_span(token.span().located_at(span));
            token
        };
        self.runtime.clone().into_iter().map(respan).collect()
    }

    /// The arguments of the key: all except skipped arguments and the cache.
    pub(crate) fn key_params(&self) -> impl Iterator<Item = &Param> {
        self.params.iter().filter(|param| {
            !self.args.options.skip.contains(&param.name) && !self.is_cache_root(param)
        })
    }

    /// Returns whether the cache is this argument or a part of it.
    pub(crate) fn is_cache_root(&self, param: &Param) -> bool {
        self.cache_root.as_ref() == Some(&param.name)
    }

    /// Returns whether the expression of the cache goes through a `&mut`.
    fn is_unique(&self) -> bool {
        let mut roots = self.params.iter().filter(|param| self.is_cache_root(param));
        self.self_kind == SelfKind::Mut || roots.any(|root| root.by_mut)
    }

    /// The statement that binds the cache, and the expression for a reference to it.
    ///
    /// An argument by `&mut` cannot stay borrowed while the body runs. In this case the expression
    /// is evaluated at each use.
    pub(crate) fn cache(&self) -> (TokenStream, TokenStream) {
        let cache = &self.args.cache;
        let span = cache.span();
        let name = Ident::new("cache", Span::mixed_site().located_at(span));
        let lent = match &self.args.cache_type {
            // The type coerces a `LazyLock` and other smart pointers.
            Some(ty) => quote_spanned!(span=> { let cache: &#ty = &(#cache); cache }),
            None => quote_spanned!(span=> &(#cache)),
        };
        let runtime = &self.runtime;
        let wrapper = match self.args.options.mode {
            Mode::Any => None,
            Mode::Blocking => Some(quote!(#runtime::BlockingOf)),
            Mode::Local => Some(quote!(#runtime::LocalOf)),
        };
        if self.is_unique() {
            let lent = match wrapper {
                Some(wrapper) => quote!(&#wrapper(#lent)),
                None => lent,
            };
            return (TokenStream::new(), lent);
        }
        let bind = match &self.args.cache_type {
            Some(ty) => quote_spanned!(span=> let #name: &#ty = &(#cache);),
            None => quote_spanned!(span=> let #name = &(#cache);),
        };
        if let Some(wrapper) = wrapper {
            return (quote!(#bind let #name = &#wrapper(#name);), quote!(#name));
        }
        (bind, quote!(#name))
    }

    /// The code for a `Result` of the key. With `outlives`, the key may outlive the call.
    pub(crate) fn key(&self, cache: &TokenStream, outlives: bool) -> TokenStream {
        let runtime = &self.runtime;
        let prefix = self.prefix();
        let lent: Vec<_> = self.key_params().map(Param::lent).collect();
        let (from, span) = match &self.args.options.key {
            None => {
                let span = self.function.sig.ident.span();
                let arguments = match self.single_owned_argument() {
                    Some(param) if outlives => {
                        let name = &param.name;
                        quote_spanned!(span=> (#runtime::ByValue(#name),))
                    }
                    _ => quote_spanned!(span=> (#(#lent,)*)),
                };
                let runtime = self.runtime_at(span);
                (quote_spanned!(span=> #runtime::Args(#arguments)), span)
            }
            Some(Key::Function(path)) => {
                let span = path.span();
                let runtime = self.runtime_at(span);
                (
                    quote_spanned!(span=> #runtime::CustomKey(#path(&(#(#lent,)*)))),
                    span,
                )
            }
            Some(Key::Closure(closure)) => {
                let span = closure.body.span();
                let runtime = self.runtime_at(span);
                let (capture, output, body) = (&closure.capture, &closure.output, &closure.body);
                let (pats, types): (Vec<_>, Vec<_>) = closure
                    .inputs
                    .iter()
                    .map(|input| match input {
                        Pat::Type(typed) => {
                            let (pat, ty) = (&typed.pat, &typed.ty);
                            (quote!(#pat), quote!(#ty))
                        }
                        pat => (quote!(#pat), quote!(_)),
                    })
                    .unzip();
                (
                    quote_spanned!(span=>
                        #runtime::CustomKey(#runtime::apply(
                            (#(#lent,)*),
                            #capture |(#(#pats,)*): (#(#types,)*)| #output #body,
                        ))
                    ),
                    span,
                )
            }
        };
        let step = self.step("key", span);
        quote_spanned!(span=> #step(#cache, #prefix, #from))
    }

    /// The prefix of the key: the option, or the path of the function. The runtime uses the path
    /// only if the type of the keys can hold it.
    fn prefix(&self) -> TokenStream {
        let runtime = &self.runtime;
        let name = self.function.sig.ident.unraw();
        match &self.args.options.prefix {
            Some(prefix) if is_empty(prefix) => quote!(#runtime::NoPrefix),
            Some(prefix) => quote!(#runtime::Literal(#prefix)),
            None if self.place == Place::Free => {
                let name = format!("::{name}.");
                quote!(#runtime::FunctionName::free(
                    ::core::concat!(::core::module_path!(), #name)
                ))
            }
            None => {
                let name = format!("::{name}.");
                quote!(#runtime::FunctionName::method::<Self>(#name))
            }
        }
    }

    /// The single argument of the key, if the call passes it by value. The key borrows it.
    fn single_owned_argument(&self) -> Option<&Param> {
        if self.args.options.key.is_some() {
            return None;
        }
        let mut params = self.key_params();
        let param = params.next()?;
        (params.next().is_none() && !param.by_ref).then_some(param)
    }

    /// Runs the function without its cache, in a flight or not.
    pub(crate) fn run(&self, in_flight: bool) -> TokenStream {
        let sig = &self.function.sig;
        let name = &sig.ident;
        if self.place == Place::Alone {
            return self.result_of(self.run_inline(), in_flight);
        }
        let single = self.single_owned_argument().map(|param| &param.name);
        let passed = self.params.iter().map(|param| {
            let name = &param.name;
            let is_lent = self.is_cache_root(param) || single == Some(name);
            if is_lent && !param.by_ref {
                quote!(::core::clone::Clone::clone(&#name))
            } else {
                quote!(#name)
            }
        });
        let generics = sig.generics.params.iter().filter_map(|param| match param {
            syn::GenericParam::Type(ty) => Some(&ty.ident),
            syn::GenericParam::Const(constant) => Some(&constant.ident),
            syn::GenericParam::Lifetime(_) => None,
        });
        let generics: Vec<_> = generics.collect();
        let turbofish = (!generics.is_empty()).then(|| quote!(::<#(#generics),*>));
        let call = match self.place {
            Place::Free => quote!(#name::uncached #turbofish(#(#passed),*)),
            Place::Method | Place::Trait | Place::Alone => {
                let uncached = format_ident!("{}_uncached", name, span = name.span());
                let this = sig.receiver().map(|receiver| {
                    let this = receiver.self_token;
                    match self.self_kind {
                        SelfKind::Counted => quote!(::core::clone::Clone::clone(&#this),),
                        _ => quote!(#this,),
                    }
                });
                quote!(Self::#uncached #turbofish(#this #(#passed),*))
            }
        };
        self.result_of(call, in_flight)
    }

    /// The body inline, for a function without companions.
    fn run_inline(&self) -> TokenStream {
        let body = &self.function.body;
        let ReturnType::Type(_, returned) = &self.function.sig.output else {
            return TokenStream::new();
        };
        let single = self.single_owned_argument().map(|param| param.name.clone());
        let binds = self.params.iter().filter_map(|param| {
            let (name, pat) = (&param.name, &param.pat);
            if single.as_ref() == Some(name) && !param.by_ref {
                return Some(quote!(let #pat = ::core::clone::Clone::clone(&#name);));
            }
            (!param.is_plain()).then(|| quote!(let #pat = #name;))
        });
        let runtime = &self.runtime;
        if self.is_async() {
            quote!(#runtime::returning::<#returned, _>(async { #(#binds)* #body }))
        } else {
            quote!((|| -> #returned { #(#binds)* #body })())
        }
    }

    /// Runs the function and evaluates the time-to-live. An expression is evaluated before the run,
    /// which consumes the arguments. A closure is called with the returned value.
    pub(crate) fn run_and_ttl(&self, in_flight: bool) -> TokenStream {
        let [returned, ttl] = ["returned", "ttl"].map(hygienic);
        let (run, runtime) = (self.run(in_flight), &self.runtime);
        let run = quote!(let #returned = #run;);
        let Some(expr) = &self.args.options.ttl else {
            return quote!(let #ttl = ::core::option::Option::None; #run);
        };
        let span = expr.span();
        let bind_ttl = |expr: TokenStream| {
            quote_spanned!(span=> let #ttl = ::core::convert::Into::<
                ::core::option::Option<::core::time::Duration>
            >::into(#expr);)
        };
        if let Expr::Closure(closure) = expr {
            let of_returned = quote_spanned!(span=> #runtime::apply(&#returned, #closure));
            let bind_ttl = bind_ttl(of_returned);
            quote!(#run #bind_ttl)
        } else {
            let bind_ttl = bind_ttl(expr.to_token_stream());
            quote!(#bind_ttl #run)
        }
    }

    pub(crate) fn policy(&self) -> TokenStream {
        let runtime = &self.runtime;
        if self.args.options.only_some {
            quote!(#runtime::PhantomData::<#runtime::SomeOnly>)
        } else {
            quote!(#runtime::PhantomData::<#runtime::All>)
        }
    }

    /// The expression for the single flight of this function.
    pub(crate) fn flights(&self, single_flight: &SingleFlight) -> TokenStream {
        let runtime = &self.runtime;
        match single_flight {
            SingleFlight::Shared(_, flights) => quote!(&(#flights)),
            SingleFlight::Own(_) => quote!({
                static FLIGHTS: #runtime::SingleFlight = #runtime::SingleFlight::new();
                &FLIGHTS
            }),
        }
    }

    /// Returns whether the function can run within `get_or_compute` of the cache. That method
    /// blocks, uses the default time-to-live, and borrows the cache during the run.
    pub(crate) fn uses_get_or_compute(&self) -> bool {
        !self.is_async() && self.args.options.ttl.is_none() && !self.is_unique()
    }
}

/// Returns whether a prefix is the literal `""`.
fn is_empty(prefix: &Expr) -> bool {
    matches!(prefix, Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) if text.value().is_empty())
}

/// The first name of an expression: `context` for `&context.cache`.
fn root_of(expr: &Expr) -> Option<&Ident> {
    match expr {
        Expr::Path(path) => path.path.get_ident(),
        Expr::Field(field) => root_of(&field.base),
        Expr::MethodCall(call) => root_of(&call.receiver),
        Expr::Reference(reference) => root_of(&reference.expr),
        Expr::Unary(unary) => root_of(&unary.expr),
        Expr::Paren(paren) => root_of(&paren.expr),
        _ => None,
    }
}
