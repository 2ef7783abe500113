//! The rules that involve more than one attribute or field.

mod evolution;
mod indexes;
mod reserved;

use std::collections::HashMap;

use proc_macro2::Span;
use quote::ToTokens;
use syn::{Ident, LitStr};

use crate::ast::{Body, Field, Model, Shape, Variant, VariantBody};
use crate::attr::{self, FieldDefault};
use crate::errors::Errors;

/// Reports every broken rule.
pub(crate) fn check(model: &Model, errors: &mut Errors) {
    let shape = model.shape();
    check_container(model, shape, errors);
    indexes::check(model, shape, errors);
    evolution::check(model, shape, errors);
    reserved::check(model, shape, errors);
    match &model.body {
        Body::Struct(fields) => {
            check_ids(model, shape, fields, errors);
            check_fields(fields, None, errors);
            if matches!(shape, Shape::Hash | Shape::Embedded) {
                check_constants(model, fields, errors);
            }
            if shape != Shape::Hash && fields.iter().all(|field| field.attrs.skip.is_some()) {
                errors.push_spanned(&model.ident, "all fields are skipped, so nothing is stored; store at least one");
            }
        }
        Body::Newtype(_) => check_newtype(model, shape, errors),
        Body::Enum(variants) => check_enum(model, shape, variants, errors),
        Body::Text => check_text(model, errors),
        Body::Coded => check_coded(model, errors),
    }
}

fn only_records(name: &str, span: Span) -> syn::Error {
    syn::Error::new(
        span,
        format!("`{name}` applies only to a record, a struct with a field marked `id`; remove `{name}`"),
    )
}

fn check_container(model: &Model, shape: Shape, errors: &mut Errors) {
    let attrs = &model.attrs;
    let shapes = [("list", attrs.list), ("stream", attrs.stream), ("embedded", attrs.embedded)];
    let set: Vec<(&str, Span)> = shapes.into_iter().filter_map(|(name, span)| Some((name, span?))).collect();
    if let [(first, _), (second, span), ..] = set.as_slice() {
        errors.push(syn::Error::new(
            *span,
            format!("a model cannot be both `{first}` and `{second}`; keep one, or make two types"),
        ));
    }
    check_prefix(model, shape, errors);
    if let Some((_, span)) = attrs.max_len.filter(|_| !matches!(shape, Shape::List | Shape::Stream)) {
        errors.push(syn::Error::new(
            span,
            "`max_len` applies only to lists and streams; add `list` or `stream`, or remove `max_len`",
        ));
    }
    if let Some((codec, span)) = attrs.codec.attribute() {
        if shape != Shape::List {
            errors.push(syn::Error::new(
                span,
                format!("`{codec}` on the type itself is for elements of lists; add `list`, or write it on a field"),
            ));
        } else if attrs.text.is_some() {
            errors.push(syn::Error::new(span, format!("an element has only one codec; keep `text` or `{codec}`")));
        }
    }
    check_stream(attrs, shape, errors);
    check_versioned(attrs, errors);
    let has_tag = matches!(model.body, Body::Enum(_)) && matches!(shape, Shape::List | Shape::Stream);
    if let Some(tag) = attrs.tag.as_ref().filter(|_| !has_tag) {
        errors.push_spanned(tag, "`tag` applies only to an enum with `list` or `stream`; remove `tag`");
    }
    if let Some(id) = attrs.id.filter(|_| !matches!(model.body, Body::Newtype(_) | Body::Text)) {
        errors.push(syn::Error::new(
            id,
            "`id` on the type itself is for newtypes, and for types with `text`; for a record, write `#[redis(id)]` on the \
             field that is its id",
        ));
    }
    for lifetime in model.generics.lifetimes() {
        errors.push_spanned(lifetime, "a model must own its data; use owned types instead of references");
    }
}

/// Checks the attributes that only streams have.
fn check_stream(attrs: &attr::Container, shape: Shape, errors: &mut Errors) {
    let max_len = attrs.max_len.map(|(_, span)| span);
    let max_age = attrs.max_age.map(|(_, span)| span);
    let all = [
        ("max_age", max_age),
        ("exact", attrs.exact),
        ("publish", attrs.publish),
        ("category", attrs.category),
        ("versioned", attrs.versioned),
    ];
    for (name, span) in all.into_iter().filter_map(|(name, span)| Some((name, span?))) {
        if shape != Shape::Stream {
            let message = format!("`{name}` applies only to streams; add `stream`, or remove `{name}`");
            errors.push(syn::Error::new(span, message));
        } else if name == "exact" && max_len.is_none() && max_age.is_none() {
            errors.push(syn::Error::new(
                span,
                "`exact` makes the limits `max_len` and `max_age` exact; add one of them, or remove `exact`",
            ));
        }
    }
}

