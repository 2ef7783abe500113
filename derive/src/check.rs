//! The rules that attributes and fields have together. All cross-attribute rules live here.

use std::collections::HashMap;

use proc_macro2::Span;
use quote::ToTokens;
use syn::LitStr;
use syn::spanned::Spanned as _;

use crate::ast::{Body, Field, Model, Shape, Variant, VariantBody};
use crate::attr::{Codec, Default};
use crate::errors::Errors;

pub(crate) fn check(model: &Model, errors: &mut Errors) {
    let shape = model.shape();
    check_container(model, shape, errors);
    match &model.body {
        Body::Struct(fields) => {
            check_ids(model, shape, fields, errors);
            check_fields(fields, &[], errors);
            if shape == Shape::Hash {
                check_constants(model, fields, errors);
            } else if fields.iter().all(|field| field.attrs.skip.is_some()) {
                errors
                    .at(&model.ident, "a struct that stores no field stores nothing; give it one that is not skipped");
            }
        }
        Body::Newtype(_) => check_newtype(model, shape, errors),
        Body::Enum(variants) => check_enum(model, shape, variants, errors),
    }
}

fn check_container(model: &Model, shape: Shape, errors: &mut Errors) {
    let attrs = &model.attrs;
    let shapes = [("list", attrs.list), ("stream", attrs.stream), ("embedded", attrs.embedded)];
    let given: Vec<(&str, Span)> = shapes.into_iter().filter_map(|(name, span)| Some((name, span?))).collect();
    if let [(first, _), (second, span), ..] = given.as_slice() {
        errors.push(syn::Error::new(
            *span,
            format!("a model is one of `{first}` and `{second}`; keep one, or make two types"),
        ));
    }
    match (shape, &attrs.prefix) {
        (Shape::Hash | Shape::List | Shape::Stream, None) => {
            // A model with neither a prefix nor an id gets one error, about both.
            let is_bare = shape == Shape::Hash && !has_id(model);
            if !is_bare && !attrs.has_prefix {
                errors.at(&model.ident, "a model needs a prefix for its keys: add #[redis(prefix = \"..\")]");
            }
        }
        (Shape::Embedded | Shape::Value, Some(prefix)) => {
            let what = if shape == Shape::Embedded { "an `embedded` struct" } else { "a value" };
            errors.at(prefix, format!("{what} is part of other models and has no key: remove the prefix"));
        }
        (_, Some(prefix)) => check_prefix(prefix, errors),
        (_, None) => {}
    }
    if let Some((_, span)) = attrs.max_len.filter(|_| shape != Shape::Stream) {
        errors.push(syn::Error::new(span, "`max_len` is for streams: add `stream`, or remove it"));
    }
    let has_tag = matches!(model.body, Body::Enum(_)) && matches!(shape, Shape::List | Shape::Stream);
    if let Some(tag) = attrs.tag.as_ref().filter(|_| !has_tag) {
        errors.at(tag, "`tag` names the variant of an enum in a list or a stream: remove it");
    }
    if let Some(id) = attrs.id.filter(|_| !matches!(model.body, Body::Newtype(_))) {
        errors.push(syn::Error::new(
            id,
            "`id` here makes a newtype an id; for a record, write it on the field that is its id",
        ));
    }
    for lifetime in model.generics.lifetimes() {
        errors.at(lifetime, "a model owns what it is loaded with: use owned types instead of references");
    }
}

/// A prefix that ends up in keys and in glob patterns.
fn check_prefix(prefix: &LitStr, errors: &mut Errors) {
    let value = prefix.value();
    if value.starts_with(':') || value.ends_with(':') {
        errors.at(prefix, "the separator `:` between prefix and id is added: remove it here");
    } else if value.contains(|c: char| c.is_whitespace() || c.is_control()) {
        errors.at(
            prefix,
            "a prefix with white space makes keys that are hard to type: use letters, digits, `-`, `_` and `:`",
        );
    }
}

fn has_id(model: &Model) -> bool {
    matches!(&model.body, Body::Struct(fields) if fields.iter().any(|field| field.attrs.id.is_some()))
}

