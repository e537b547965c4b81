use crate::args::plain_name;
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::{
    Attribute, Error, FnArg, Pat, Receiver, ReceiverKind, Result, ReturnType, Signature, Token,
    Type, TypeReference, Visibility,
    parse::{Parse, ParseStream},
    spanned::Spanned,
};

/// A function as it was written, its body not looked into.
pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    pub(crate) body: TokenTree,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        refuse_other_items(input)?;
        let sig: Signature = input.parse()?;
        if input.peek(Token![;]) {
            return Err(Error::new(
                sig.ident.span(),
                "`#[cached]` needs a function with a body: put it on the implementation",
            ));
        }
        let body = input.parse()?;
        Ok(Self {
            attrs,
            vis,
            sig,
            body,
        })
    }
}

fn refuse_other_items(input: ParseStream<'_>) -> Result<()> {
    let advice = if input.peek(Token![impl]) {
        "an impl block takes `#[cache_methods(cache = self.cache, method = \"prefix.\")]`"
    } else if input.peek(Token![mod]) {
        "a module takes `#[cache_functions(cache = CACHE, function = \"prefix.\")]`"
    } else if input.peek(Token![struct])
        || input.peek(Token![enum])
        || input.peek(Token![static])
        || input.peek(Token![trait])
        || input.peek(Token![type])
        || input.peek(Token![let])
    {
        "put it on the function whose results are to be cached"
    } else {
        return Ok(());
    };
    Err(input.error(format!("`#[cached]` is for functions; {advice}")))
}

/// One argument, under a name that it can be passed on by.
pub(crate) struct Param {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) name: Ident,
    pub(crate) pat: Pat,
    pub(crate) ty: Type,
    /// Whether it is given by reference, as far as its type shows.
    pub(crate) by_ref: bool,
    /// Whether that is a `&mut`.
    pub(crate) by_mut: bool,
}

/// How a method takes `self`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum SelfKind {
    None,
    Ref,
    Mut,
    /// `Arc<Self>` or `Rc<Self>`.
    Counted,
}

