//! The traits of a model: `Fields`, and the one of its shape.

use std::collections::HashSet;

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::Type;
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;

use super::fields::{self, Code};
use crate::ast::{Body, Field, Model, Shape};

pub(crate) fn expand(model: &Model, code: &Code) -> TokenStream {
    let traits = implement(model, code);
    let constants = constants(model);
    let check = check_now(model, code);
    quote!(#traits #constants #check)
}

/// The implementations of `Fields` and of the shape's trait.
pub(crate) fn implement(model: &Model, code: &Code) -> TokenStream {
    let krate = model.krate();
    let ident = &model.ident;
    let (impl_generics, ty_generics, _) = model.generics.split_for_impl();
    let bounds = where_clause(model, &code.bounds);
    let Code { checks, names, write, read, .. } = code;
    let shape = shape(model, &bounds);
    quote! {
        #[automatically_derived]
        #[allow(unused_qualifications)]
        impl #impl_generics #krate::codegen::Fields for #ident #ty_generics #bounds {
            const NAMES: #krate::codegen::Names = #names;

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

        #shape
    }
}

fn shape(model: &Model, bounds: &TokenStream) -> TokenStream {
    let krate = model.krate();
    let ident = &model.ident;
    let (impl_generics, ty_generics, _) = model.generics.split_for_impl();
    let name = ident.unraw().to_string();
    let prefix = model.attrs.prefix.as_ref().map(syn::LitStr::value).unwrap_or_default();
    let common = quote! {
        const NAME: &'static #krate::codegen::str = #name;
        const PREFIX: &'static #krate::codegen::str = #prefix;
    };
    let (implemented, items) = match model.shape() {
        Shape::Value => return TokenStream::new(),
        Shape::Embedded => (quote!(Embedded), TokenStream::new()),
        Shape::List => (quote!(ListModel), common),
        Shape::Stream => {
            let max_len = match &model.attrs.max_len {
                Some((max_len, _)) => quote!(#krate::codegen::Some(#max_len)),
                None => quote!(#krate::codegen::None),
            };
            (
                quote!(StreamModel),
                quote!(#common const MAX_LEN: #krate::codegen::Option<#krate::codegen::u64> = #max_len;),
            )
        }
        Shape::Hash => {
            // An optional id is a mistake that was told already.
            let Some(id) = id_field(model).filter(|id| id.option_of().is_none()) else { return TokenStream::new() };
            let (field, ty) = (&id.ident, &id.ty);
            let associated = quote_spanned!(ty.span()=> type Id = #ty;);
            (quote!(HashModel), quote!(#associated #common fn id(&self) -> &#ty { &self.#field }))
        }
    };
    quote! {
        #[automatically_derived]
        #[allow(unused_qualifications)]
        impl #impl_generics #krate::codegen::#implemented for #ident #ty_generics #bounds {
            #items
        }
    }
}

fn id_field(model: &Model) -> Option<&Field> {
    let Body::Struct(fields) = &model.body else { return None };
    fields.iter().find(|field| field.attrs.id.is_some())
}

/// What must hold of the types that depend on a type parameter; of the others the compiler finds out by itself, and says
/// so where they stand.
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
    quote!(where #(#parameters: 'static,)* #(#declared,)* #(#needed,)*)
}

fn mentions(tokens: TokenStream, parameters: &[&syn::Ident]) -> bool {
    tokens.into_iter().any(|token| match token {
        // `Self` has all of them.
        proc_macro2::TokenTree::Ident(ident) => ident == "Self" || parameters.contains(&&ident),
        proc_macro2::TokenTree::Group(group) => mentions(group.stream(), parameters),
        _ => false,
    })
}

/// `User::EMAIL` and its like.
pub(crate) fn constants(model: &Model) -> TokenStream {
    let (Body::Struct(stored), Shape::Hash) = (&model.body, model.shape()) else { return TokenStream::new() };
    let krate = model.krate();
    let ident = &model.ident;
    let (impl_generics, ty_generics, declared) = model.generics.split_for_impl();
    // Two of one name are a mistake that was told already.
    let mut seen = HashSet::new();
    let distinct = stored.iter().filter(|field| field.is_stored() && seen.insert(field.constant()));
    let constants = distinct.map(|field| {
        let (vis, ty, name) = (&field.vis, &field.ty, &field.name);
        let constant = format_ident!("{}", field.constant(), span = field.ident.span());
        let aliases = &field.attrs.aliases;
        let codec = fields::codec(model, field);
        let doc = format!("The field `{}`.", field.ident.unraw());
        quote! {
            #[doc = #doc]
            #[allow(dead_code)]
            #vis const #constant: #krate::codegen::FieldRef<Self, #ty, #codec> = #krate::codegen::FieldRef::new(#name, &[#(#aliases),*]);
        }
    });
    quote! {
        #[automatically_derived]
        #[allow(unused_qualifications)]
        impl #impl_generics #ident #ty_generics #declared {
            #(#constants)*
        }
    }
}

/// The same check, made also where nothing is ever written. It cannot be made before type parameters are known.
fn check_now(model: &Model, code: &Code) -> TokenStream {
    let checks = &code.checks;
    if checks.is_empty() || !model.generics.params.is_empty() {
        return TokenStream::new();
    }
    quote!(const _: () = { #checks };)
}
