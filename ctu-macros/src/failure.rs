//! The code for failures of the cache and for its recovery.

use crate::{
    args::OnError,
    steps::{Steps, hygienic},
};
use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

/// The kind of a cache operation.
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
    /// The code that handles an `error` of the cache: an expression of type `()`, or a `return`.
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

    /// The static that records the failures reported by the function of this name.
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

    /// The code after a successful operation of the cache.
    pub(crate) fn on_success(&self, at: Access) -> Option<TokenStream> {
        let OnError::Report = self.args.options.on_error else {
            return None;
        };
        let (reports, worked) = (hygienic("REPORTS"), at.worked());
        Some(quote!(#reports.#worked();))
    }
}