fn check_ids(model: &Model, shape: Shape, fields: &[Field], errors: &mut Errors) {
    let mut ids = fields.iter().filter_map(|field| Some((field, field.attrs.id?)));
    let first = ids.next();
    for (_, span) in ids {
        errors.push(syn::Error::new(span, "a record has one id: keep the `id` of one field"));
    }
    match (shape, first) {
        (Shape::Hash, None) => {
            let prefix = if !model.attrs.has_prefix { " and the struct #[redis(prefix = \"..\")]" } else { "" };
            errors.at(
                &model.ident,
                format!(
                    "a record needs an id: mark one field #[redis(id)]{prefix}. For lists and event logs mark the struct \
                     `list` or `stream`, for fields of other models `embedded`"
                ),
            );
        }
        (Shape::Hash, Some((field, span))) => check_id(field, span, errors),
        (_, Some((_, span))) => {
            errors.push(syn::Error::new(
                span,
                "only records have an id: remove it, or the struct's `list`, `stream` or `embedded`",
            ));
        }
        (_, None) => {}
    }
}

fn check_id(field: &Field, span: Span, errors: &mut Errors) {
    let conflict = if field.attrs.skip.is_some() {
        Some("skip")
    } else if field.attrs.flatten.is_some() {
        Some("flatten")
    } else {
        None
    };
    if let Some(other) = conflict {
        errors.push(syn::Error::new(span, format!("the id is stored as a field: remove `{other}` from it")));
    }
    if field.option_of().is_some() {
        errors.at(&field.ty, "an id is always there: use the type without `Option`");
    }
    if !matches!(field.attrs.codec, Codec::Text) {
        errors.push(syn::Error::new(span, "an id is written as itself: remove its codec"));
    }
    if !matches!(field.attrs.default, Default::None) {
        errors.push(syn::Error::new(span, "an id has no default: two records would share it"));
    }
}

/// `taken` are names that are not a field's own: the tag's.
fn check_fields(fields: &[Field], taken: &[(&str, &str)], errors: &mut Errors) {
    let mut seen: HashMap<String, String> =
        taken.iter().map(|(name, of)| ((*name).to_owned(), (*of).to_owned())).collect();
    for field in fields {
        check_field(field, errors);
        if !field.is_stored() {
            continue;
        }
        let own = [(field.name.clone(), field.name_span)];
        let aliases = field.attrs.aliases.iter().map(|alias| (alias.value(), alias.span()));
        for (name, span) in own.into_iter().chain(aliases) {
            let of = format!("the field `{}`", field.ident);
            if let Some(other) = seen.insert(name.clone(), of) {
                errors.push(syn::Error::new(span, format!("\"{name}\" is the name of {other} already: rename one")));
            }
        }
    }
}

/// The constants of `HashModel`. A field's constant is inherent, so it would hide the trait's without a warning.
const TRAIT_CONSTANTS: [&str; 2] = ["MODEL_NAME", "KEY_PREFIX"];

/// Checks the constants of a record's fields: each needs a name that nothing else has.
fn check_constants(model: &Model, fields: &[Field], errors: &mut Errors) {
    let mut constants: HashMap<String, &Field> = HashMap::new();
    for field in fields.iter().filter(|field| field.is_stored()) {
        let constant = field.constant();
        if TRAIT_CONSTANTS.contains(&constant.as_str()) {
            errors.at(
                &field.ident,
                format!(
                    "the constant of this field, `{}::{constant}`, would hide `HashModel::{constant}`; rename the field in \
                     Rust and keep its name in Redis with #[redis(rename = \"{}\")]",
                    model.ident, field.name
                ),
            );
        }
        if let Some(other) = constants.insert(field.constant(), field) {
            errors.at(
                &field.ident,
                format!("differs from `{}` in case alone, and both would have one constant: rename one", other.ident),
            );
        }
    }
}

