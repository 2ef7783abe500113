//! Describes the indexes of a model: the columns of its fields, and the indexes over them.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Type;
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;

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
        let column = quote_spanned!(ty.span()=> #krate::codegen::LayoutBuilder::column::<#ty>(#layout, #name););
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
    let parts = compound.parts.iter().filter_map(|part| {
        let field = fields.iter().find(|field| field.ident.unraw() == part.field.unraw())?;
        Some((part, field))
    });
    let (mut names, mut checks) = (Vec::new(), Vec::new());
    for (part, field) in parts {
        let (name, check) = compound_part(model, part, field);
        names.push(name);
        checks.push(check);
    }
    quote!(#(#checks)* #krate::codegen::LayoutBuilder::index(#layout, &[#(#names),*], #is_unique);)
}

/// Returns the name of a column in a compound index, and an assertion that it holds one value: only the compiler knows the
/// type of the field.
fn compound_part(model: &Model, part: &Part, field: &Field) -> (TokenStream, TokenStream) {
    let (ty, name) = (&field.ty, &field.name);
    let krate = model.krate_at(part.field.span());
    let Some(inner) = &part.inner else {
        let message = many_valued(&part.field.unraw().to_string());
        let assertion = quote_spanned! {part.field.span()=>
            const { ::core::assert!(!<#ty as #krate::codegen::IndexField>::MANY, #message) };
        };
        return (quote!(#name), assertion);
    };
    let constant = syn::Ident::new(&inner.unraw().to_string().to_uppercase(), inner.span());
    let message = many_valued(&inner.unraw().to_string());
    let field = quote_spanned!(inner.span()=> <#ty>::#constant);
    let assertion = quote_spanned! {inner.span()=>
        const { ::core::assert!(!#krate::codegen::holds_many(#field), #message) };
    };
    (quote!(#krate::codegen::FieldRef::name(#field)), assertion)
}

fn many_valued(field: &str) -> String {
    format!(
        "`{field}` holds any number of values, and a compound index takes one of each field; give `{field}` an index of its \
         own with #[redis(index)]"
    )
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

/// Returns the items of `HashModel` about indexes, the version and the time to live.
pub(crate) fn hash_items(model: &Model) -> TokenStream {
    let krate = model.krate();
    let Body::Struct(fields) = &model.body else { return TokenStream::new() };
    let layout = variable("__layout");
    let version = fields.iter().find(|field| field.attrs.version.is_some());
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
    quote!(#version_items #describe #ttl #sliding)
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
    quote_spanned!(ty.span()=> #krate::codegen::put_column::<#ty>(#sink, #name, #value)?;)
}
