//! Reads what earlier versions of a program have written, and keeps what the model does not know.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;

use super::variable::variable;
use crate::ast::{Body, Field, Model};

/// Returns the code that upgrades the fields in `__source`.
pub(crate) fn upgrade(model: &Model) -> TokenStream {
    let (Some((version, _)), Some(path)) = (model.attrs.schema_version, &model.attrs.upgrade) else {
        return TokenStream::new();
    };
    let krate = model.krate();
    let upgraded = quote_spanned!(path.span()=> #krate::codegen::upgrade(__source, #version, #path)?);
    let remember = keeps_unknown(model).then(|| {
        let names = names(model);
        quote!(#krate::codegen::remember_removed::<Self>(#names, __upgraded.as_ref());)
    });
    quote! {
        let __upgraded = #upgraded;
        #remember
        let __source = #krate::codegen::Upgraded::new(__source, __upgraded.as_ref());
    }
}

/// Returns the code that writes the schema version.
pub(crate) fn write_schema(model: &Model) -> TokenStream {
    let Some((version, _)) = model.attrs.schema_version else { return TokenStream::new() };
    let krate = model.krate();
    let version = version.to_string();
    quote! {
        #krate::codegen::Sink::set(
            __sink,
            #krate::codegen::SCHEMA_FIELD,
            #krate::codegen::String::from(#version),
            #krate::codegen::Kind::Number,
        );
    }
}

/// Returns the variable for the fields that the model does not know, and the code that adds one to it.
pub(crate) fn keep_unknown(model: &Model, fields: &[Field]) -> (TokenStream, TokenStream) {
    let Some(field) = fields.iter().find(|field| field.attrs.unknown.is_some()) else {
        return (TokenStream::new(), TokenStream::new());
    };
    let ty = &field.ty;
    let krate = model.krate_at(ty.span());
    let names = names(model);
    let (unknown, name, content) = (variable("__unknown"), variable("__name"), variable("__content"));
    (
        quote_spanned!(ty.span()=> let mut #unknown: #ty = ::core::default::Default::default();),
        quote_spanned!(ty.span()=> <#ty as #krate::codegen::UnknownFields>::keep(&mut #unknown, #names, #name, #content);),
    )
}

/// Returns the code that writes the fields that the model does not know.
pub(crate) fn write_unknown(model: &Model, field: &Field, value: &TokenStream) -> TokenStream {
    let ty = &field.ty;
    let krate = model.krate_at(ty.span());
    let (names, sink, holder) = (names(model), variable("__sink"), field.ident.to_string());
    quote_spanned!(ty.span()=> <#ty as #krate::codegen::UnknownFields>::put::<Self>(#value, #sink, #names, #holder)?;)
}

fn keeps_unknown(model: &Model) -> bool {
    matches!(&model.body, Body::Struct(fields) if fields.iter().any(|field| field.attrs.unknown.is_some()))
}

fn names(model: &Model) -> TokenStream {
    let krate = model.krate();
    quote!(<Self as #krate::codegen::Fields>::FIELD_NAMES)
}

/// Returns the position of a field whose type has changed.
pub(crate) fn converter(model: &Model, field: &Field) -> Option<usize> {
    let Body::Struct(fields) = &model.body else { return None };
    field.attrs.from.as_ref().and(field.attrs.convert.as_ref())?;
    fields.iter().position(|other| other.ident == field.ident)
}

/// Returns the conversions of the fields whose types have changed.
pub(crate) fn conversions(model: &Model, bounds: &TokenStream) -> TokenStream {
    let Body::Struct(fields) = &model.body else { return TokenStream::new() };
    let ident = &model.ident;
    let (impl_generics, ty_generics, _) = model.generics.split_for_impl();
    let conversions = fields.iter().filter_map(|field| {
        let position = converter(model, field)?;
        let (old, path) = (field.attrs.from.as_ref()?, field.attrs.convert.as_ref()?);
        let new = field.option_inner().unwrap_or(&field.ty);
        let krate = model.krate_at(path.span());
        let convert = quote_spanned!(path.span()=> #krate::codegen::convert(old, #path));
        let old_type = quote_spanned!(old.span()=> type Old = #old;);
        Some(quote! {
            #[automatically_derived]
            #[allow(unused_qualifications)]
            impl #impl_generics #krate::codegen::Convert<#position> for #ident #ty_generics #bounds {
                #old_type
                type New = #new;

                fn convert(old: #old) -> ::core::result::Result<#new, #krate::codegen::CodecError> {
                    #convert
                }
            }
        })
    });
    quote!(#(#conversions)*)
}
