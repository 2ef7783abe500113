//! An enum in a list or a stream: the variant's name in a field of its own, the variant's fields beside it.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;

use super::fields::{Code, bound, check_names, names, read_fields, write_field};
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
        VariantBody::Newtype(ty) => vec![((**ty).clone(), quote!(#ty: #krate::codegen::Embedded))],
        VariantBody::Unit | VariantBody::Wrong => Vec::new(),
    });
    Code {
        checks: checks(model, &tag, variants),
        names: quote!(#krate::codegen::Names { own: &[#tag], flattened: &[] }),
        write: quote!(match self { #(#write)* }),
        read: quote! {
            match #krate::codegen::variant(__source, #tag, #known)? {
                #(#read)*
                __other => #krate::codegen::Err(#krate::codegen::unknown_variant(#tag, __other, #known)),
            }
        },
        bounds: bounds.collect(),
    }
}

/// Each variant's fields are beside the tag, and must not be called as it is.
fn checks(model: &Model, tag: &str, variants: &[Variant]) -> TokenStream {
    let tags = [tag.to_owned()];
    let checks = variants.iter().map(|variant| match &variant.body {
        VariantBody::Struct(fields) => check_names(model, fields, &names(model, &tags, fields)),
        VariantBody::Newtype(ty) => {
            let krate = model.krate_at(ty.span());
            let message =
                format!("a field of this variant has the name of the tag, \"{tag}\": rename it, or set another `tag`");
            quote_spanned! {ty.span()=>
                const {
                    let flattened = &[<#ty as #krate::codegen::Embedded>::FLATTENED];
                    ::core::assert!(#krate::codegen::Names { own: &[#tag], flattened }.are_distinct(), #message)
                };
            }
        }
        VariantBody::Unit | VariantBody::Wrong => TokenStream::new(),
    });
    quote!(#(#checks)*)
}

fn write_arm(model: &Model, tag: &str, variant: &Variant) -> TokenStream {
    let krate = model.krate();
    let (ident, name) = (&variant.ident, &variant.name);
    let set = quote! {
        #krate::codegen::Sink::set(__sink, #tag, #krate::codegen::String::from(#name), #krate::codegen::Kind::Text);
    };
    match &variant.body {
        VariantBody::Struct(fields) => {
            let stored: Vec<_> = fields.iter().filter(|field| field.attrs.skip.is_none()).collect();
            let idents = stored.iter().map(|field| &field.ident);
            // Names of their own: a field may be called `sink`.
            let bound: Vec<_> = (0..stored.len()).map(|at| format_ident!("__field_{at}")).collect();
            let writes = stored.iter().zip(&bound).map(|(field, bound)| write_field(model, field, &quote!(#bound)));
            quote!(Self::#ident { #(#idents: #bound,)* .. } => { #set #(#writes)* })
        }
        VariantBody::Newtype(ty) => {
            let krate = model.krate_at(ty.span());
            let write =
                quote_spanned!(ty.span()=> <#ty as #krate::codegen::Embedded>::write_flattened(__inner, __sink)?;);
            quote!(Self::#ident(__inner) => { #set #write })
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
            quote_spanned!(ty.span()=> #krate::codegen::Ok(Self::#ident(<#ty as #krate::codegen::Embedded>::read_flattened(__source)?)))
        }
        VariantBody::Unit | VariantBody::Wrong => quote!(#krate::codegen::Ok(Self::#ident)),
    }
}
