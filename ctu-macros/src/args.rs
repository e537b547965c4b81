//! The options in the attribute.

use crate::hints;
use proc_macro2::{Ident, Span, TokenStream};
use syn::{
    Error, Expr, ExprLit, Lit, Pat, Path, Result, Token, Type,
    ext::IdentExt,
    parenthesized,
    parse::{ParseStream, Parser},
    punctuated::Punctuated,
    spanned::Spanned,
};

/// The options of `#[cached(...)]`.
#[derive(Clone)]
pub(crate) struct Args {
    pub(crate) cache: Expr,
    /// `cache: Type = ...`
    pub(crate) cache_type: Option<Type>,
    pub(crate) options: Options,
}

/// The options that functions of a group share: all options except the cache.
#[derive(Clone)]
pub(crate) struct Options {
    pub(crate) prefix: Option<Expr>,
    pub(crate) ttl: Option<Expr>,
    pub(crate) key: Option<Key>,
    pub(crate) skip: Vec<Ident>,
    pub(crate) only_some: bool,
    pub(crate) single_flight: Option<SingleFlight>,
    pub(crate) on_error: OnError,
    pub(crate) method: bool,
    pub(crate) in_trait: bool,
    pub(crate) mode: Mode,
    /// The path of the crate that expansions refer to.
    pub(crate) root: Path,
}

#[derive(Clone)]
pub(crate) enum Key {
    /// Called with a tuple of the arguments, by reference.
    Function(Expr),
    /// Called with the arguments, by reference.
    Closure(Box<syn::ExprClosure>),
}

#[derive(Clone)]
pub(crate) enum SingleFlight {
    Own(Span),
    Shared(Span, Expr),
}

impl SingleFlight {
    /// The position of the option in the source.
    pub(crate) fn span(&self) -> Span {
        match self {
            Self::Own(span) | Self::Shared(span, _) => *span,
        }
    }
}

#[derive(Clone)]
pub(crate) enum OnError {
    Report,
    Notify(Expr),
    Return(Span),
}

/// The trait that an async function uses for its cache.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Any,
    Blocking,
    Local,
}

impl Args {
    pub(crate) fn parse(tokens: TokenStream, root: Path) -> Result<Self> {
        let mut cache = None;
        let mut options = Options::new(root);
        let mut seen = Vec::new();
        let parser = |input: ParseStream<'_>| {
            while !input.is_empty() {
                let name = once(input, &mut seen)?;
                if name == "cache" {
                    cache = Some(parse_cache(&name, input)?);
                } else {
                    options.parse_one(&name, input)?;
                }
                comma(input)?;
            }
            Ok(())
        };
        parser.parse2(tokens)?;
        let (cache_type, cache) = cache.ok_or_else(no_cache)?;
        Ok(Self {
            cache,
            cache_type,
            options,
        })
    }
}

/// Parses `= CACHE` or `: Type = CACHE`.
pub(crate) fn parse_cache(name: &Ident, input: ParseStream<'_>) -> Result<(Option<Type>, Expr)> {
    let cache_type = if input.peek(Token![:]) {
        input.parse::<Token![:]>()?;
        Some(input.parse()?)
    } else {
        None
    };
    let cache = value(name, input, "cache = CACHE")?;
    if let Expr::Lit(ExprLit {
        lit: Lit::Str(text),
        ..
    }) = &cache
    {
        let message = format!(
            "the cache is an expression, not text: write `cache = {}`",
            text.value()
        );
        return Err(Error::new(text.span(), message));
    }
    Ok((cache_type, cache))
}

pub(crate) fn no_cache() -> Error {
    Error::new(
        Span::call_site(),
        "the option `cache` is missing: write `cache = CACHE` with a `static CACHE`, `cache = self.cache`, or the name of an argument",
    )
}

/// Parses the name of the next option. A repeated name is an error.
pub(crate) fn once(input: ParseStream<'_>, seen: &mut Vec<Ident>) -> Result<Ident> {
    if !input.peek(Ident::peek_any) {
        return Err(input.error("expected an option, such as `cache = CACHE`"));
    }
    let name = input.call(Ident::parse_any)?;
    if seen.contains(&name) {
        return Err(Error::new(name.span(), format!("`{name}` is given twice")));
    }
    seen.push(name.clone());
    Ok(name)
}

pub(crate) fn comma(input: ParseStream<'_>) -> Result<()> {
    if !input.is_empty() {
        input.parse::<Token![,]>()?;
    }
    Ok(())
}

/// Parses `=` and the value of an option.
fn value(name: &Ident, input: ParseStream<'_>, example: &str) -> Result<Expr> {
    if !input.peek(Token![=]) {
        let message = format!("`{name}` needs a value: write `{example}`");
        return Err(Error::new(name.span(), message));
    }
    input.parse::<Token![=]>()?;
    input.parse()
}

/// Parses a switch: an option without a value.
fn switch(name: &Ident, input: ParseStream<'_>) -> Result<bool> {
    if input.is_empty() || input.peek(Token![,]) {
        return Ok(true);
    }
    let message = format!("`{name}` is a switch: write it alone, or leave it out");
    Err(Error::new(name.span(), message))
}

