//! How an element of a list is stored: as a JSON object, as a plain value, or as the text of a codec.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Type;
use syn::ext::IdentExt as _;

use super::commands::{self, implement};
use crate::ast::{Body, Model};
use crate::attr::Codec;

/// Returns the items of `ListModel` for a type with fields: an element is a JSON object.
pub(crate) fn items_of_object(model: &Model) -> TokenStream {
    let krate = model.krate();
    items(model, &quote!(#krate::codegen::object_text), &quote!(#krate::codegen::read_object))
}

/// Returns the items of `ListModel`, with the functions that write and read an element.
fn items(model: &Model, text: &TokenStream, read: &TokenStream) -> TokenStream {
    let krate = model.krate();
    let name = model.ident.unraw().to_string();
    let prefix = model.attrs.prefix.as_ref().map(syn::LitStr::value).unwrap_or_default();
    let max_len = match &model.attrs.max_len {
        Some((max_len, _)) => quote!(#krate::codegen::Some(#max_len)),
        None => quote!(#krate::codegen::None),
    };
    quote! {
        const MODEL_NAME: &'static #krate::codegen::str = #name;
        const KEY_PREFIX: &'static #krate::codegen::str = #prefix;
        const MAX_LEN: #krate::codegen::Option<#krate::codegen::u64> = #max_len;

        fn element_text(&self) -> #krate::codegen::Result<#krate::codegen::String> {
            #text(self)
        }

        fn read_element(bytes: &[#krate::codegen::u8]) -> #krate::codegen::Result<Self> {
            #read(bytes)
        }
    }
}

fn codec(model: &Model) -> TokenStream {
    let span = model.ident.span();
    let krate = model.krate_at(span);
    match &model.attrs.codec {
        Codec::Field | Codec::Text(_) => quote_spanned!(span=> #krate::codegen::DisplayFromStr),
        Codec::Json(_) => quote_spanned!(span=> #krate::codegen::Json),
        Codec::Postcard(_) => quote_spanned!(span=> #krate::codegen::Postcard),
        Codec::Bincode(_) => quote_spanned!(span=> #krate::codegen::Bincode),
        Codec::Base64(_) => quote_spanned!(span=> #krate::codegen::Base64),
        Codec::With(path) => quote!(#path),
    }
}

/// Implements `ListModel` for a type that is a plain value.
pub(crate) fn of_value(model: &Model) -> TokenStream {
    let krate = model.krate();
    let needed = match &model.body {
        Body::Newtype(inner) => {
            let inner: &Type = inner;
            quote!(#inner: #krate::codegen::Field,)
        }
        _ => quote!(Self: #krate::codegen::TextField,),
    };
    let (text, read) = (quote!(#krate::codegen::value_text), quote!(#krate::codegen::read_value));
    implement(model, &quote!(ListModel), &bounds(model, &needed), &items(model, &text, &read))
}

/// Implements `ListModel` for a type that a codec stores as a whole, and makes the type an argument and a reply of any
/// command.
pub(crate) fn coded(model: &Model) -> TokenStream {
    let krate = model.krate();
    let codec = codec(model);
    let bounds = bounds(model, &quote!(#codec: #krate::codegen::Codec<Self>,));
    // The span of the type's name: an error about a trait that the codec needs points at it.
    let span = model.ident.span();
    let text = quote_spanned!(span=> #krate::codegen::coded_text::<Self, #codec>);
    let read = quote_spanned!(span=> #krate::codegen::read_coded::<Self, #codec>);
    let list_model = implement(model, &quote!(ListModel), &bounds, &items(model, &text, &read));
    let commands = commands::of_element(model, &bounds);
    quote!(#list_model #commands)
}

/// Returns the where clause. `needed` is a bound that only a generic type has to state.
fn bounds(model: &Model, needed: &TokenStream) -> TokenStream {
    let declared: Vec<_> = model.generics.where_clause.iter().flat_map(|clause| &clause.predicates).collect();
    let parameters: Vec<_> = model.generics.type_params().map(|parameter| &parameter.ident).collect();
    if parameters.is_empty() {
        return quote!(where #(#declared,)*);
    }
    quote!(where #(#parameters: 'static,)* #(#declared,)* #needed)
}