fn check_field(field: &Field, errors: &mut Errors) {
    let attrs = &field.attrs;
    if let (Some(_), Some(span)) = (attrs.skip, attrs.flatten) {
        errors.push(syn::Error::new(span, "a field is either skipped or flattened: keep one"));
    }
    let exclusive = match (attrs.skip, attrs.flatten) {
        (Some(_), _) => Some(("skipped", "is not stored")),
        (None, Some(_)) => Some(("flattened", "has no name of its own")),
        (None, None) => None,
    };
    if let Some((what, why)) = exclusive {
        let mut refuse = |span: Span, name: &str| {
            errors.push(syn::Error::new(span, format!("a {what} field {why}: remove `{name}`")));
        };
        if let Some(rename) = &attrs.rename {
            refuse(rename.span(), "rename");
        }
        if let Some(alias) = attrs.aliases.first() {
            refuse(alias.span(), "alias");
        }
        match &attrs.default {
            Default::Trait(span) => refuse(*span, "default"),
            Default::Function(path) => refuse(path.span(), "default"),
            Default::None => {}
        }
        match &attrs.codec {
            Codec::Json(span) => refuse(*span, "json"),
            Codec::Bincode(span) => refuse(*span, "bincode"),
            Codec::Base64(span) => refuse(*span, "base64"),
            Codec::With(path) => refuse(path.span(), "with"),
            Codec::Text => {}
        }
    }
    if let (Default::Function(path), Some(_)) = (&attrs.default, field.option_of()) {
        errors
            .at(path, "`None` is stored as no field, and would come back as this default: remove it, or the `Option`");
    }
    if attrs.flatten.is_some() && field.option_of().is_some() {
        errors.at(
            &field.ty,
            "flattened fields have no `None` of their own: make the fields of the embedded struct `Option`s",
        );
    }
}

fn check_newtype(model: &Model, shape: Shape, errors: &mut Errors) {
    if shape != Shape::Value {
        errors.at(&model.ident, "a list, a stream and an embedded struct have named fields: write `{ field: Type }`");
    }
    if let Some((_, span)) = model.attrs.rename_all {
        errors.push(syn::Error::new(span, "a newtype has no names to change: remove `rename_all`"));
    }
}

fn check_enum(model: &Model, shape: Shape, variants: &[Variant], errors: &mut Errors) {
    if shape == Shape::Embedded {
        errors.at(&model.ident, "only a struct can be embedded: for an enum use `#[redis(json)]` on the field");
        return;
    }
    let mut seen: HashMap<String, String> = HashMap::new();
    for variant in variants {
        let own =
            (variant.name.clone(), variant.attrs.rename.as_ref().map_or_else(|| variant.ident.span(), LitStr::span));
        let aliases = variant.attrs.aliases.iter().map(|alias| (alias.value(), alias.span()));
        for (name, span) in [own].into_iter().chain(aliases) {
            if let Some(other) = seen.insert(name.clone(), variant.ident.to_string()) {
                errors.push(syn::Error::new(
                    span,
                    format!("\"{name}\" is the name of the variant `{other}` already: rename one"),
                ));
            }
        }
        match &variant.body {
            VariantBody::Unit | VariantBody::Wrong => {}
            VariantBody::Newtype(ty) if shape == Shape::Value => refuse_data(ty, errors),
            VariantBody::Struct(_) if shape == Shape::Value => refuse_data(&variant.ident, errors),
            VariantBody::Newtype(_) => {}
            VariantBody::Struct(fields) => {
                check_fields(fields, &[(&model.tag(), "the variant (see `tag`)")], errors);
                for field in fields {
                    if let Some(span) = field.attrs.id {
                        errors.push(syn::Error::new(span, "only records have an id: an event's id is its entry's"));
                    }
                }
            }
        }
    }
}

fn refuse_data(tokens: &impl ToTokens, errors: &mut Errors) {
    errors.at(
        tokens,
        "an enum with data is no single field: add #[redis(stream, prefix = \"..\")] or #[redis(list, prefix = \"..\")], \
         or derive serde's traits and mark the field that holds it #[redis(json)]",
    );
}
