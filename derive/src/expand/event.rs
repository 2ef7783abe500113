//! Enums in a list or a stream. The tag field holds the name of the variant, next to the fields of the variant.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;

use super::fields::{FieldsImpl, ReadFields, name_check, names, read_fields, where_predicate, write_field};
use super::variable::variable;
use crate::ast::{Model, Variant, VariantBody};

/// Returns the `Fields` implementation of an enum.
pub(crate) fn fields_impl(model: &Model, variants: &[Variant]) -> FieldsImpl {
    let krate = model.krate();
    let tag = model.tag();
    let known = || variants.iter().filter(|variant| variant.attrs.unknown.is_none());
    let expected = known().map(|variant| format!("`{}`", variant.name)).collect::<Vec<_>>().join(", ");
    let write = variants.iter().map(|variant| write_arm(model, &tag, variant));
    let read = known().map(|variant| {
        let (name, aliases) = (&variant.name, &variant.attrs.aliases);
        let body = read_variant(model, variant);
        quote!(#name #(| #aliases)* => { #body })
    });
    let bounds = variants.iter().flat_map(|variant| match &variant.body {
        VariantBody::Newtype(ty) if variant.attrs.unknown.is_some() => {
            vec![((**ty).clone(), quote!(#ty: #krate::codegen::UnknownVariant))]
        }
        VariantBody::Struct(fields) => fields.iter().map(|field| where_predicate(model, field)).collect(),
        VariantBody::Newtype(ty) => vec![((**ty).clone(), quote!(#ty: #krate::codegen::VariantFields))],
        VariantBody::Unit | VariantBody::Invalid => Vec::new(),
    });
    let otherwise = variants.iter().find(|variant| variant.attrs.unknown.is_some()).map_or_else(
        || quote!(#krate::codegen::Err(#krate::codegen::unknown_variant(#tag, __other, #expected))),
        |variant| read_unknown(model, &tag, variant),
    );
    FieldsImpl {
        checks: name_checks(model, &tag, variants),
        names: quote!(#krate::codegen::Names { own: &[#tag], flattened: &[] }),
        describe: TokenStream::new(),
        write: quote!(match self { #(#write)* }),
        read: quote! {
            match #krate::codegen::variant(__source, #tag, #expected)? {
                #(#read)*
                __other => #otherwise,
            }
        },
        bounds: bounds.collect(),
    }
}

/// Returns assertions that no field of a variant has the name of the tag or of another field.
fn name_checks(model: &Model, tag: &str, variants: &[Variant]) -> TokenStream {
    let tags = [tag.to_owned()];
    let known = variants.iter().filter(|variant| variant.attrs.unknown.is_none());
    let checks = known.map(|variant| match &variant.body {
        VariantBody::Struct(fields) => name_check(model, fields, &names(model, &tags, fields)),
        VariantBody::Newtype(ty) => {
            let krate = model.krate_at(ty.span());
            let message = format!(
                "a field of this variant has the same name as the tag, \"{tag}\"; rename it, or set another `tag`"
            );
            quote_spanned! {ty.span()=>
                const {
                    let flattened = &[<#ty as #krate::codegen::VariantFields>::NAMES];
                    ::core::assert!(#krate::codegen::Names { own: &[#tag], flattened }.are_distinct(), #message)
                };
            }
        }
        VariantBody::Unit | VariantBody::Invalid => TokenStream::new(),
    });
    quote!(#(#checks)*)
}

fn write_arm(model: &Model, tag: &str, variant: &Variant) -> TokenStream {
    let krate = model.krate();
    let (ident, name) = (&variant.ident, &variant.name);
    if variant.attrs.unknown.is_some() {
        return write_unknown(model, tag, variant);
    }
    let set_tag = quote! {
        #krate::codegen::Sink::set(__sink, #tag, #krate::codegen::String::from(#name), #krate::codegen::Kind::Text);
    };
    match &variant.body {
        VariantBody::Struct(fields) => {
            let stored: Vec<_> = fields.iter().filter(|field| field.attrs.skip.is_none()).collect();
            let idents = stored.iter().map(|field| &field.ident);
            // The fields are bound to generated names, because a field could have the name of another variable.
            let bindings: Vec<_> = (0..stored.len()).map(|index| format_ident!("__field_{index}")).collect();
            let writes =
                stored.iter().zip(&bindings).map(|(field, binding)| write_field(model, field, &quote!(#binding)));
            quote!(Self::#ident { #(#idents: #bindings,)* .. } => { #set_tag #(#writes)* })
        }
        VariantBody::Newtype(ty) => {
            let krate = model.krate_at(ty.span());
            let (inner, sink) = (variable("__inner"), variable("__sink"));
            let write =
                quote_spanned!(ty.span()=> <#ty as #krate::codegen::VariantFields>::write_variant(#inner, #sink)?;);
            quote!(Self::#ident(#inner) => { #set_tag #write })
        }
        VariantBody::Unit | VariantBody::Invalid => quote!(Self::#ident => { #set_tag }),
    }
}

fn read_variant(model: &Model, variant: &Variant) -> TokenStream {
    let krate = model.krate();
    let ident = &variant.ident;
    match &variant.body {
        VariantBody::Struct(fields) => {
            let ReadFields { statements, value } = read_fields(model, fields, &quote!(Self::#ident));
            quote!(#statements #krate::codegen::Ok(#value))
        }
        VariantBody::Newtype(ty) => {
            let krate = model.krate_at(ty.span());
            let source = variable("__source");
            quote_spanned!(ty.span()=> #krate::codegen::Ok(Self::#ident(<#ty as #krate::codegen::VariantFields>::read_variant(#source)?)))
        }
        VariantBody::Unit | VariantBody::Invalid => quote!(#krate::codegen::Ok(Self::#ident)),
    }
}

/// Returns the arm that writes the variant for unknown events.
fn write_unknown(model: &Model, tag: &str, variant: &Variant) -> TokenStream {
    let (ident, name) = (&variant.ident, &variant.name);
    match &variant.body {
        VariantBody::Newtype(ty) => {
            let krate = model.krate_at(ty.span());
            let (inner, sink) = (variable("__inner"), variable("__sink"));
            let write = quote_spanned!(ty.span()=> <#ty as #krate::codegen::UnknownVariant>::write_unknown(#inner, #sink, #tag)?;);
            quote!(Self::#ident(#inner) => { #write })
        }
        _ => {
            let krate = model.krate();
            quote!(Self::#ident => { return #krate::codegen::Err(#krate::codegen::not_written(#name)); })
        }
    }
}

/// Returns the code that reads the variant for unknown events. `__other` is the name of the event's variant.
fn read_unknown(model: &Model, tag: &str, variant: &Variant) -> TokenStream {
    let ident = &variant.ident;
    match &variant.body {
        VariantBody::Newtype(ty) => {
            let krate = model.krate_at(ty.span());
            let (source, other) = (variable("__source"), variable("__other"));
            quote_spanned!(ty.span()=> #krate::codegen::Ok(Self::#ident(<#ty as #krate::codegen::UnknownVariant>::read_unknown(#source, #tag, #other)?)))
        }
        _ => {
            let krate = model.krate();
            quote!(#krate::codegen::Ok(Self::#ident))
        }
    }
}