fn check_versioned(attrs: &attr::Container, errors: &mut Errors) {
    let limits = [("max_len", attrs.max_len.map(|(_, span)| span)), ("max_age", attrs.max_age.map(|(_, span)| span))];
    for (name, span) in limits {
        if let (Some(span), true) = (span, attrs.is_versioned()) {
            let message = format!("a versioned log keeps all events, because a state is made of them; remove `{name}`");
            errors.push(syn::Error::new(span, message));
        }
    }
}

fn check_prefix(model: &Model, shape: Shape, errors: &mut Errors) {
    let Some(prefix) = &model.attrs.prefix else {
        let needs_prefix = matches!(shape, Shape::Hash | Shape::List | Shape::Stream);
        // A record with neither a prefix nor an id gets a single error from `check_ids`.
        let reported = model.attrs.has_prefix || (shape == Shape::Hash && !has_id(model));
        if needs_prefix && !reported {
            errors.push_spanned(&model.ident, "a model needs a prefix for its keys; add #[redis(prefix = \"..\")]");
        }
        return;
    };
    let unused = match (shape, &model.body) {
        (Shape::Hash | Shape::List | Shape::Stream, _) => None,
        (Shape::Embedded, _) => Some("an `embedded` struct has no key of its own; remove the prefix"),
        (Shape::Value, Body::Enum(_)) => Some(
            "an enum without `list` or `stream` is stored as one field and has no key of its own; add one of them, or \
             remove the prefix",
        ),
        (Shape::Value, Body::Text | Body::Coded) => Some(TEXT_ALONE),
        (Shape::Value, _) => Some("a newtype is stored as one field and has no key of its own; remove the prefix"),
    };
    let value = prefix.value();
    if let Some(message) = unused {
        errors.push_spanned(prefix, message);
    } else if value.starts_with(':') || value.ends_with(':') {
        errors.push_spanned(prefix, "the separator `:` between prefix and id is added for you; remove it here");
    } else if value.contains("::") {
        errors.push_spanned(
            prefix,
            "`::` sets the keys of indexes apart from those of records; use single colons in a prefix",
        );
    } else if value.contains(|c: char| c.is_whitespace() || c.is_control()) {
        errors.push_spanned(
            prefix,
            "a prefix must not contain white space or control characters; use letters, digits, `-`, `_` and `:`",
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
        errors.push(syn::Error::new(span, "a record has only one id; keep `id` on one field"));
    }
    match (shape, first) {
        (Shape::Hash, None) => {
            let prefix = if model.attrs.has_prefix { "" } else { " and the struct #[redis(prefix = \"..\")]" };
            let named_id = fields.iter().find(|field| field.ident == "id");
            if let (Some(field), true) = (named_id, model.attrs.has_prefix) {
                errors.push_spanned(&field.ident, "a record needs an id; write #[redis(id)] before this field");
                return;
            }
            errors.push_spanned(
                &model.ident,
                format!(
                    "a record needs an id; mark one field #[redis(id)]{prefix}. For an element of a list or an event of a \
                     log, mark the struct `list` or `stream` instead; for fields of other models, `embedded`"
                ),
            );
        }
        (Shape::Hash, Some((field, span))) => check_id(field, span, errors),
        (_, Some((_, span))) => {
            errors.push(syn::Error::new(
                span,
                "only a record has an id; remove `id`, or remove `list`, `stream` or `embedded` from the struct",
            ));
        }
        (_, None) => {}
    }
}

fn check_id(field: &Field, span: Span, errors: &mut Errors) {
    let attrs = &field.attrs;
    for (other, _) in [("skip", attrs.skip), ("flatten", attrs.flatten)].iter().filter(|(_, span)| span.is_some()) {
        errors.push(syn::Error::new(span, format!("the id is stored as a field; remove `{other}`")));
    }
    if field.option_inner().is_some() {
        errors.push_spanned(&field.ty, "a record always has an id; use the type without `Option`");
    }
    if let attr::Codec::Text(_) = attrs.codec {
        errors.push(syn::Error::new(
            span,
            "an id takes no codec; remove `text`, and derive RedisModel with #[redis(id, text)] on a type of your own that \
             implements `Display` and `FromStr`",
        ));
    } else if let Some((codec, _)) = attrs.codec.attribute() {
        errors.push(syn::Error::new(span, format!("an id takes no codec; remove `{codec}`")));
    }
    if attrs.default.span().is_some() {
        errors.push(syn::Error::new(
            span,
            "an id cannot have a default; remove it, or several records would share one id",
        ));
    }
}

/// Checks the fields of a struct or variant. `tag` is the name of the field that holds the name of the variant.
fn check_fields(fields: &[Field], tag: Option<&str>, errors: &mut Errors) {
    // `None` stands for the tag.
    let mut seen: HashMap<String, Option<&Ident>> = tag.map(|tag| (tag.to_owned(), None)).into_iter().collect();
    for field in fields {
        check_field(field, errors);
        if !field.is_stored() {
            continue;
        }
        let own = [(field.name.clone(), field.name_span)];
        let aliases = field.attrs.aliases.iter().map(|alias| (alias.value(), alias.span()));
        for (name, span) in own.into_iter().chain(aliases) {
            let message = match seen.insert(name.clone(), Some(&field.ident)) {
                None => continue,
                Some(Some(other)) => format!("\"{name}\" is already a name of the field `{other}`; rename one"),
                Some(None) => {
                    format!("\"{name}\" is already the name of the tag; rename this field, or set another `tag`")
                }
            };
            errors.push(syn::Error::new(span, message));
        }
    }
}

/// The constants of `HashModel` and `Fields`. A field's constant is inherent, so it would hide the trait's without a warning.
const TRAIT_CONSTANTS: [&str; 3] = ["MODEL_NAME", "KEY_PREFIX", "FIELD_NAMES"];

/// Checks the constants of a record's fields: each needs a name that nothing else has.
fn check_constants(model: &Model, fields: &[Field], errors: &mut Errors) {
    let mut constants: HashMap<String, &Field> = HashMap::new();
    for field in fields.iter().filter(|field| field.has_constant()) {
        let constant = field.constant();
        if TRAIT_CONSTANTS.contains(&constant.as_str()) {
            errors.push_spanned(
                &field.ident,
                format!(
                    "the constant of this field, `{}::{constant}`, would hide the constant `{constant}` of its model trait; rename the field in \
                     Rust and keep its name in Redis with #[redis(rename = \"{}\")]",
                    model.ident, field.name
                ),
            );
        }
        if let Some(other) = constants.insert(constant.clone(), field) {
            errors.push_spanned(
                &field.ident,
                format!("this field and `{}` would both have the constant `{constant}`; rename one", other.ident),
            );
        }
    }
}

fn check_field(field: &Field, errors: &mut Errors) {
    let attrs = &field.attrs;
    if let (Some(_), Some(span)) = (attrs.skip, attrs.flatten) {
        errors.push(syn::Error::new(span, "a field cannot be both skipped and flattened; keep `skip` or `flatten`"));
    }
    let no_effect = match (attrs.skip, attrs.flatten) {
        (Some(_), _) => Some("a skipped field is not stored"),
        (None, Some(_)) => Some("the fields of the embedded struct are stored in place of a flattened field"),
        (None, None) => None,
    };
    if let Some(why) = no_effect {
        let others = [
            ("rename", attrs.rename.as_ref().map(LitStr::span)),
            ("alias", attrs.aliases.first().map(LitStr::span)),
            ("default", attrs.default.span()),
        ];
        let others = others.into_iter().filter_map(|(name, span)| Some((name, span?)));
        for (name, span) in others.chain(attrs.codec.attribute()) {
            errors.push(syn::Error::new(span, format!("{why}, so `{name}` has no effect; remove `{name}`")));
        }
    }
    if let (FieldDefault::Function(path), Some(_)) = (&attrs.default, field.option_inner()) {
        errors.push_spanned(
            path,
            "`None` is stored as no field and would be read back as this default; remove the default or the `Option`",
        );
    }
    if attrs.flatten.is_some() && field.option_inner().is_some() {
        errors.push_spanned(
            &field.ty,
            "a flattened field cannot be an `Option`; make the fields of the embedded struct `Option`s instead",
        );
    }
}

/// What a type with `text` can be.
const TEXT_ALONE: &str =
    "a type with `text` is stored as one field, as its `Display` text; remove this, or remove `text`";

fn check_text(model: &Model, errors: &mut Errors) {
    let attrs = &model.attrs;
    let others = [attrs.stream, attrs.embedded, attrs.rename_all.as_ref().map(|(_, span)| *span)];
    for span in others.into_iter().flatten() {
        errors.push(syn::Error::new(span, TEXT_ALONE));
    }
}

fn check_coded(model: &Model, errors: &mut Errors) {
    if let Some((_, span)) = model.attrs.rename_all {
        let why = "the codec of the type stores an element as a whole, so `rename_all` has no effect; remove it";
        errors.push(syn::Error::new(span, why));
    }
}

fn check_newtype(model: &Model, shape: Shape, errors: &mut Errors) {
    if !matches!(shape, Shape::Value | Shape::List) {
        errors.push_spanned(
            &model.ident,
            "a newtype cannot be `stream` or `embedded`; name its field: `struct Name { field: Type }`",
        );
    }
    if let Some((_, span)) = model.attrs.rename_all {
        errors.push(syn::Error::new(span, "a newtype has no names to change; remove `rename_all`"));
    }
}

fn check_enum(model: &Model, shape: Shape, variants: &[Variant], errors: &mut Errors) {
    if shape == Shape::Embedded {
        errors.push_spanned(
            &model.ident,
            "an enum cannot be `embedded`; remove `embedded`, and store the enum as one field with #[redis(json)]",
        );
        return;
    }
    check_unknown_variants(shape, variants, errors);
    let tag = model.tag();
    let mut seen: HashMap<String, &Ident> = HashMap::new();
    for variant in variants.iter().filter(|variant| variant.attrs.unknown.is_none()) {
        let own =
            (variant.name.clone(), variant.attrs.rename.as_ref().map_or_else(|| variant.ident.span(), LitStr::span));
        let aliases = variant.attrs.aliases.iter().map(|alias| (alias.value(), alias.span()));
        for (name, span) in [own].into_iter().chain(aliases) {
            if let Some(other) = seen.insert(name.clone(), &variant.ident) {
                errors.push(syn::Error::new(
                    span,
                    format!("\"{name}\" is already a name of the variant `{other}`; rename one"),
                ));
            }
        }
        match &variant.body {
            VariantBody::Unit | VariantBody::Invalid => {}
            VariantBody::Newtype(ty) if shape == Shape::Value => reject_data(ty, errors),
            VariantBody::Struct(_) if shape == Shape::Value => reject_data(&variant.ident, errors),
            VariantBody::Newtype(_) => {}
            VariantBody::Struct(fields) => {
                check_fields(fields, Some(&tag), errors);
                indexes::check_variant(fields, errors);
                evolution::check_variant(fields, errors);
                for span in fields.iter().filter_map(|field| field.attrs.id) {
                    errors.push(syn::Error::new(span, "only a record has an id; remove `id`"));
                }
            }
        }
    }
}

/// Checks the variants that receive unknown events.
fn check_unknown_variants(shape: Shape, variants: &[Variant], errors: &mut Errors) {
    let mut marked = variants.iter().filter_map(|variant| Some((variant, variant.attrs.unknown?)));
    if let Some((variant, span)) = marked.next() {
        let renamed = variant.attrs.rename.iter().chain(&variant.attrs.aliases);
        for name in renamed {
            errors.push_spanned(name, "a variant marked `unknown` has no name of its own; remove this");
        }
        if shape != Shape::Stream {
            errors.push(syn::Error::new(
                span,
                "`unknown` receives the events of a log; add #[redis(stream, prefix = \"..\")] to the enum, or remove `unknown`",
            ));
        } else if let VariantBody::Struct(_) = variant.body {
            errors.push_spanned(
                &variant.ident,
                format!(
                    "the fields of unknown events are unknown; write `{0}(UnknownEvent)` to receive them, or `{0}` alone",
                    variant.ident
                ),
            );
        } else if variants.len() == 1 {
            errors.push_spanned(&variant.ident, "an enum needs a variant that is not `unknown`; add one");
        }
    }
    for (_, span) in marked {
        errors.push(syn::Error::new(span, "one variant receives all unknown events; keep `unknown` on one"));
    }
}

fn reject_data(tokens: &impl ToTokens, errors: &mut Errors) {
    errors.push_spanned(
        tokens,
        "an enum with data cannot be stored as one field; add #[redis(stream, prefix = \"..\")] or #[redis(list, prefix = \
         \"..\")], or derive serde's traits instead and mark the field that holds the enum #[redis(json)]",
    );
}
