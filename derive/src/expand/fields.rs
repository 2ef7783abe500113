//! Writing and reading named fields, of a struct or of a variant.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Ident, LitByteStr, Type};

use super::model::Code;
use crate::ast::{Field, Model};
use crate::attr::{Codec, Default};

/// The code of a struct's `Fields`.
pub(crate) fn of_struct(model: &Model, fields: &[Field]) -> Code {
    let write = fields.iter().map(|field| {
        let ident = &field.ident;
        write_field(model, field, &quote!(&self.#ident))
    });
    let names = fields.iter().filter(|field| field.is_stored()).map(|field| &field.name);
    Code {
        names: quote!(#(#names),*),
        write: quote!(#(#write)*),
        read: read_fields(model, fields, &quote!(Self)),
        bounds: fields.iter().map(|field| bound(model, field)).collect(),
    }
}

/// Writes one field to `sink`. Trait errors are at the field's type.
pub(crate) fn write_field(model: &Model, field: &Field, value: &TokenStream) -> TokenStream {
    let (ty, name) = (&field.ty, &field.name);
    let krate = model.krate_at(ty.span());
    if field.attrs.skip.is_some() {
        return TokenStream::new();
    }
    if field.attrs.flatten.is_some() {
        return quote_spanned!(ty.span()=> <#ty as #krate::codegen::Fields>::write(#value, sink)?;);
    }
    let codec = codec(model, field);
    let aliases = &field.attrs.aliases;
    quote_spanned!(ty.span()=> <#codec as #krate::codegen::Codec<#ty>>::put(sink, #name, &[#(#aliases),*], #value)?;)
}

/// Reads all fields of `source` and makes `constructor` of them.
pub(crate) fn read_fields(model: &Model, fields: &[Field], constructor: &TokenStream) -> TokenStream {
    let krate = model.krate();
    let stored: Vec<(Ident, &Field)> =
        fields.iter().filter(|field| field.is_stored()).map(|field| (slot(&field.ident), field)).collect();
    let slots = stored.iter().map(|(slot, field)| {
        let ty = &field.ty;
        quote!(let mut #slot: #krate::codegen::Option<#ty> = #krate::codegen::None;)
    });
    let arms = stored.iter().map(|(slot, field)| {
        let (ty, name) = (&field.ty, &field.name);
        let codec = codec(model, field);
        let at = model.krate_at(ty.span());
        let bytes = LitByteStr::new(name.as_bytes(), field.name_span);
        let get =
            quote_spanned!(ty.span()=> #at::codegen::Some(<#codec as #at::codegen::Codec<#ty>>::get(#name, value)?));
        let aliases: Vec<LitByteStr> =
            field.attrs.aliases.iter().map(|alias| LitByteStr::new(alias.value().as_bytes(), alias.span())).collect();
        // Under its present name it counts, whatever an old one says.
        let alias_arm = (!aliases.is_empty()).then(|| quote!(#(#aliases)|* => if #slot.is_none() { #slot = #get; },));
        quote!(#bytes => #slot = #get, #alias_arm)
    });
    let inits = fields.iter().map(|field| init(model, field));
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

fn init(model: &Model, field: &Field) -> TokenStream {
    let (ident, ty, name) = (&field.ident, &field.ty, &field.name);
    let krate = model.krate_at(ty.span());
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
            let codec = codec(model, field);
            quote_spanned!(ty.span()=> #ident: <#codec as #krate::codegen::Codec<#ty>>::found(#name, #slot)?)
        }
    }
}

/// The variable that a field is read into.
fn slot(ident: &Ident) -> Ident {
    format_ident!("slot_{}", syn::ext::IdentExt::unraw(ident))
}

/// The codec's type. An `Option` with a codec is absent when it is `None`.
pub(crate) fn codec(model: &Model, field: &Field) -> TokenStream {
    let span = field.ty.span();
    let krate = model.krate_at(span);
    let codec = match &field.attrs.codec {
        Codec::Text => return quote_spanned!(span=> #krate::codegen::Text),
        Codec::Json(_) => quote_spanned!(span=> #krate::codegen::Json),
        Codec::Bincode(_) => quote_spanned!(span=> #krate::codegen::Bincode),
        Codec::Base64(_) => quote_spanned!(span=> #krate::codegen::Base64),
        Codec::With(path) => quote!(#path),
    };
    match field.option_of() {
        Some(_) => quote_spanned!(span=> #krate::codegen::Optional<#codec>),
        None => codec,
    }
}

/// What must hold of a field's type.
pub(crate) fn bound(model: &Model, field: &Field) -> (Type, TokenStream) {
    let krate = model.krate();
    let ty = &field.ty;
    let predicate = if field.attrs.skip.is_some() {
        quote!(#ty: ::core::default::Default)
    } else if field.attrs.flatten.is_some() {
        quote!(#ty: #krate::codegen::Fields)
    } else {
        let codec = codec(model, field);
        quote!(#codec: #krate::codegen::Codec<#ty>)
    };
    (ty.clone(), predicate)
}
