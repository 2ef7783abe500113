//! The rules about schema versions, unknown and converted fields, and hooks.

use proc_macro2::Span;
use syn::LitStr;
use syn::spanned::Spanned;

use super::only_records;
use crate::ast::{Body, Field, Model, Shape};
use crate::errors::Errors;

/// The field that holds the schema version.
const SCHEMA_FIELD: &str = ":schema";

/// Reports every broken rule.
pub(super) fn check(model: &Model, shape: Shape, errors: &mut Errors) {
    check_container(model, shape, errors);
    let Body::Struct(fields) = &model.body else { return };
    for field in fields {
        check_field(shape, field, errors);
        if model.attrs.schema_version.is_some() && field.is_stored() && field.name == SCHEMA_FIELD {
            errors.push(syn::Error::new(field.name_span, "the schema version has this name; rename the field"));
        }
    }
    let mut unknown = fields.iter().filter_map(|field| field.attrs.unknown);
    unknown.next();
    for span in unknown {
        errors.push(syn::Error::new(span, "one field holds all unknown fields; keep `unknown` on one"));
    }
}

/// Reports attributes that make no sense in the fields of a variant.
pub(super) fn check_variant(fields: &[Field], errors: &mut Errors) {
    for (name, span) in fields.iter().flat_map(attributes) {
        errors.push(only_records(name, span));
    }
}

fn attributes(field: &Field) -> impl Iterator<Item = (&'static str, Span)> {
    let attrs = &field.attrs;
    let all = [
        ("unknown", attrs.unknown),
        ("from", attrs.from.as_ref().map(Spanned::span)),
        ("convert", attrs.convert.as_ref().map(Spanned::span)),
    ];
    all.into_iter().filter_map(|(name, span)| Some((name, span?)))
}

fn check_container(model: &Model, shape: Shape, errors: &mut Errors) {
    let attrs = &model.attrs;
    let version = attrs.schema_version.map(|(_, span)| span);
    let functions = [
        ("upgrade", &attrs.upgrade),
        ("validate", &attrs.validate),
        ("before_save", &attrs.before_save),
        ("after_load", &attrs.after_load),
    ];
    let functions = functions.into_iter().filter_map(|(name, path)| Some((name, path.as_ref()?.span())));
    if shape != Shape::Hash {
        for (name, span) in version.map(|span| ("schema_version", span)).into_iter().chain(functions) {
            errors.push(only_records(name, span));
        }
        return;
    }
    match (version, &attrs.upgrade) {
        (Some(span), None) if !attrs.has_upgrade => errors.push(syn::Error::new(
            span,
            "name the function that brings older records up to date; add `upgrade = function`",
        )),
        (None, Some(path)) if !attrs.has_schema_version => errors.push(syn::Error::new(
            path.span(),
            "`upgrade` runs for records of an earlier schema version; add `schema_version = 2`",
        )),
        _ => {}
    }
}

fn check_field(shape: Shape, field: &Field, errors: &mut Errors) {
    let attrs = &field.attrs;
    for (name, span) in attributes(field) {
        let is_allowed = shape == Shape::Hash || (shape == Shape::Embedded && name != "unknown");
        if !is_allowed {
            errors.push(only_records(name, span));
        }
    }
    if let Some(span) = attrs.unknown {
        check_unknown(field, span, errors);
        return;
    }
    match (&attrs.from, &attrs.convert) {
        (Some(ty), None) => errors.push_spanned(ty, "name the function that converts; add `convert = function`"),
        (None, Some(path)) if !attrs.has_from => {
            errors.push_spanned(path, "name the type that the field had; add `from = OldType`");
        }
        _ => {}
    }
    let place = [("skip", attrs.skip), ("flatten", attrs.flatten), ("id", attrs.id), ("version", attrs.version)];
    let Some((place, _)) = place.into_iter().find(|(_, span)| span.is_some()) else { return };
    for (name, span) in attributes(field) {
        errors.push(syn::Error::new(span, format!("a field with `{place}` is not converted; remove `{name}`")));
    }
}

fn check_unknown(field: &Field, span: Span, errors: &mut Errors) {
    let attrs = &field.attrs;
    if field.option_inner().is_some() {
        errors.push_spanned(&field.ty, "without unknown fields the map is empty; use the type without `Option`");
    }
    let others = [
        ("id", attrs.id),
        ("rename", attrs.rename.as_ref().map(LitStr::span)),
        ("alias", attrs.aliases.first().map(LitStr::span)),
        ("default", attrs.default.span()),
        ("skip", attrs.skip),
        ("flatten", attrs.flatten),
        ("index", attrs.index),
        ("unique", attrs.unique),
        ("version", attrs.version),
        ("from", attrs.from.as_ref().map(Spanned::span)),
        ("convert", attrs.convert.as_ref().map(Spanned::span)),
    ];
    let others = others.into_iter().filter_map(|(name, other)| Some((name, other?)));
    for (name, _) in others.chain(attrs.codec.attribute()) {
        errors.push(syn::Error::new(
            span,
            format!(
                "the unknown fields are stored each under its own name, so `{name}` has no meaning; remove `{name}`"
            ),
        ));
    }
}
