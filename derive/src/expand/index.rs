//! Describes the indexes of a model: the columns of its fields, and the indexes over them.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{Ident, Type};

use super::variable::variable;
use crate::ast::{Body, Field, Model, Shape};
use crate::attr::{Compound, Part};

/// Returns the body of `describe_fields`: the columns in the order in which `write` writes them, and their indexes.
pub(crate) fn describe_fields(model: &Model, fields: &[Field]) -> TokenStream {
    if !matches!(model.shape(), Shape::Hash | Shape::Embedded) {
        return TokenStream::new();
    }
    let layout = variable("__layout");
    let own = fields.iter().map(|field| {
        let (ty, name) = (&field.ty, &field.name);
        let krate = model.krate_at(ty.span());
        if field.attrs.flatten.is_some() {
            return quote_spanned!(ty.span()=> <#ty as #krate::codegen::Embedded>::describe_flattened(#layout););
        }
        if !model.is_in_index(field) {
            return TokenStream::new();
        }
        let column = quote_spanned!(ty.span()=> <#ty as #krate::codegen::IndexField>::describe_column(#layout, #name););
        let index = (field.attrs.index.is_some() || field.attrs.unique.is_some()).then(|| {
            let is_unique = field.attrs.unique.is_some();
            quote!(#krate::codegen::LayoutBuilder::index(#layout, &[#name], #is_unique);)
        });
        quote!(#column #index)
    });
    let compounds = model.attrs.compounds.iter().map(|compound| describe_compound(model, fields, compound));
    quote!(#(#own)* #(#compounds)*)
}

fn describe_compound(model: &Model, fields: &[Field], compound: &Compound) -> TokenStream {
    let krate = model.krate();
    let layout = variable("__layout");
    let is_unique = compound.is_unique;
    let names = parts(fields, compound).map(|(part, field)| match &part.inner {
        Some(inner) => {
            let field = inner_field(field, inner);
            quote!(#krate::codegen::FieldRef::name(#field))
        }
        None => {
            let name = &field.name;
            quote!(#name)
        }
    });
    quote!(#krate::codegen::LayoutBuilder::index(#layout, &[#(#names),*], #is_unique);)
}

fn parts<'a>(fields: &'a [Field], compound: &'a Compound) -> impl Iterator<Item = (&'a Part, &'a Field)> {
    compound.parts.iter().filter_map(|part| {
        let field = fields.iter().find(|field| field.ident.unraw() == part.field.unraw())?;
        Some((part, field))
    })
}

/// Returns the constant of a field of an embedded struct.
fn inner_field(flattened: &Field, inner: &Ident) -> TokenStream {
    let ty = &flattened.ty;
    let constant = Ident::new(&inner.unraw().to_string().to_uppercase(), inner.span());
    quote_spanned!(inner.span()=> <#ty>::#constant)
}

/// Returns assertions that a compound index names fields of one value, and that those of embedded structs are in an index
/// there. Only the compiler knows the types of the fields.
pub(crate) fn compound_checks(model: &Model, fields: &[Field]) -> TokenStream {
    let parts = model.attrs.compounds.iter().flat_map(|compound| parts(fields, compound));
    let checks = parts.map(|(part, field)| {
        let name = part.inner.as_ref().unwrap_or(&part.field);
        let krate = model.krate_at(name.span());
        let message = format!(
            "`{0}` holds several values, and a compound index takes one of each field; remove it, and give it an index of \
             its own",
            name.unraw()
        );
        let holds_many = match &part.inner {
            Some(inner) => {
                let field = inner_field(field, inner);
                quote_spanned!(inner.span()=> #krate::codegen::holds_many(#field))
            }
            None => {
                let ty = &field.ty;
                quote_spanned!(ty.span()=> <#ty as #krate::codegen::IndexField>::MANY)
            }
        };
        quote_spanned!(name.span()=> const { ::core::assert!(!#holds_many, #message) };)
    });
    quote!(#(#checks)*)
}

/// Returns the type that says which index a field has.
pub(crate) fn marker(model: &Model, field: &Field) -> TokenStream {
    let krate = model.krate();
    if field.attrs.unique.is_some() {
        quote!(#krate::codegen::Unique)
    } else if model.is_in_index(field) {
        quote!(#krate::codegen::Indexed)
    } else {
        quote!(#krate::codegen::NotIndexed)
    }
}

/// Returns the items of `HashModel` about indexes, the version, the time to live and the hooks.
pub(crate) fn hash_items(model: &Model) -> TokenStream {
    let krate = model.krate();
    let Body::Struct(fields) = &model.body else { return TokenStream::new() };
    let layout = variable("__layout");
    // The fallback for an invalid input gets here with an `Option`.
    let version = fields.iter().find(|field| field.attrs.version.is_some() && field.option_inner().is_none());
    let (version_items, describe_version) = match version {
        Some(field) => {
            let (ident, ty, name) = (&field.ident, &field.ty, &field.name);
            let items = quote_spanned! {ty.span()=>
                type Version = #ty;
                fn version(&self) -> #ty { ::core::clone::Clone::clone(&self.#ident) }
                fn set_version(&mut self, version: #ty) { self.#ident = version; }
            };
            (items, Some(quote!(#krate::codegen::LayoutBuilder::version(#layout, #name);)))
        }
        None => (
            quote!(
                type Version = ();
                fn version(&self) {}
                fn set_version(&mut self, _: ()) {}
            ),
            None,
        ),
    };
    let partitions =
        model.attrs.partitions.map(|(count, _)| quote!(#krate::codegen::LayoutBuilder::partitions(#layout, #count);));
    let describe = (describe_version.is_some() || partitions.is_some()).then(|| {
        quote! {
            fn describe(__layout: &mut #krate::codegen::LayoutBuilder) {
                #krate::codegen::LayoutBuilder::model(
                    __layout,
                    <Self as #krate::codegen::HashModel>::MODEL_NAME,
                    <Self as #krate::codegen::HashModel>::KEY_PREFIX,
                );
                <Self as #krate::codegen::Fields>::describe_fields(__layout);
                #describe_version
                #partitions
            }
        }
    });
    let ttl = model.attrs.ttl.map(|(ttl, _)| {
        let seconds = ttl.as_secs();
        quote! {
            const TTL: #krate::codegen::Option<::core::time::Duration> =
                #krate::codegen::Some(::core::time::Duration::from_secs(#seconds));
        }
    });
    let sliding = model.attrs.sliding.map(|_| quote!(const SLIDING: #krate::codegen::bool = true;));
    let after_load = model.attrs.after_load.as_ref().map(|_| quote!(const AFTER_LOAD: #krate::codegen::bool = true;));
    let schema = model.attrs.schema_version.map(|(version, _)| {
        quote!(const SCHEMA_VERSION: #krate::codegen::Option<::core::primitive::u32> = #krate::codegen::Some(#version);)
    });
    quote!(#version_items #describe #ttl #sliding #schema #after_load)
}

/// Returns the where predicates of a field in an index, and of the version.
pub(crate) fn where_predicates(model: &Model, field: &Field) -> Vec<(Type, TokenStream)> {
    let krate = model.krate();
    let ty = &field.ty;
    let indexed = model.is_in_index(field).then(|| quote!(#ty: #krate::codegen::IndexField));
    let version = field.attrs.version.map(|_| quote!(#ty: #krate::codegen::Version));
    indexed.into_iter().chain(version).map(|predicate| (ty.clone(), predicate)).collect()
}

/// Returns the code that writes the column of a field after the field itself.
pub(crate) fn write_column(model: &Model, field: &Field, value: &TokenStream) -> TokenStream {
    if !model.is_in_index(field) {
        return TokenStream::new();
    }
    let (ty, name) = (&field.ty, &field.name);
    let krate = model.krate_at(ty.span());
    let sink = variable("__sink");
    let text = quote_spanned!(ty.span()=> <#ty as #krate::codegen::IndexField>::column_text(#value));
    quote_spanned!(ty.span()=> #krate::codegen::put_column(#sink, #name, || #text)?;)
}
