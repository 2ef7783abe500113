//! The rules about indexes, versions and times to live.

use std::collections::HashSet;

use proc_macro2::Span;
use syn::ext::IdentExt as _;

use super::only_records;
use crate::ast::{Body, Field, Model, Shape};
use crate::attr::{Codec, Compound, Part};
use crate::errors::Errors;

/// Reports every broken rule about the attributes of a type and of its fields, if it is a struct.
pub(super) fn check(model: &Model, shape: Shape, errors: &mut Errors) {
    check_container(model, shape, errors);
    let Body::Struct(fields) = &model.body else { return };
    for field in fields {
        // `evolution` reports what is wrong with the field of the unknown fields.
        if field.attrs.unknown.is_none() {
            check_field(model, shape, field, errors);
        }
    }
    let mut seen = HashSet::new();
    for compound in &model.attrs.compounds {
        check_compound(compound, fields, errors);
        let parts: Vec<_> = compound.parts.iter().map(path).collect();
        if !parts.is_empty() && !seen.insert(parts) {
            let message = "there is an index over these fields in this order already; keep one";
            errors.push(syn::Error::new(compound.span, message));
        }
    }
    let mut versions = fields.iter().filter_map(|field| field.attrs.version);
    versions.next();
    for span in versions {
        errors.push(syn::Error::new(span, "a record has only one version; keep `version` on one field"));
    }
}

/// Reports attributes that make no sense in the fields of a variant.
pub(super) fn check_variant(fields: &[Field], errors: &mut Errors) {
    for (name, span) in fields.iter().flat_map(attributes) {
        errors.push(only_records(name, span));
    }
}

/// Returns the attributes of a field that this file is about.
fn attributes(field: &Field) -> impl Iterator<Item = (&'static str, Span)> {
    let attrs = &field.attrs;
    let all = [("index", attrs.index), ("unique", attrs.unique), ("version", attrs.version)];
    all.into_iter().filter_map(|(name, span)| Some((name, span?)))
}

fn check_container(model: &Model, shape: Shape, errors: &mut Errors) {
    let attrs = &model.attrs;
    let of_records = [
        ("ttl", attrs.ttl.as_ref().map(|(_, span)| *span)),
        ("sliding", attrs.sliding),
        ("partitions", attrs.partitions.as_ref().map(|(_, span)| *span)),
    ];
    for (name, span) in of_records.into_iter().filter_map(|(name, span)| Some((name, span?))) {
        if shape != Shape::Hash {
            errors.push(only_records(name, span));
        }
    }
    if !matches!(shape, Shape::Hash | Shape::Embedded) {
        for compound in &attrs.compounds {
            errors.push(only_records(compound.name(), compound.span));
        }
    }
    if let (Some(span), false) = (attrs.sliding, attrs.has_ttl) {
        errors.push(syn::Error::new(
            span,
            "`sliding` sets the time to live anew at each load, and the model has none; add `ttl = \"30m\"`",
        ));
    }
    let Body::Struct(fields) = &model.body else { return };
    // Only the compiler knows whether an embedded struct has indexes.
    let may_have_index = fields.iter().any(|field| field.attrs.flatten.is_some() || model.is_in_index(field));
    if let (Some((_, span)), Shape::Hash, false) = (attrs.partitions, shape, may_have_index) {
        errors.push(syn::Error::new(
            span,
            "`partitions` splits the indexes of a model, and this one has none; remove `partitions`",
        ));
    }
}

fn check_field(model: &Model, shape: Shape, field: &Field, errors: &mut Errors) {
    let attrs = &field.attrs;
    for (name, span) in attributes(field) {
        let message = match (shape, name) {
            (Shape::List | Shape::Stream | Shape::Value, _) => {
                errors.push(only_records(name, span));
                continue;
            }
            (Shape::Embedded, "version") => {
                "the version is a field of the record itself; remove it, and mark a field of the record".to_owned()
            }
            _ if attrs.skip.is_some() => {
                format!("a skipped field is not stored, so `{name}` has no effect; remove `{name}`")
            }
            (_, "version") if attrs.flatten.is_some() => "a version is an integer; remove `version`".to_owned(),
            _ if attrs.flatten.is_some() => {
                format!("a flattened field is stored as several; write `{name}` on the fields of the embedded struct")
            }
            (_, "version") if attrs.id.is_some() => {
                "a record's id never changes, so it cannot be its version; add a field `version: u64`".to_owned()
            }
            _ if attrs.id.is_some() => {
                format!("a record is found by its id without an index, and no two have the same; remove `{name}`")
            }
            _ => continue,
        };
        errors.push(syn::Error::new(span, message));
    }
    if let (Some(span), Some(_)) = (attrs.index, attrs.unique) {
        errors.push(syn::Error::new(span, "a unique field has an index already; remove `index`"));
    }
    check_version(model, field, errors);
    if model.is_in_index(field) {
        check_indexed(field, errors);
    }
}

