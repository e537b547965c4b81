//! `#[cache_methods]` and `#[cache_functions]`: one cache for several functions.

use crate::{
    args::{self, Args, Options},
    attrs::Attrs,
    expand::{Expanded, error_with_item, expand_apart},
    function::Function,
    hints,
    steps::Place,
};
use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{
    Error, Expr, GenericArgument, ImplItem, Item, ItemImpl, ItemMod, Path, PathArguments, Result,
    Token, Type,
    ext::IdentExt,
    parenthesized,
    parse::{ParseStream, Parser},
    parse2,
};

/// The options of a group, and the functions with their prefixes.
struct Group {
    cache: Expr,
    cache_type: Option<Type>,
    options: Options,
    functions: Vec<(Ident, Expr)>,
}

impl Group {
    fn parse(tokens: TokenStream, root: Path, example: &str) -> Result<Self> {
        let mut cache = None;
        let mut options = Options::new(root);
        let mut functions = Vec::new();
        let mut seen = Vec::new();
        let parser = |input: ParseStream<'_>| {
            while !input.is_empty() {
                let name = args::once(input, &mut seen)?;
                if name == "cache" {
                    cache = Some(args::parse_cache(&name, input)?);
                } else if name == "opts" {
                    if !input.peek(syn::token::Paren) {
                        let message = "`opts` holds options for all: write `opts(key = json_key)`";
                        return Err(Error::new(name.span(), message));
                    }
                    let inner;
                    parenthesized!(inner in input);
                    options.parse_all(&inner)?;
                } else if name == "crate" {
                    options.parse_one(&name, input)?;
                } else if input.peek(Token![=]) {
                    input.parse::<Token![=]>()?;
                    functions.push((name.unraw(), args::parse_prefix(input.parse()?)?));
                } else {
                    let message = format!("`{name}` needs a prefix: write `{name} = \"{name}.\"`");
                    return Err(Error::new(name.span(), message));
                }
                args::comma(input)?;
            }
            Ok(())
        };
        parser.parse2(tokens)?;
        let (cache_type, cache) = cache.ok_or_else(args::no_cache)?;
        if functions.is_empty() {
            let message = format!("the names of the functions are missing: write `{example}`");
            return Err(Error::new(proc_macro2::Span::call_site(), message));
        }
        Ok(Self {
            cache,
            cache_type,
            options,
            functions,
        })
    }

    /// The options of the function called `name`, if it is one of the group.
    fn of(&self, name: &Ident) -> Option<Args> {
        let name = name.unraw();
        let (_, prefix) = self.functions.iter().find(|(named, _)| *named == name)?;
        let mut options = self.options.clone();
        options.prefix = Some(prefix.clone());
        Some(Args {
            cache: self.cache.clone(),
            cache_type: self.cache_type.clone(),
            options,
        })
    }

    /// Rejects names that are not in `present`.
    fn check(&self, kind: &str, present: &[String]) -> Result<()> {
        let mut errors = None::<Error>;
        for (name, _) in &self.functions {
            if present.iter().any(|other| name == other) {
                continue;
            }
            let others: Vec<&str> = present.iter().map(String::as_str).collect();
            let meant = match name.to_string().as_str() {
                "key" | "ttl" | "single_flight" | "on_error" | "only_some" | "skip" => {
                    format!("; an option for all goes into `opts({name} = ...)`")
                }
                name => match hints::nearest(name, &others) {
                    Some(near) => format!("; did you mean `{near}`?"),
                    None => String::new(),
                },
            };
            let message = format!(
                "no {kind} has the name `{name}`; the names are: {}{meant}",
                hints::list(present)
            );
            let error = Error::new(name.span(), message);
            match &mut errors {
                Some(errors) => errors.combine(error),
                None => errors = Some(error),
            }
        }
        errors.map_or(Ok(()), Err)
    }
}

pub(crate) fn methods(args: TokenStream, item: TokenStream, root: Path) -> TokenStream {
    expand_methods(args, item.clone(), root).unwrap_or_else(|error| error_with_item(error, item))
}

