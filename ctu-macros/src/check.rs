//! Checks of options against each other and against the arguments.

use crate::{
    args::{Key, Mode},
    function::any_ident,
    generics::{self, name_of},
    hints,
    steps::Steps,
};
use proc_macro2::Ident;
use quote::ToTokens;
use syn::{Error, GenericParam, Result, spanned::Spanned};

impl Steps<'_> {
    pub(crate) fn check(&self) -> Result<()> {
        let options = &self.args.options;
        for name in &options.skip {
            if !self.params.iter().any(|param| param.name == *name) {
                let message = format!(
                    "the function has no argument `{name}`; its arguments: {}",
                    hints::list(&self.names())
                );
                return Err(Error::new(name.span(), message));
            }
        }
        if let Some(Key::Closure(closure)) = &options.key {
            let (takes, gets) = (closure.inputs.len(), self.key_params().count());
            if takes != gets {
                let message = format!(
                    "the key's closure takes {takes} arguments but gets {gets}, one reference per argument of the key: {}",
                    hints::list(
                        &self
                            .key_params()
                            .map(|param| &param.name)
                            .collect::<Vec<_>>()
                    )
                );
                return Err(Error::new(closure.inputs_begin.span, message));
            }
        }
        if options.mode != Mode::Any && !self.is_async() {
            return Err(Error::new(
                self.function.sig.ident.span(),
                "`blocking` and `local` are for an `async fn`",
            ));
        }
        if self.args.options.key.is_none() && self.key_params().count() > 8 {
            return Err(Error::new(
                self.function.sig.inputs.span(),
                "a key has at most 8 parts: leave arguments out with `skip(name)`, or write `key = ...`",
            ));
        }
        let changed = self.key_params().find(|param| param.by_mut);
        if let (Some(param), None) = (changed, &self.args.options.key) {
            let name = &param.name;
            let message = format!(
                "the function may change `{name}`, but a hit does not change it: take `{name}` by `&` or by value, or write `skip({name})` if the change does not matter"
            );
            return Err(Error::new(param.ty.span(), message));
        }
        self.check_generics()
    }

    /// Rejects generic parameters that neither the key nor an option depends on.
    fn check_generics(&self) -> Result<()> {
        let mut mentioned = self.args.cache.to_token_stream();
        mentioned.extend(self.args.options.prefix.to_token_stream());
        match &self.args.options.key {
            None => {}
            Some(Key::Function(function)) => mentioned.extend(function.to_token_stream()),
            Some(Key::Closure(_)) => return Ok(()),
        }
        let arguments = self.params.iter().map(|param| &param.ty);
        let types: Vec<_> = arguments.chain(&self.args.cache_type).collect();
        let mut undetermined = generics::undetermined(&self.function.sig.generics, &types);
        undetermined
            .retain(|param| !any_ident(mentioned.clone(), &|ident| ident == name_of(param)));
        let Some(first) = undetermined.first() else {
            return Ok(());
        };
        let names: Vec<_> = undetermined.iter().map(|param| name_of(param)).collect();
        let inputs: Vec<_> = self.key_params().map(|p| p.name.to_string()).collect();
        let message = format!(
            "not part of the key: {}; calls that differ only in these would share an entry. Write `key = |{inputs}| {}` to tell them apart, or `key = |{inputs}| {}` to share the entry",
            hints::list(&names),
            self.key_of(&undetermined),
            self.key_of(&[]),
            inputs = inputs.join(", "),
        );
        Err(Error::new(first.span(), message))
    }

    /// The body of a closure that makes the key from these parameters and the arguments.
    fn key_of(&self, generics: &[&GenericParam]) -> String {
        let function = match &self.args.options.key {
            Some(Key::Function(function)) => {
                Some(function.to_token_stream().to_string().replace(' ', ""))
            }
            _ => None,
        };
        let generics = generics.iter().map(|param| match (param, &function) {
            (GenericParam::Type(ty), None) => format!("TypeId::of::<{}>()", ty.ident),
            (GenericParam::Type(ty), Some(_)) => format!("type_name::<{}>()", ty.ident),
            (param, _) => name_of(param).to_string(),
        });
        let arguments = self
            .key_params()
            .map(|param| match (&param.name, &function) {
                (name, Some(_)) => name.to_string(),
                (name, None) if param.by_ref => format!("{name}.to_owned()"),
                (name, None) => format!("{name}.clone()"),
            });
        let parts: Vec<_> = generics.chain(arguments).collect();
        match (function, parts.as_slice()) {
            (Some(function), [part]) => format!("{function}(&({part},))"),
            (Some(function), parts) => format!("{function}(&({}))", parts.join(", ")),
            (None, [part]) => part.clone(),
            (None, parts) => format!("({})", parts.join(", ")),
        }
    }

    fn names(&self) -> Vec<&Ident> {
        self.params.iter().map(|param| &param.name).collect()
    }
}
