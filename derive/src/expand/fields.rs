//! Writing and reading named fields, of a struct or of a variant.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{Ident, LitByteStr, LitStr, Type};

use crate::ast::{Field, Model};
use crate::attr::{Codec, Default};

/// The bodies of a type's `Fields`.
pub(crate) struct Code {
    /// What the compiler is to check of the names.
    pub(crate) checks: TokenStream,
    /// The fields' names.
    pub(crate) names: TokenStream,
    /// Writes `self` to `__sink`.
    pub(crate) write: TokenStream,
    /// Reads from `__source`.
    pub(crate) read: TokenStream,
    /// What must hold of the fields' types.
    pub(crate) bounds: Vec<(Type, TokenStream)>,
}

/// The code of a struct's `Fields`.
pub(crate) fn of_struct(model: &Model, fields: &[Field]) -> Code {
    let write = fields.iter().map(|field| {
        let ident = &field.ident;
        write_field(model, field, &quote!(&self.#ident))
    });
    let names = names(model, &[], fields);
    Code {
        checks: check_names(model, fields, &names),
        names,
        write: quote!(#(#write)*),
        read: read_fields(model, fields, &quote!(Self)),
        bounds: fields.iter().map(|field| bound(model, field)).collect(),
    }
}

/// The names of the fields, and of those that are flattened into them.
pub(crate) fn names(model: &Model, others: &[String], fields: &[Field]) -> TokenStream {
    let krate = model.krate();
    let stored = fields.iter().filter(|field| field.is_stored());
    let own = stored
        .flat_map(|field| std::iter::once(field.name.clone()).chain(field.attrs.aliases.iter().map(LitStr::value)));
    let own = others.iter().cloned().chain(own);
    let flattened = fields.iter().filter(|field| field.attrs.flatten.is_some()).map(|field| {
        let ty = &field.ty;
        let krate = model.krate_at(ty.span());
        quote_spanned!(ty.span()=> <#ty as #krate::codegen::Embedded>::FLATTENED)
    });
    quote!(#krate::codegen::Names { own: &[#(#own),*], flattened: &[#(#flattened),*] })
}

/// Lets the compiler check that no name stands twice, where something is flattened: only it knows those names.
pub(crate) fn check_names(model: &Model, fields: &[Field], names: &TokenStream) -> TokenStream {
    let Some(field) = fields.iter().find(|field| field.attrs.flatten.is_some()) else { return TokenStream::new() };
    let message = format!("a flattened field has the name of another field of {}: rename one", model.ident.unraw());
    quote_spanned!(field.ty.span()=> const { ::core::assert!((#names).are_distinct(), #message) };)
}

/// Writes one field to `__sink`. Trait errors are at the field's type.
pub(crate) fn write_field(model: &Model, field: &Field, value: &TokenStream) -> TokenStream {
    let (ty, name) = (&field.ty, &field.name);
    let krate = model.krate_at(ty.span());
    if field.attrs.skip.is_some() {
        return TokenStream::new();
    }
    if field.attrs.flatten.is_some() {
        return quote_spanned!(ty.span()=> <#ty as #krate::codegen::Embedded>::write_flattened(#value, __sink)?;);
    }
    let codec = codec(model, field);
    let aliases = &field.attrs.aliases;
    quote_spanned!(ty.span()=> <#codec as #krate::codegen::Codec<#ty>>::put(__sink, #name, &[#(#aliases),*], #value)?;)
}

/// Reads all fields of `__source` and makes `constructor` of them.
pub(crate) fn read_fields(model: &Model, fields: &[Field], constructor: &TokenStream) -> TokenStream {
    let krate = model.krate();
    let mut slots = TokenStream::new();
    let mut arms = TokenStream::new();
    let mut fallbacks = TokenStream::new();
    for (at, field) in fields.iter().enumerate().filter(|(_, field)| field.is_stored()) {
        let (slot, old) = (slot(at), format_ident!("__alias_{at}"));
        let (ty, name) = (&field.ty, &field.name);
        let codec = codec(model, field);
        let here = model.krate_at(ty.span());
        let found = quote_spanned!(ty.span()=> <#codec as #here::codegen::Codec<#ty>>::get(#name, __content)?);
        let bytes = LitByteStr::new(name.as_bytes(), field.name_span);
        slots.extend(quote!(let mut #slot: #krate::codegen::Option<#ty> = #krate::codegen::None;));
        arms.extend(quote!(#bytes => #slot = #found,));
        if field.attrs.aliases.is_empty() {
            continue;
        }
        // Under its present name it counts, whatever an old one says.
        let aliases = field.attrs.aliases.iter().map(|alias| LitByteStr::new(alias.value().as_bytes(), alias.span()));
        slots.extend(quote!(let mut #old = #krate::codegen::None;));
        arms.extend(quote!(#(#aliases)|* => #old = #krate::codegen::Some(__content),));
        fallbacks.extend(quote! {
            if let (#krate::codegen::None, #krate::codegen::Some(__content)) = (&#slot, #old) {
                #slot = #found;
            }
        });
    }
    let scan = (!arms.is_empty()).then(|| {
        quote! {
            for __field in #krate::codegen::Source::fields(__source) {
                let (__name, __content) = __field?;
                match __name {
                    #arms
                    _ => {}
                }
            }
        }
    });
    let inits = fields.iter().enumerate().map(|(at, field)| init(model, at, field));
    quote! {
        #slots
        #scan
        #fallbacks
        #krate::codegen::Ok(#constructor { #(#inits),* })
    }
}

fn init(model: &Model, at: usize, field: &Field) -> TokenStream {
    let (ident, ty, name) = (&field.ident, &field.ty, &field.name);
    let krate = model.krate_at(ty.span());
    if field.attrs.skip.is_some() {
        return quote_spanned!(ty.span()=> #ident: <#ty as ::core::default::Default>::default());
    }
    if field.attrs.flatten.is_some() {
        return quote_spanned!(ty.span()=> #ident: <#ty as #krate::codegen::Embedded>::read_flattened(__source)?);
    }
    let slot = slot(at);
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
fn slot(at: usize) -> Ident {
    format_ident!("__slot_{at}")
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
        quote!(#ty: #krate::codegen::Embedded)
    } else {
        let codec = codec(model, field);
        quote!(#codec: #krate::codegen::Codec<#ty>)
    };
    (ty.clone(), predicate)
}
