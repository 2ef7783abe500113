//! An enum in a list or a stream: the variant's name in a field of its own, the variant's fields beside it.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;

use super::fields::{bound, read_fields, write_field};
use super::model::Code;
use crate::ast::{Model, Variant, VariantBody};

/// The code of an enum's `Fields`.
pub(crate) fn code(model: &Model, variants: &[Variant]) -> Code {
    let krate = model.krate();
    let tag = model.tag();
    let known = variants.iter().map(|variant| format!("`{}`", variant.name)).collect::<Vec<_>>().join(", ");
    let write = variants.iter().map(|variant| write_arm(model, &tag, variant));
    let read = variants.iter().map(|variant| {
        let (name, aliases) = (&variant.name, &variant.attrs.aliases);
        let body = read_variant(model, variant);
        quote!(#name #(| #aliases)* => { #body })
    });
    let bounds = variants.iter().flat_map(|variant| match &variant.body {
        VariantBody::Struct(fields) => fields.iter().map(|field| bound(model, field)).collect(),
        VariantBody::Newtype(ty) => vec![((**ty).clone(), quote!(#ty: #krate::codegen::Fields))],
        VariantBody::Unit | VariantBody::Wrong => Vec::new(),
    });
    Code {
        names: quote!(#tag),
        write: quote!(match self { #(#write)* }),
        read: quote! {
            match #krate::codegen::variant(source, #tag, #known)? {
                #(#read)*
                other => #krate::codegen::Err(#krate::codegen::unknown_variant(#tag, other, #known)),
            }
        },
        bounds: bounds.collect(),
    }
}

fn write_arm(model: &Model, tag: &str, variant: &Variant) -> TokenStream {
    let krate = model.krate();
    let (ident, name) = (&variant.ident, &variant.name);
    let set = quote! {
        #krate::codegen::Sink::set(sink, #tag, #krate::codegen::String::from(#name), #krate::codegen::Kind::Text);
    };
    match &variant.body {
        VariantBody::Struct(fields) => {
            let stored: Vec<_> = fields.iter().filter(|field| field.attrs.skip.is_none()).collect();
            let idents = stored.iter().map(|field| &field.ident);
            // Names of their own: a field may be called `sink`.
            let bound: Vec<_> = (0..stored.len()).map(|at| format_ident!("field_{at}")).collect();
            let writes = stored.iter().zip(&bound).map(|(field, bound)| write_field(model, field, &quote!(#bound)));
            quote!(Self::#ident { #(#idents: #bound,)* .. } => { #set #(#writes)* })
        }
        VariantBody::Newtype(ty) => {
            let krate = model.krate_at(ty.span());
            let write = quote_spanned!(ty.span()=> <#ty as #krate::codegen::Fields>::write(inner, sink)?;);
            quote!(Self::#ident(inner) => { #set #write })
        }
        VariantBody::Unit | VariantBody::Wrong => quote!(Self::#ident => { #set }),
    }
}

fn read_variant(model: &Model, variant: &Variant) -> TokenStream {
    let krate = model.krate();
    let ident = &variant.ident;
    match &variant.body {
        VariantBody::Struct(fields) => read_fields(model, fields, &quote!(Self::#ident)),
        VariantBody::Newtype(ty) => {
            let krate = model.krate_at(ty.span());
            quote_spanned!(ty.span()=> #krate::codegen::Ok(Self::#ident(<#ty as #krate::codegen::Fields>::read(source)?)))
        }
        VariantBody::Unit | VariantBody::Wrong => quote!(#krate::codegen::Ok(Self::#ident)),
    }
}
