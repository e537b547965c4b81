//! Finds the type and const parameters that the arguments, and so the key, do not determine.

use crate::function::any_ident;
use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{
    GenericArgument, GenericParam, Generics, PathArguments, ReturnType, Type, TypeParamBound,
    WherePredicate, punctuated::Punctuated, token::Plus,
};

/// The parameters that can differ between two calls with equal `types`.
pub(crate) fn undetermined<'g>(generics: &'g Generics, types: &[&Type]) -> Vec<&'g GenericParam> {
    let mut undetermined: Vec<_> = generics.params.iter().collect();
    undetermined.retain(|param| !matches!(param, GenericParam::Lifetime(_)));
    let mut determined: Vec<_> = types.iter().flat_map(|ty| determined_by(ty)).collect();
    let mut bounds = bounds_of(generics);
    // In `I: Iterator<Item = T>`, `I` determines `T`.
    while !determined.is_empty() {
        undetermined.retain(|param| {
            !determined
                .iter()
                .any(|part| determines(part.clone(), name_of(param)))
        });
        let (known, unknown) = bounds.into_iter().partition(|(of, _)| {
            !undetermined
                .iter()
                .any(|param| any_ident(of.clone(), &|ident| ident == name_of(param)))
        });
        bounds = unknown;
        let known: Vec<_> = known;
        determined = known
            .into_iter()
            .flat_map(|(_, determines)| determines)
            .collect();
    }
    undetermined
}

/// The name of a generic parameter.
pub(crate) fn name_of(param: &GenericParam) -> &Ident {
    match param {
        GenericParam::Type(ty) => &ty.ident,
        GenericParam::Const(constant) => &constant.ident,
        GenericParam::Lifetime(lifetime) => &lifetime.lifetime.ident,
    }
}

/// The types that the type of an argument determines.
fn determined_by(ty: &Type) -> Vec<TokenStream> {
    match ty {
        Type::Paren(inner) => determined_by(&inner.elem),
        Type::Group(inner) => determined_by(&inner.elem),
        Type::Reference(reference) => determined_by(&reference.elem),
        Type::ImplTrait(ty) => associated(&ty.bounds),
        ty => vec![ty.to_token_stream()],
    }
}

/// The types with bounds, and the associated types that the bounds fix.
fn bounds_of(generics: &Generics) -> Vec<(TokenStream, Vec<TokenStream>)> {
    let params = generics.params.iter().filter_map(|param| match param {
        GenericParam::Type(ty) => Some((ty.ident.to_token_stream(), associated(&ty.bounds))),
        _ => None,
    });
    let predicates = generics
        .where_clause
        .iter()
        .flat_map(|clause| &clause.predicates)
        .filter_map(|predicate| match predicate {
            WherePredicate::Type(ty) => {
                Some((ty.bounded_ty.to_token_stream(), associated(&ty.bounds)))
            }
            _ => None,
        });
    params.chain(predicates).collect()
}

/// The associated types that bounds name: `T` of `Iterator<Item = T>`, and of `Fn() -> T`.
fn associated(bounds: &Punctuated<TypeParamBound, Plus>) -> Vec<TokenStream> {
    let mut found = Vec::new();
    for bound in bounds {
        let TypeParamBound::Trait(bound) = bound else {
            continue;
        };
        for segment in &bound.path.segments {
            match &segment.arguments {
                PathArguments::AngleBracketed(arguments) => {
                    for argument in &arguments.args {
                        if let GenericArgument::AssocType(named) = argument {
                            found.push(named.ty.to_token_stream());
                        }
                    }
                }
                PathArguments::Parenthesized(arguments) => {
                    if let ReturnType::Type(_, ty) = &arguments.output {
                        found.push(ty.to_token_stream());
                    }
                }
                PathArguments::None => {}
            }
        }
    }
    found
}

/// Returns whether a type determines the parameter `name`. `T::Item` and `<T as Trait>::Item` do
/// not determine `T`: several `T` can have the same `Item`.
fn determines(ty: TokenStream, name: &Ident) -> bool {
    let mut tokens = ty.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let found = match token {
            TokenTree::Ident(ident) if ident == *name => match tokens.peek() {
                Some(TokenTree::Punct(next)) => next.as_char() != ':',
                Some(TokenTree::Ident(next)) => next != "as",
                _ => true,
            },
            TokenTree::Group(group) => determines(group.stream(), name),
            _ => false,
        };
        if found {
            return true;
        }
    }
    false
}