impl Options {
    pub(crate) fn new(root: Path) -> Self {
        Self {
            prefix: None,
            ttl: None,
            key: None,
            skip: Vec::new(),
            only_some: false,
            single_flight: None,
            on_error: OnError::Report,
            method: false,
            in_trait: false,
            mode: Mode::Any,
            root,
        }
    }

    /// Parses a list of options, as within `opts(...)`.
    pub(crate) fn parse_all(&mut self, input: ParseStream<'_>) -> Result<()> {
        let mut seen = Vec::new();
        while !input.is_empty() {
            let name = once(input, &mut seen)?;
            if name == "cache" || name == "prefix" {
                let message = format!(
                    "`{name}` cannot be in `opts`: each function has its own prefix, and the cache comes before `opts`"
                );
                return Err(Error::new(name.span(), message));
            }
            self.parse_one(&name, input)?;
            comma(input)?;
        }
        Ok(())
    }

    pub(crate) fn parse_one(&mut self, name: &Ident, input: ParseStream<'_>) -> Result<()> {
        match name.to_string().as_str() {
            "prefix" => self.prefix = Some(parse_prefix(value(name, input, "prefix = \"...\"")?)?),
            "ttl" => {
                let ttl = value(name, input, "ttl = Duration::from_secs(60)")?;
                if let Expr::Lit(ExprLit { lit, .. }) = &ttl {
                    let message =
                        "the time-to-live is a `Duration`: write `ttl = Duration::from_secs(60)`";
                    return Err(Error::new(lit.span(), message));
                }
                self.ttl = Some(ttl);
            }
            "key" => self.key = Some(parse_key(value(name, input, "key = json_key")?)?),
            "skip" => {
                if !input.peek(syn::token::Paren) {
                    let message = "`skip` needs names of arguments: write `skip(name)`";
                    return Err(Error::new(name.span(), message));
                }
                let names;
                parenthesized!(names in input);
                let names = Punctuated::<Ident, Token![,]>::parse_terminated(&names)?;
                self.skip.extend(names);
            }
            "only_some" => self.only_some = switch(name, input)?,
            "single_flight" => {
                self.single_flight = Some(if input.peek(Token![=]) {
                    SingleFlight::Shared(name.span(), value(name, input, "")?)
                } else {
                    switch(name, input)?;
                    SingleFlight::Own(name.span())
                });
            }
            "on_error" => {
                if input.peek(Token![=]) && input.peek2(Token![return]) {
                    input.parse::<Token![=]>()?;
                    let span = input.parse::<Token![return]>()?.span;
                    self.on_error = OnError::Return(span);
                } else {
                    let hook = value(name, input, "on_error = return")?;
                    self.on_error = OnError::Notify(hook);
                }
            }
            "method" => self.method = switch(name, input)?,
            "in_trait" => self.in_trait = switch(name, input)?,
            "blocking" | "local" => {
                if self.mode != Mode::Any {
                    return Err(Error::new(
                        name.span(),
                        "a cache is `blocking` or `local`, not both",
                    ));
                }
                switch(name, input)?;
                self.mode = if name == "local" {
                    Mode::Local
                } else {
                    Mode::Blocking
                };
            }
            "crate" => {
                if !input.peek(Token![=]) {
                    let message = "`crate` needs a path: write `crate = ::ctu_std`";
                    return Err(Error::new(name.span(), message));
                }
                input.parse::<Token![=]>()?;
                self.root = input.call(Path::parse_mod_style)?;
            }
            other => {
                let alone = input.is_empty() || input.peek(Token![,]);
                return Err(Error::new(name.span(), hints::unknown_option(other, alone)));
            }
        }
        Ok(())
    }
}

pub(crate) fn parse_prefix(prefix: Expr) -> Result<Expr> {
    if let Expr::Lit(ExprLit { lit, .. }) = &prefix
        && !matches!(lit, Lit::Str(_))
    {
        let message = "the prefix is text for every type of key: write `prefix = \"...\"`";
        return Err(Error::new(lit.span(), message));
    }
    Ok(prefix)
}

fn parse_key(key: Expr) -> Result<Key> {
    match key {
        Expr::Closure(closure) => {
            if let Some(asyncness) = closure.asyncness {
                return Err(Error::new(
                    asyncness.span(),
                    "a key cannot be awaited: remove `async`",
                ));
            }
            Ok(Key::Closure(Box::new(closure)))
        }
        Expr::Path(_) => Ok(Key::Function(key)),
        other => Err(Error::new(
            other.span(),
            "the key is a function or a closure: write `key = json_key`, or `key = |first, second| ...` with a reference to each argument",
        )),
    }
}

/// The bound name of a pattern that consists of a name only.
pub(crate) fn plain_name(pattern: &Pat) -> Option<&Ident> {
    match pattern {
        Pat::Ident(pat) if pat.subpat.is_none() && pat.by_ref.is_none() => Some(&pat.ident),
        _ => None,
    }
}
