//! Writing and reading named fields, of a struct or of a variant.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Ident, LitByteStr};

use super::model::Code;
use crate::ast::{Field, Model};
use crate::attr::{Codec, Default};

/// The code of a struct's `Fields`.
pub(crate) fn of_struct(model: &Model, fields: &[Field]) -> Code {
    let krate = model.krate();
    let write = fields.iter().map(|field| {
        let ident = &field.ident;
        write_field(&krate, field, &quote!(&self.#ident))
    });
    let names = fields.iter().filter(|field| field.is_stored()).map(|field| &field.name);
    Code {
        names: quote!(#(#names),*),
        write: quote!(#(#write)*),
        read: read_fields(&krate, fields, &quote!(Self)),
        bounds: fields.iter().filter_map(|field| bound(&krate, field)).collect(),
    }
}

/// Writes one field to `sink`. Trait errors are at the field's type.
pub(crate) fn write_field(krate: &TokenStream, field: &Field, value: &TokenStream) -> TokenStream {
    let (ty, name) = (&field.ty, &field.name);
    if field.attrs.skip.is_some() {
        return TokenStream::new();
    }
    if field.attrs.flatten.is_some() {
        return quote_spanned!(ty.span()=> <#ty as #krate::codegen::Fields>::write(#value, sink)?;);
    }
    let codec = codec(krate, field);
    let aliases = &field.attrs.aliases;
    quote_spanned!(ty.span()=> #krate::codegen::put::<#codec, #ty>(sink, #name, &[#(#aliases),*], #value)?;)
}

/// Reads all fields of `source` and makes `constructor` of them.
pub(crate) fn read_fields(krate: &TokenStream, fields: &[Field], constructor: &TokenStream) -> TokenStream {
    let stored: Vec<(Ident, &Field)> =
        fields.iter().filter(|field| field.is_stored()).map(|field| (slot(&field.ident), field)).collect();
    let slots = stored.iter().map(|(slot, field)| {
        let ty = &field.ty;
        quote!(let mut #slot: #krate::codegen::Option<#ty> = #krate::codegen::None;)
    });
    let arms = stored.iter().map(|(slot, field)| {
        let (ty, name) = (&field.ty, &field.name);
        let codec = codec(krate, field);
        let bytes = LitByteStr::new(name.as_bytes(), field.name_span);
        let get = quote_spanned!(ty.span()=> #krate::codegen::Some(#krate::codegen::get::<#codec, #ty>(#name, value)?));
        let aliases: Vec<LitByteStr> =
            field.attrs.aliases.iter().map(|alias| LitByteStr::new(alias.value().as_bytes(), alias.span())).collect();
        // Under its present name it counts, whatever an old one says.
        let alias_arm = (!aliases.is_empty()).then(|| {
            quote!(#(#aliases)|* => if #slot.is_none() { #slot = #get; },)
        });
        quote!(#bytes => #slot = #get, #alias_arm)
    });
    let inits = fields.iter().map(|field| init(krate, field));
    let scan = (!stored.is_empty()).then(|| {
        quote! {
            for field in #krate::codegen::Source::fields(source) {
                let (name, value) = field?;
                match name {
                    #(#arms)*
                    _ => {}
                }
            }
        }
    });
    quote! {
        #(#slots)*
        #scan
        #krate::codegen::Ok(#constructor { #(#inits),* })
    }
}

fn init(krate: &TokenStream, field: &Field) -> TokenStream {
    let (ident, ty, name) = (&field.ident, &field.ty, &field.name);
    if field.attrs.skip.is_some() {
        return quote_spanned!(ty.span()=> #ident: <#ty as ::core::default::Default>::default());
    }
    if field.attrs.flatten.is_some() {
        return quote_spanned!(ty.span()=> #ident: <#ty as #krate::codegen::Fields>::read(source)?);
    }
    let slot = slot(ident);
    match &field.attrs.default {
        Default::Trait(_) => {
            quote_spanned!(ty.span()=> #ident: #slot.unwrap_or_else(<#ty as ::core::default::Default>::default))
        }
        Default::Function(path) => quote_spanned!(path.span()=> #ident: #slot.unwrap_or_else(#path)),
        Default::None => {
            let codec = codec(krate, field);
            quote_spanned!(ty.span()=> #ident: #krate::codegen::found::<#codec, #ty>(#name, #slot)?)
        }
    }
}

/// The variable that a field is read into.
fn slot(ident: &Ident) -> Ident {
    format_ident!("slot_{}", syn::ext::IdentExt::unraw(ident))
}

/// The codec's type. An `Option` with a codec is absent when it is `None`.
pub(crate) fn codec(krate: &TokenStream, field: &Field) -> TokenStream {
    let codec = match &field.attrs.codec {
        Codec::Text => return quote!(#krate::codegen::Text),
        Codec::Json(span) => quote_spanned!(*span=> #krate::codegen::Json),
        Codec::Bincode(span) => quote_spanned!(*span=> #krate::codegen::Bincode),
        Codec::Base64(span) => quote_spanned!(*span=> #krate::codegen::Base64),
        Codec::With(path) => quote!(#path),
    };
    match field.option_of() {
        Some(_) => quote!(#krate::codegen::Optional<#codec>),
        None => codec,
    }
}

/// What must hold of a field's type.
pub(crate) fn bound(krate: &TokenStream, field: &Field) -> Option<(syn::Type, TokenStream)> {
    let ty = &field.ty;
    let predicate = if field.attrs.skip.is_some() {
        quote!(#ty: ::core::default::Default)
    } else if field.attrs.flatten.is_some() {
        quote!(#ty: #krate::codegen::Fields)
    } else {
        let codec = codec(krate, field);
        quote!(#codec: #krate::codegen::Codec<#ty>)
    };
    Some((ty.clone(), predicate))
}