fn check_indexed(field: &Field, errors: &mut Errors) {
    if let Some(forbidden) = field.name.chars().find(|c| ":+,;=!".contains(*c) || c.is_whitespace() || c.is_control()) {
        errors.push(syn::Error::new(
            field.name_span,
            format!(
                "the name of a field in an index is a part of keys, and must not contain {forbidden:?}; use letters, digits, \
                 `-` and `_`"
            ),
        ));
    }
    if let Codec::Base64(span) = field.attrs.codec {
        errors.push(syn::Error::new(span, "bytes cannot be in an index; remove the index, or store text"));
    }
}

fn check_version(model: &Model, field: &Field, errors: &mut Errors) {
    let attrs = &field.attrs;
    let Some(span) = attrs.version else { return };
    if field.option_inner().is_some() {
        errors.push_spanned(
            &field.ty,
            "a record always has a version, 0 before it is stored; use the type without `Option`",
        );
    }
    if let Some((codec, span)) = attrs.codec.attribute() {
        errors.push(syn::Error::new(span, format!("a version is stored as an integer; remove `{codec}`")));
    }
    if let Some(span) = attrs.default.span() {
        errors.push(syn::Error::new(
            span,
            "a version cannot have a default, or a record without one could be overwritten; remove `default`",
        ));
    }
    if let Some(alias) = attrs.aliases.first() {
        errors.push_spanned(
            alias,
            "a version is compared under its one name; remove `alias`, and keep the old name with `rename`",
        );
    }
    if model.is_in_index(field) {
        errors.push(syn::Error::new(
            span,
            "each write changes the version, and no query needs it; remove it from the index",
        ));
    }
}

fn check_compound(compound: &Compound, fields: &[Field], errors: &mut Errors) {
    let name = compound.name();
    match compound.parts.as_slice() {
        [] => errors.push(syn::Error::new(compound.span, format!("name the fields: `{name}(first, second)`"))),
        [part] => errors.push(syn::Error::new(
            part.field.span(),
            format!("for one field, write #[redis({name})] on the field itself; here, name at least two"),
        )),
        _ => {}
    }
    let mut seen = HashSet::new();
    for part in &compound.parts {
        check_part(part, fields, errors);
        if !seen.insert(path(part)) {
            errors.push(syn::Error::new(part.field.span(), format!("`{}` is in this index already", path(part))));
        }
    }
}

fn check_part(part: &Part, fields: &[Field], errors: &mut Errors) {
    let name = part.field.unraw().to_string();
    let field = fields.iter().find(|field| field.ident.unraw() == part.field.unraw());
    let message = match (field, &part.inner) {
        (None, _) => {
            format!("there is no field `{name}`; for a field of an embedded struct, write `flattened_field.{name}`")
        }
        (Some(field), None) if field.attrs.flatten.is_some() => {
            format!("`{name}` is flattened into several fields; name one: `{name}.field`")
        }
        (Some(field), Some(inner)) if field.attrs.flatten.is_none() => {
            format!("`{name}` is one field; write `{name}` without `.{inner}`, or mark the field #[redis(flatten)]")
        }
        (Some(field), _) if field.attrs.skip.is_some() => {
            format!("`{name}` is skipped, so it is not stored; remove it from the index")
        }
        (Some(field), _) if field.attrs.unknown.is_some() => {
            format!("`{name}` holds any fields, so it is not in an index; remove it from this one")
        }
        (Some(field), _) if field.attrs.id.is_some() => {
            format!("every index ends with the id, so remove `{name}` from this one")
        }
        _ => return,
    };
    errors.push(syn::Error::new(part.field.span(), message));
}

/// Returns a field of a compound index as it is written.
fn path(part: &Part) -> String {
    match &part.inner {
        Some(inner) => format!("{}.{}", part.field.unraw(), inner.unraw()),
        None => part.field.unraw().to_string(),
    }
}
