//! Calls the functions of a record that run before it is written and after it is loaded.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;

use crate::ast::Model;

/// Returns the record that `write` writes: `self`, or the copy that a hook has changed.
pub(crate) fn record(model: &Model) -> TokenStream {
    if model.attrs.before_save.is_some() { quote!(__record) } else { quote!(self) }
}

/// Returns the code that runs the hooks before a write.
pub(crate) fn before_write(model: &Model) -> TokenStream {
    let krate = model.krate();
    let record = record(model);
    let before_save = model.attrs.before_save.as_ref().map(|path| {
        let copy = quote_spanned!(path.span()=> #krate::codegen::before_save(self, #path)?);
        quote! {
            let __copy;
            let __record = if #krate::codegen::Sink::runs_hooks(__sink) {
                __copy = #copy;
                &__copy
            } else {
                self
            };
        }
    });
    let validate = model.attrs.validate.as_ref().map(|path| {
        let validate = quote_spanned!(path.span()=> #krate::codegen::validate(#record, #path)?;);
        quote!(if #krate::codegen::Sink::runs_hooks(__sink) { #validate })
    });
    quote!(#before_save #validate)
}

/// Returns the expression of the value that was read, after its hook has run.
pub(crate) fn loaded(model: &Model, value: &TokenStream) -> TokenStream {
    let krate = model.krate();
    let Some(path) = &model.attrs.after_load else { return quote!(#krate::codegen::Ok(#value)) };
    let run = quote_spanned!(path.span()=> #path(&mut __value););
    quote! {
        let mut __value = #value;
        if #krate::codegen::Source::runs_hooks(__source) {
            #run
        }
        #krate::codegen::Ok(__value)
    }
}
