//! Implements the traits of a model: `Fields` and the trait of its shape.

use std::collections::HashSet;

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::Type;
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;

use super::fields::{FieldsImpl, codec};
use super::{commands, element, evolution, index};
use crate::ast::{Body, Field, Model, Shape};

pub(crate) fn expand(model: &Model, fields: &FieldsImpl) -> TokenStream {
    let traits = trait_impls(model, fields);
    let constants = field_constants(model);
    let checks = eager_checks(model, fields);
    quote!(#traits #constants #checks)
}

/// Returns the implementations of `Fields` and of the trait of the shape.
pub(crate) fn trait_impls(model: &Model, fields: &FieldsImpl) -> TokenStream {
    let krate = model.krate();
    let ident = &model.ident;
    let (impl_generics, ty_generics, _) = model.generics.split_for_impl();
    let bounds = where_clause(model, &fields.bounds);
    let FieldsImpl { checks, names, describe, write, read, .. } = fields;
    let conversions = evolution::conversions(model, &bounds);
    let describe = (!describe.is_empty())
        .then(|| quote!(fn describe_fields(__layout: &mut #krate::codegen::LayoutBuilder) { #describe }));
    let shape_impl = shape_impl(model, &bounds);
    quote! {
        #[automatically_derived]
        #[allow(unused_qualifications)]
        impl #impl_generics #krate::codegen::Fields for #ident #ty_generics #bounds {
            const FIELD_NAMES: #krate::codegen::Names = #names;

            #describe

            #[allow(unused_variables, clippy::all, clippy::pedantic)]
            fn write(&self, __sink: &mut impl #krate::codegen::Sink) -> #krate::codegen::Result<()> {
                #checks
                #write
                #[allow(unreachable_code)]
                #krate::codegen::Ok(())
            }

            #[allow(unused_variables, clippy::all, clippy::pedantic)]
            fn read<'__source>(__source: impl #krate::codegen::Source<'__source>) -> #krate::codegen::Result<Self> {
                #read
            }
        }

        #conversions

        #shape_impl
    }
}

fn shape_impl(model: &Model, bounds: &TokenStream) -> TokenStream {
    let krate = model.krate();
    let ident = &model.ident;
    let name = ident.unraw().to_string();
    let prefix = model.attrs.prefix.as_ref().map(syn::LitStr::value).unwrap_or_default();
    let common = quote! {
        const MODEL_NAME: &'static #krate::codegen::str = #name;
        const KEY_PREFIX: &'static #krate::codegen::str = #prefix;
    };
    let (shape_trait, items) = match model.shape() {
        Shape::Value => return TokenStream::new(),
        Shape::Embedded => (quote!(Embedded), TokenStream::new()),
        Shape::List => (quote!(ListModel), element::items_of_object(model)),
        Shape::Stream => {
            let max_len = match &model.attrs.max_len {
                Some((max_len, _)) => quote!(#krate::codegen::Some(#max_len)),
                None => quote!(#krate::codegen::None),
            };
            let max_age = match &model.attrs.max_age {
                Some((max_age, _)) => {
                    let seconds = max_age.as_secs();
                    quote!(#krate::codegen::Some(::core::time::Duration::from_secs(#seconds)))
                }
                None => quote!(#krate::codegen::None),
            };
            let (exact, publish) = (model.attrs.exact.is_some(), model.attrs.publish.is_some());
            let (category, versioned) = (model.attrs.category.is_some(), model.attrs.is_versioned());
            let items = quote! {
                #common
                const MAX_LEN: #krate::codegen::Option<#krate::codegen::u64> = #max_len;
                const MAX_AGE: #krate::codegen::Option<::core::time::Duration> = #max_age;
                const EXACT: #krate::codegen::bool = #exact;
                const PUBLISH: #krate::codegen::bool = #publish;
                const CATEGORY: #krate::codegen::bool = #category;
                const VERSIONED: #krate::codegen::bool = #versioned;
            };
            (quote!(StreamModel), items)
        }
        Shape::Hash => {
            // The fallback for an invalid input gets here without an id, or with an `Option` that cannot be one.
            let Some(id) = id_field(model).filter(|id| id.option_inner().is_none()) else { return TokenStream::new() };
            let (field, ty) = (&id.ident, &id.ty);
            let id_type = quote_spanned!(ty.span()=> type Id = #ty;);
            let name = &id.name;
            let indexes = index::hash_items(model);
            let id_field = quote!(const ID_FIELD: &'static #krate::codegen::str = #name;);
            (
                quote!(HashModel),
                quote! {
                    #id_type
                    #id_field
                    #common
                    fn id(&self) -> &#ty { &self.#field }
                    #indexes
                },
            )
        }
    };
    let commands = command_impls(model, bounds);
    let shape = commands::implement(model, &shape_trait, bounds, &items);
    let versioned = (model.shape() == Shape::Stream && model.attrs.is_versioned())
        .then(|| commands::implement(model, &quote!(VersionedModel), bounds, &TokenStream::new()));
    quote!(#shape #versioned #commands)
}

/// Returns the implementations that make a model an argument or a reply of any command.
fn command_impls(model: &Model, bounds: &TokenStream) -> TokenStream {
    let krate = model.krate();
    let (read, more) = match model.shape() {
        Shape::Value | Shape::Embedded => return TokenStream::new(),
        Shape::List => return commands::of_element(model, bounds),
        Shape::Stream => (quote!(event_from_reply), TokenStream::new()),
        Shape::Hash => (
            quote!(record_from_reply),
            quote! {
                fn is_absent(reply: #krate::codegen::Reply<'_>) -> #krate::codegen::bool {
                    #krate::codegen::is_no_record(reply)
                }
            },
        ),
    };
    commands::from_reply(model, bounds, &read, &more)
}

fn id_field(model: &Model) -> Option<&Field> {
    let Body::Struct(fields) = &model.body else { return None };
    fields.iter().find(|field| field.attrs.id.is_some())
}

/// Returns the where clause, with a bound for each field type that mentions a type parameter. The compiler checks the other
/// types without a bound, and its errors then point at the field.
fn where_clause(model: &Model, bounds: &[(Type, TokenStream)]) -> TokenStream {
    let parameters: Vec<_> = model.generics.type_params().map(|parameter| &parameter.ident).collect();
    if parameters.is_empty() {
        let declared = &model.generics.where_clause;
        return quote!(#declared);
    }
    let krate = model.krate();
    let declared = model.generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    let id = id_field(model).map(|id| {
        (id.ty.clone(), {
            let ty = &id.ty;
            quote!(#ty: #krate::codegen::Id)
        })
    });
    let needed =
        bounds.iter().cloned().chain(id).filter(|(ty, _)| mentions(quote!(#ty), &parameters)).map(|(_, bound)| bound);
    let copied = model.attrs.before_save.as_ref().map(|_| quote!(Self: ::core::clone::Clone,));
    quote!(where #(#parameters: 'static,)* #(#declared,)* #copied #(#needed,)*)
}

fn mentions(tokens: TokenStream, parameters: &[&syn::Ident]) -> bool {
    tokens.into_iter().any(|token| match token {
        // `Self` stands for a type with all of its parameters.
        proc_macro2::TokenTree::Ident(ident) => ident == "Self" || parameters.contains(&&ident),
        proc_macro2::TokenTree::Group(group) => mentions(group.stream(), parameters),
        _ => false,
    })
}

/// Returns the constants of the fields of a record or an embedded struct, such as `User::EMAIL`.
pub(crate) fn field_constants(model: &Model) -> TokenStream {
    let (Body::Struct(fields), Shape::Hash | Shape::Embedded) = (&model.body, model.shape()) else {
        return TokenStream::new();
    };
    let ident = &model.ident;
    let (impl_generics, ty_generics, declared) = model.generics.split_for_impl();
    // A second constant of the same name would add a compiler error to the one that `check` reports.
    let mut seen = HashSet::new();
    let distinct = fields.iter().filter(|field| field.has_constant() && seen.insert(field.constant()));
    let constants = distinct.map(|field| field_constant(model, field));
    quote! {
        #[automatically_derived]
        #[allow(unused_qualifications)]
        impl #impl_generics #ident #ty_generics #declared {
            #(#constants)*
        }
    }
}

fn field_constant(model: &Model, field: &Field) -> TokenStream {
    let krate = model.krate();
    let (vis, ty, name) = (&field.vis, &field.ty, &field.name);
    let constant = format_ident!("{}", field.constant(), span = field.ident.span());
    let (doc, ty, value) = if field.attrs.flatten.is_some() {
        (
            format!("The fields of `{}`.", field.ident.unraw()),
            quote!(#krate::codegen::FlattenRef<Self, #ty>),
            quote!(#krate::codegen::FlattenRef::new()),
        )
    } else {
        let (aliases, codec, index) = (&field.attrs.aliases, codec(model, field), index::marker(model, field));
        (
            format!("The field `{}`.", field.ident.unraw()),
            quote!(#krate::codegen::FieldRef<Self, #ty, #codec, #index>),
            quote!(#krate::codegen::FieldRef::new(#name, &[#(#aliases),*])),
        )
    };
    quote! {
        #[doc = #doc]
        #[allow(dead_code)]
        #vis const #constant: #ty = #value;
    }
}

/// Returns the constant assertions for the case that `write` is never called. A generic type cannot be checked before its
/// type parameters are known.
fn eager_checks(model: &Model, fields: &FieldsImpl) -> TokenStream {
    let checks = &fields.checks;
    if checks.is_empty() || !model.generics.params.is_empty() {
        return TokenStream::new();
    }
    quote!(const _: () = { #checks };)
}
