//! The traits of a model: `Fields`, and the one of its shape.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::Type;
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;

use super::fields;
use crate::ast::{Body, Field, Model, Shape};

/// The bodies of a type's `Fields`.
pub(crate) struct Code {
    /// The fields' names, between commas.
    pub(crate) names: TokenStream,
    /// Writes `self` to `sink`.
    pub(crate) write: TokenStream,
    /// Reads from `source`.
    pub(crate) read: TokenStream,
    /// What must hold of the fields' types.
    pub(crate) bounds: Vec<(Type, TokenStream)>,
}

pub(crate) fn expand(model: &Model, code: &Code) -> TokenStream {
    let traits = implement(model, code);
    let constants = constants(model);
    let collisions = collisions(model);
    quote!(#traits #constants #collisions)
}

/// The implementations of `Fields` and of the shape's trait.
pub(crate) fn implement(model: &Model, code: &Code) -> TokenStream {
    let krate = model.krate();
    let ident = &model.ident;
    let (impl_generics, ty_generics, _) = model.generics.split_for_impl();
    let bounds = where_clause(model, &code.bounds);
    let Code { names, write, read, .. } = code;
    let shape = shape(model, &bounds);
    quote! {
        #[automatically_derived]
        impl #impl_generics #krate::codegen::Fields for #ident #ty_generics #bounds {
            const NAMES: &'static [&'static #krate::codegen::str] = &[#names];

            #[allow(unused_variables, clippy::all, clippy::pedantic)]
            fn write(&self, sink: &mut impl #krate::codegen::Sink) -> #krate::codegen::Result<()> {
                #write
                #[allow(unreachable_code)]
                #krate::codegen::Ok(())
            }

            #[allow(unused_variables, clippy::all, clippy::pedantic)]
            fn read<'source>(source: impl #krate::codegen::Source<'source>) -> #krate::codegen::Result<Self> {
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
        Shape::Embedded | Shape::Value => return TokenStream::new(),
        Shape::List => (quote!(ListModel), common),
        Shape::Stream => {
            let max_len = match &model.attrs.max_len {
                Some(max_len) => quote!(#krate::codegen::Some(#max_len)),
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
        proc_macro2::TokenTree::Ident(ident) => parameters.contains(&&ident),
        proc_macro2::TokenTree::Group(group) => mentions(group.stream(), parameters),
        _ => false,
    })
}

/// `User::EMAIL` and its like.
fn constants(model: &Model) -> TokenStream {
    let (Body::Struct(stored), Shape::Hash) = (&model.body, model.shape()) else { return TokenStream::new() };
    let krate = model.krate();
    let ident = &model.ident;
    let (impl_generics, ty_generics, declared) = model.generics.split_for_impl();
    let constants = stored.iter().filter(|field| field.is_stored()).map(|field| {
        let (vis, ty, name) = (&field.vis, &field.ty, &field.name);
        let constant = format_ident!("{}", field.ident.unraw().to_string().to_uppercase(), span = field.ident.span());
        let codec = fields::codec(model, field);
        let doc = format!("The field `{}`.", field.ident.unraw());
        quote! {
            #[doc = #doc]
            #[allow(dead_code)]
            #vis const #constant: #krate::codegen::FieldRef<Self, #ty, #codec> = #krate::codegen::FieldRef::new(#name);
        }
    });
    quote! {
        #[automatically_derived]
        impl #impl_generics #ident #ty_generics #declared {
            #(#constants)*
        }
    }
}

/// Lets the compiler check that flattened fields have names of their own: only it knows them.
fn collisions(model: &Model) -> TokenStream {
    let (Body::Struct(all), true) = (&model.body, model.generics.params.is_empty()) else { return TokenStream::new() };
    let krate = model.krate();
    let ident = &model.ident;
    let flattened: Vec<&Type> =
        all.iter().filter(|field| field.attrs.flatten.is_some()).map(|field| &field.ty).collect();
    let checks = flattened.iter().enumerate().map(|(at, ty)| {
        let others = flattened.iter().take(at);
        let message = format!("a flattened field has the name of another field of {}: rename one", ident.unraw());
        quote_spanned! {ty.span()=>
            const _: () = {
                ::core::assert!(
                    #krate::codegen::disjoint(
                        <#ty as #krate::codegen::Fields>::NAMES,
                        <#ident as #krate::codegen::Fields>::NAMES,
                    ) #(&& #krate::codegen::disjoint(
                        <#ty as #krate::codegen::Fields>::NAMES,
                        <#others as #krate::codegen::Fields>::NAMES,
                    ))*,
                    #message
                );
            };
        }
    });
    quote!(#(#checks)*)
}