impl Param {
    /// What a key is made of.
    pub(crate) fn lent(&self) -> TokenStream {
        let name = &self.name;
        if self.by_ref {
            quote!(&*#name)
        } else {
            quote!(&#name)
        }
    }

    /// The parameter of a function that passes it on.
    pub(crate) fn declared(&self) -> TokenStream {
        let (attrs, name, ty) = (&self.attrs, &self.name, &self.ty);
        quote!(#(#attrs)* #name: #ty)
    }

    /// Whether the pattern is no more than the name.
    pub(crate) fn is_plain(&self) -> bool {
        matches!(&self.pat, Pat::Ident(pat) if pat.mutability.is_none())
            && plain_name(&self.pat).is_some()
    }
}

impl Function {
    /// Refuses what cannot be cached, where that shows in the signature.
    pub(crate) fn check(&self) -> Result<()> {
        let sig = &self.sig;
        let refuse = |span: Span, message: &str| Err(Error::new(span, message));
        if let Some(constness) = &sig.constness {
            return refuse(
                constness.span(),
                "a `const fn` cannot use a cache: leave `const` out",
            );
        }
        if let syn::Safety::Unsafe(unsafety) = &sig.safety {
            return refuse(
                unsafety.span(),
                "`#[cached]` is not for `unsafe fn`: cache a safe function that calls it",
            );
        }
        if let Some(abi) = &sig.abi {
            return refuse(
                abi.span(),
                "`#[cached]` is not for `extern` functions: cache a function that this one calls",
            );
        }
        for input in &sig.inputs {
            let attrs = match input {
                FnArg::Receiver(receiver) => &receiver.attrs,
                FnArg::Typed(typed) => &typed.attrs,
            };
            if let Some(attr) = attrs.iter().find(|attr| attr.path().is_ident("cfg")) {
                return refuse(
                    attr.span(),
                    "an argument of a cached function cannot be conditional: write two functions",
                );
            }
        }
        match &sig.output {
            ReturnType::Type(_, ty) => check_returned(ty),
            ReturnType::Default => refuse(
                sig.ident.span(),
                "this function returns nothing that could be cached",
            ),
        }
    }

    pub(crate) fn self_kind(&self) -> Result<SelfKind> {
        let Some(receiver) = self.sig.receiver() else {
            return Ok(SelfKind::None);
        };
        self_kind(receiver)
    }

    pub(crate) fn params(&self) -> Vec<Param> {
        let typed = self.sig.inputs.iter().filter_map(|input| match input {
            FnArg::Typed(typed) => Some(typed),
            FnArg::Receiver(_) => None,
        });
        typed
            .enumerate()
            .map(|(at, typed)| {
                let pat = (*typed.pat).clone();
                let name = match plain_name(&pat) {
                    Some(name) => name.clone(),
                    // Not the user's name, so it cannot be mistaken for one of them.
                    None => format_ident!("argument_{}", at + 1, span = Span::mixed_site()),
                };
                Param {
                    attrs: typed.attrs.clone(),
                    name,
                    pat,
                    by_ref: reference(&typed.ty).is_some(),
                    by_mut: reference(&typed.ty).is_some_and(|found| found.mutability.is_some()),
                    ty: (*typed.ty).clone(),
                }
            })
            .collect()
    }

    /// Whether it is a method as far as it shows: it has a `self`, or it speaks of `Self`.
    pub(crate) fn is_method(&self, args: &TokenStream) -> bool {
        let body = self.body.to_token_stream();
        self.sig.receiver().is_some()
            || mentions_type(self.sig.to_token_stream())
            || mentions_type(args.clone())
            || mentions_value(args.clone())
            || (mentions_type(body.clone()) && !has_items(body))
    }
}

fn self_kind(receiver: &Receiver) -> Result<SelfKind> {
    let kind = |mutable: bool| {
        if mutable {
            SelfKind::Mut
        } else {
            SelfKind::Ref
        }
    };
    match &receiver.kind {
        ReceiverKind::Reference(_, _, mutability) => return Ok(kind(mutability.is_some())),
        ReceiverKind::Typed(_, ty) => match &**ty {
            Type::Reference(reference) => return Ok(kind(reference.mutability.is_some())),
            Type::Path(path) => {
                let last = path.path.segments.last();
                if last.is_some_and(|last| last.ident == "Arc" || last.ident == "Rc") {
                    return Ok(SelfKind::Counted);
                }
            }
            _ => {}
        },
        _ => {}
    }
    Err(Error::new(
        receiver.self_token.span,
        "a cached method takes `&self`, `&mut self`, `self: Arc<Self>` or no `self`",
    ))
}

fn check_returned(ty: &Type) -> Result<()> {
    match ty {
        Type::Paren(inner) => check_returned(&inner.elem),
        Type::Group(inner) => check_returned(&inner.elem),
        Type::ImplTrait(_) => Err(Error::new(
            ty.span(),
            "a cache needs to know the type: name it in place of `impl ...`",
        )),
        Type::Never(_) => Err(Error::new(
            ty.span(),
            "this function returns nothing that could be cached",
        )),
        Type::Reference(reference)
            if reference
                .lifetime
                .as_ref()
                .is_none_or(|lifetime| lifetime.ident != "static") =>
        {
            Err(Error::new(
                ty.span(),
                "a cache gives away values, not references to what a call was given: return a `String`, an `Arc<str>`, an `Arc<T>` or a `&'static` reference",
            ))
        }
        _ => Ok(()),
    }
}

fn reference(ty: &Type) -> Option<&TypeReference> {
    match ty {
        Type::Paren(inner) => reference(&inner.elem),
        Type::Group(inner) => reference(&inner.elem),
        Type::Reference(reference) => Some(reference),
        _ => None,
    }
}

/// Whether the word `Self` is anywhere in it.
fn mentions_type(tokens: TokenStream) -> bool {
    any_ident(tokens, &|ident| ident == "Self")
}

/// Whether `self` is anywhere in it, but for paths as `self::CACHE`.
fn mentions_value(tokens: TokenStream) -> bool {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let found = match token {
            TokenTree::Ident(ident) => {
                let in_path = matches!(tokens.peek(), Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
                ident == "self" && !in_path
            }
            TokenTree::Group(group) => mentions_value(group.stream()),
            TokenTree::Punct(_) | TokenTree::Literal(_) => false,
        };
        if found {
            return true;
        }
    }
    false
}

/// Whether there may be types of its own in it, whose `Self` is another.
fn has_items(tokens: TokenStream) -> bool {
    any_ident(tokens, &|ident| {
        [
            "impl",
            "trait",
            "struct",
            "enum",
            "union",
            "use",
            "macro_rules",
        ]
        .iter()
        .any(|word| ident == word)
    })
}

/// Whether there is such a name anywhere in it.
pub(crate) fn any_ident(tokens: TokenStream, is: &dyn Fn(&Ident) -> bool) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => is(&ident),
        TokenTree::Group(group) => any_ident(group.stream(), is),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}
