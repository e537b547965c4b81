//! The function under the attribute: its parameters and its receiver.

use crate::args::plain_name;
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::{
    Attribute, Error, FnArg, Pat, Receiver, ReceiverKind, Result, ReturnType, Signature, Token,
    Type, TypeReference, Visibility,
    parse::{Parse, ParseStream},
    spanned::Spanned,
};

/// A parsed function. The body is not parsed.
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

/// One argument, with a name for passing it on.
pub(crate) struct Param {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) name: Ident,
    pub(crate) pat: Pat,
    pub(crate) ty: Type,
    /// Whether the written type is a reference.
    pub(crate) by_ref: bool,
    /// Whether the written type is `&mut`.
    pub(crate) by_mut: bool,
}

/// The form of `self` in the signature of a method.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum SelfKind {
    None,
    Ref,
    Mut,
    /// `Arc<Self>` or `Rc<Self>`.
    Counted,
}

impl Param {
    /// A reference to the argument, a part of the key.
    pub(crate) fn lent(&self) -> TokenStream {
        let name = &self.name;
        if self.by_ref {
            quote!(&*#name)
        } else {
            quote!(&#name)
        }
    }

    /// The declaration of the parameter in a generated function.
    pub(crate) fn declared(&self) -> TokenStream {
        let (attrs, name, ty) = (&self.attrs, &self.name, &self.ty);
        quote!(#(#attrs)* #name: #ty)
    }

    /// Returns whether the pattern consists of the name only.
    pub(crate) fn is_plain(&self) -> bool {
        matches!(&self.pat, Pat::Ident(pat) if pat.mutability.is_none())
            && plain_name(&self.pat).is_some()
    }
}

impl Function {
    /// Rejects signatures that cannot be cached.
    pub(crate) fn check(&self) -> Result<()> {
        let sig = &self.sig;
        let refuse = |span: Span, message: &str| Err(Error::new(span, message));
        if let Some(constness) = &sig.constness {
            return refuse(
                constness.span(),
                "a `const fn` cannot use a cache: remove `const`",
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
                    // The hygienic name cannot collide with a name of the user.
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

    /// Returns whether the function is visibly a method: it has a `self` or mentions `Self`.
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
                "a cache returns values, not references to the arguments of a call: return a `String`, an `Arc<str>`, an `Arc<T>` or a `&'static` reference",
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

/// Returns whether the tokens contain `Self`.
fn mentions_type(tokens: TokenStream) -> bool {
    any_ident(tokens, &|ident| ident == "Self")
}

/// Returns whether the tokens contain `self` outside of paths such as `self::CACHE`.
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

/// Returns whether the tokens may declare types with a `Self` of their own.
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

/// Returns whether any identifier in the tokens satisfies `is`.
pub(crate) fn any_ident(tokens: TokenStream, is: &dyn Fn(&Ident) -> bool) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => is(&ident),
        TokenTree::Group(group) => any_ident(group.stream(), is),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}