fn expand_methods(args: TokenStream, item: TokenStream, root: Path) -> Result<TokenStream> {
    let group = Group::parse(args, root, "get_data = \"1.\"")?;
    let mut block: ItemImpl = parse2(item).map_err(|error| {
        Error::new(
            error.span(),
            "`#[cache_methods]` goes on an impl block; on a function write `#[cached(cache = ...)]`",
        )
    })?;
    let names = block.items.iter().filter_map(|item| match item {
        ImplItem::Fn(method) => Some(method.sig.ident.unraw().to_string()),
        _ => None,
    });
    group.check("method", &names.collect::<Vec<_>>())?;
    if let Some((path, _)) = block.trait_.clone() {
        return methods_of_trait(&group, block, path);
    }
    let mut failed = Failed::default();
    for item in &mut block.items {
        let ImplItem::Fn(method) = item else { continue };
        let Some(args) = group.of(&method.sig.ident) else {
            continue;
        };
        let expanded = failed.expand(&args, method.to_token_stream(), Place::Method);
        if let Some(Expanded { cached, companions }) = expanded {
            *item = ImplItem::Verbatim(quote!(#cached #companions));
        }
    }
    Ok(failed.append_to(block.to_token_stream()))
}

/// Expands methods of a trait. Their companions go into an impl block of the type.
fn methods_of_trait(group: &Group, mut block: ItemImpl, path: Path) -> Result<TokenStream> {
    // All other attributes, such as `#[async_trait]`, belong to the impl of the trait.
    let attrs = Attrs::new(block.attrs.clone())?.everywhere;
    let path = nameable(path);
    let types = block.items.iter().filter_map(|item| match item {
        ImplItem::Type(ty) => Some(ty.ident.clone()),
        _ => None,
    });
    let types: Vec<_> = types.collect();
    let place = if group.options.in_trait {
        Place::Alone
    } else {
        Place::Trait
    };
    let mut failed = Failed::default();
    let mut companions = TokenStream::new();
    for item in &mut block.items {
        let ImplItem::Fn(method) = item else { continue };
        let Some(args) = group.of(&method.sig.ident) else {
            continue;
        };
        let inside = method.to_token_stream();
        let outside = qualified(inside.clone(), &types, &path);
        if let (Some(inside), Some(outside)) = (
            failed.expand(&args, inside, place),
            Failed::default().expand(&args, outside, place),
        ) {
            *item = ImplItem::Verbatim(inside.cached);
            companions.extend(outside.companions);
        }
    }
    let (generics, ty) = (&block.generics, &block.self_ty);
    let where_clause = &generics.where_clause;
    let companions = (!companions.is_empty()).then(|| {
        let root = &group.options.root;
        // For a type of another crate, the message of the compiler shows the name of this macro.
        quote! {
            #root::cached::for_a_foreign_type_write_opts_in_trait! {
                [#(#attrs)* #[allow(unreachable_pub, private_interfaces, clippy::type_complexity)]]
                #generics #ty #where_clause { #companions }
            }
        }
    });
    Ok(failed.append_to(quote!(#block #companions)))
}

/// Replaces `'_` in the path of the trait by `'static`. The impl holds for every lifetime.
fn nameable(mut path: Path) -> Path {
    for segment in &mut path.segments {
        let PathArguments::AngleBracketed(generics) = &mut segment.arguments else {
            continue;
        };
        for argument in &mut generics.args {
            if let GenericArgument::Lifetime(lifetime) = argument
                && lifetime.ident == "_"
            {
                lifetime.ident = Ident::new("static", lifetime.ident.span());
            }
        }
    }
    path
}

/// Rewrites associated types for use outside of the impl: `Self::Type` to `<Self as Trait>::Type`.
fn qualified(tokens: TokenStream, types: &[Ident], path: &Path) -> TokenStream {
    let mut into_key = TokenStream::new();
    let mut rest: Vec<TokenTree> = tokens.into_iter().collect();
    rest.reverse();
    while let Some(token) = rest.pop() {
        match token {
            TokenTree::Group(group) => {
                let inner = qualified(group.stream(), types, path);
                let mut outer = proc_macro2::Group::new(group.delimiter(), inner);
                outer.set_span(group.span());
                into_key.extend([TokenTree::Group(outer)]);
            }
            TokenTree::Ident(this) if this == "Self" && names_one_of(&rest, types) => {
                into_key.extend(quote!(<#this as #path>));
            }
            token => into_key.extend([token]),
        }
    }
    into_key
}

/// Returns whether the next tokens, in reverse order, are `::Type` with one of the types.
fn names_one_of(reversed: &[TokenTree], types: &[Ident]) -> bool {
    let is_colon =
        |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ':');
    match reversed {
        [.., TokenTree::Ident(name), second, first] => {
            is_colon(first) && is_colon(second) && types.contains(name)
        }
        _ => false,
    }
}

pub(crate) fn functions(args: TokenStream, item: TokenStream, root: Path) -> TokenStream {
    expand_functions(args, item.clone(), root).unwrap_or_else(|error| error_with_item(error, item))
}

fn expand_functions(args: TokenStream, item: TokenStream, root: Path) -> Result<TokenStream> {
    let group = Group::parse(args, root, "some_func = \"f.\"")?;
    let mut module: ItemMod = parse2(item).map_err(|error| {
        Error::new(
            error.span(),
            "`#[cache_functions]` goes on a module, `mod name { ... }`; on a function write `#[cached(cache = ...)]`",
        )
    })?;
    let name = module.ident.clone();
    let Some((_, items)) = &mut module.content else {
        let message =
            format!("the module must contain its functions: write `mod {name} {{ ... }}`");
        return Err(Error::new(name.span(), message));
    };
    let names = items.iter().filter_map(|item| match item {
        Item::Fn(function) => Some(function.sig.ident.unraw().to_string()),
        _ => None,
    });
    group.check("function", &names.collect::<Vec<_>>())?;
    let mut failed = Failed::default();
    for item in items {
        let Item::Fn(function) = item else { continue };
        let Some(args) = group.of(&function.sig.ident) else {
            continue;
        };
        let expanded = failed.expand(&args, function.to_token_stream(), Place::Free);
        if let Some(Expanded { cached, companions }) = expanded {
            *item = Item::Verbatim(quote!(#cached #companions));
        }
    }
    Ok(failed.append_to(module.to_token_stream()))
}

/// Collects the errors of functions, so that the other functions are still expanded.
#[derive(Default)]
struct Failed(TokenStream);

impl Failed {
    fn expand(&mut self, args: &Args, item: TokenStream, place: Place) -> Option<Expanded> {
        let expanded =
            parse2::<Function>(item).and_then(|function| expand_apart(args, function, place));
        expanded
            .map_err(|error| self.0.extend(error.into_compile_error()))
            .ok()
    }

    fn append_to(self, item: TokenStream) -> TokenStream {
        let errors = self.0;
        quote!(#errors #item)
    }
}
