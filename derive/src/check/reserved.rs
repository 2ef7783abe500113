//! Names of fields that events cannot have: this crate writes fields of its own into entries.

use proc_macro2::Span;
use quote::ToTokens as _;
use syn::LitStr;
use syn::spanned::Spanned as _;

use crate::ast::{Body, Field, Model, Shape, VariantBody};
use crate::errors::Errors;

/// Reports names that begin with `:` in events, and in the structs that they flatten.
pub(super) fn check(model: &Model, shape: Shape, errors: &mut Errors) {
    if !matches!(shape, Shape::Stream | Shape::Embedded) {
        return;
    }
    let fields: Vec<&Field> = match &model.body {
        Body::Struct(fields) => fields.iter().collect(),
        Body::Enum(variants) => variants
            .iter()
            .flat_map(|variant| match &variant.body {
                VariantBody::Struct(fields) => fields.as_slice(),
                _ => &[],
            })
            .collect(),
        _ => Vec::new(),
    };
    let names = fields.into_iter().filter(|field| field.is_stored()).flat_map(|field| {
        let aliases = field.attrs.aliases.iter().map(|alias| (alias.value(), alias.span()));
        std::iter::once((field.name.clone(), field.name_span)).chain(aliases)
    });
    let tag = model.attrs.tag.iter().map(|tag: &LitStr| (tag.value(), tag.to_token_stream().span()));
    let reserved = names.chain(tag).filter(|(name, _)| name.starts_with(':'));
    for (name, span) in reserved.collect::<Vec<(String, Span)>>() {
        let message = format!(
            "the fields of entries that begin with `:` are this crate's own; choose another name than \"{name}\""
        );
        errors.push(syn::Error::new(span, message));
    }
}
