//! What is done where the cache fails, and where it works again.

use crate::{
    args::OnError,
    steps::{Steps, hygienic},
};
use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

/// What the cache was asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

impl Access {
    fn failed(self) -> Ident {
        hygienic(match self {
            Self::Read => "read_failed",
            Self::Write => "write_failed",
        })
    }

    fn worked(self) -> Ident {
        hygienic(match self {
            Self::Read => "read",
            Self::Write => "written",
        })
    }
}

impl Steps<'_> {
    /// What is done with an error of the cache, `error`: an expression of type `()`, or one that returns.
    pub(crate) fn on_error(&self, at: Access) -> TokenStream {
        let error = hygienic("error");
        match &self.args.options.on_error {
            OnError::Report => {
                let (reports, failed) = (hygienic("REPORTS"), at.failed());
                quote!(#reports.#failed(&#error))
            }
            OnError::Notify(hook) => {
                let span = hook.span();
                let runtime = self.runtime_at(span);
                quote_spanned!(span=> #runtime::notify(&#error, #hook))
            }
            OnError::Return(span) => {
                let runtime = self.runtime_at(*span);
                let failed = quote_spanned!(*span=> #runtime::TakesError::failed);
                quote!(return #failed(#error))
            }
        }
    }

    /// Where it is kept what was told of the cache, by the function of this name.
    pub(crate) fn reports(&self, name: &str) -> Option<TokenStream> {
        let OnError::Report = self.args.options.on_error else {
            return None;
        };
        let (runtime, reports) = (&self.runtime, hygienic("REPORTS"));
        Some(quote! {
            static #reports: #runtime::Reports =
                #runtime::Reports::new(::core::concat!(::core::module_path!(), "::", #name));
        })
    }

    /// What is done where the cache worked.
    pub(crate) fn on_success(&self, at: Access) -> Option<TokenStream> {
        let OnError::Report = self.args.options.on_error else {
            return None;
        };
        let (reports, worked) = (hygienic("REPORTS"), at.worked());
        Some(quote!(#reports.#worked();))
    }
}
