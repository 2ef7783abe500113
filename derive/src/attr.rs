//! The `#[redis(..)]` attributes, read one by one; what they mean together is for `check`.

use proc_macro2::Span;
use syn::meta::ParseNestedMeta;
use syn::spanned::Spanned as _;
use syn::{Attribute, LitInt, LitStr, Path};

use crate::case::Case;
use crate::errors::Errors;

/// What `#[redis(..)]` on a struct or enum says.
#[derive(Default)]
pub(crate) struct Container {
    pub(crate) prefix: Option<LitStr>,
    /// Whether there is a prefix, even a wrong one.
    pub(crate) has_prefix: bool,
    pub(crate) list: Option<Span>,
    pub(crate) stream: Option<Span>,
    pub(crate) embedded: Option<Span>,
    pub(crate) id: Option<Span>,
    pub(crate) rename_all: Option<(Case, Span)>,
    pub(crate) max_len: Option<(u64, Span)>,
    pub(crate) tag: Option<LitStr>,
    pub(crate) krate: Option<Path>,
}

/// How a field is written.
pub(crate) enum Codec {
    Text,
    Json(Span),
    Bincode(Span),
    Base64(Span),
    With(Path),
}

/// Where the value of a missing field comes from.
pub(crate) enum Default {
    None,
    Trait(Span),
    Function(Path),
}

/// What `#[redis(..)]` on a field says.
pub(crate) struct Field {
    pub(crate) id: Option<Span>,
    pub(crate) rename: Option<LitStr>,
    pub(crate) aliases: Vec<LitStr>,
    pub(crate) default: Default,
    pub(crate) skip: Option<Span>,
    pub(crate) flatten: Option<Span>,
    pub(crate) codec: Codec,
}

/// What `#[redis(..)]` on a variant says.
#[derive(std::default::Default)]
pub(crate) struct Variant {
    pub(crate) rename: Option<LitStr>,
    pub(crate) aliases: Vec<LitStr>,
}

const CONTAINER: &str = "prefix, list, stream, embedded, id, rename_all, max_len, tag, crate";
const FIELD: &str = "id, rename, alias, default, skip, flatten, json, bincode, base64, with";
const VARIANT: &str = "rename, alias";

impl Container {
    pub(crate) fn parse(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let mut container = Container::default();
        each(attrs, errors, |meta| match word(meta).as_str() {
            "prefix" => {
                container.has_prefix = true;
                once(&mut container.prefix, meta, text)
            }
            "list" => once(&mut container.list, meta, flag),
            "stream" => once(&mut container.stream, meta, flag),
            "embedded" => once(&mut container.embedded, meta, flag),
            "id" => once(&mut container.id, meta, flag),
            "rename_all" => once(&mut container.rename_all, meta, |meta| {
                let name = text(meta)?;
                Ok((Case::parse(&name)?, name.span()))
            }),
            "max_len" => once(&mut container.max_len, meta, |meta| {
                let literal: LitInt = meta.value()?.parse()?;
                match literal.base10_parse::<u64>() {
                    Ok(0) => {
                        Err(syn::Error::new(literal.span(), "a log that keeps no entry holds nothing; give at least 1"))
                    }
                    Ok(entries) => Ok((entries, literal.span())),
                    Err(_) => Err(syn::Error::new(literal.span(), "`max_len` is a whole number of entries, 1_000_000")),
                }
            }),
            "tag" => once(&mut container.tag, meta, text),
            "crate" => once(&mut container.krate, meta, path),
            _ => Err(unknown(meta, "container", CONTAINER)),
        });
        container
    }
}

impl Field {
    pub(crate) fn parse(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let mut field = Field {
            id: None,
            rename: None,
            aliases: Vec::new(),
            default: Default::None,
            skip: None,
            flatten: None,
            codec: Codec::Text,
        };
        each(attrs, errors, |meta| {
            let codec = match word(meta).as_str() {
                "id" => return once(&mut field.id, meta, flag),
                "rename" => return once(&mut field.rename, meta, text),
                "skip" => return once(&mut field.skip, meta, flag),
                "flatten" => return once(&mut field.flatten, meta, flag),
                "alias" => {
                    field.aliases.push(text(meta)?);
                    return Ok(());
                }
                "default" => {
                    if !matches!(field.default, Default::None) {
                        return Err(twice(meta));
                    }
                    let given = meta.input.peek(syn::Token![=]);
                    field.default = if given { Default::Function(path(meta)?) } else { Default::Trait(flag(meta)?) };
                    return Ok(());
                }
                "json" => Codec::Json(flag(meta)?),
                "bincode" => Codec::Bincode(flag(meta)?),
                "base64" => Codec::Base64(flag(meta)?),
                "with" => Codec::With(path(meta)?),
                "unique" | "index" | "version" => {
                    return Err(meta.error(format!(
                        "`{}` is not supported yet: it needs the indexes that a later version brings",
                        word(meta)
                    )));
                }
                _ => return Err(unknown(meta, "field", FIELD)),
            };
            if !matches!(field.codec, Codec::Text) {
                return Err(meta.error("a field has one codec: keep one of `json`, `bincode`, `base64` and `with`"));
            }
            field.codec = codec;
            Ok(())
        });
        field
    }
}

impl Variant {
    pub(crate) fn parse(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let mut variant = Variant::default();
        each(attrs, errors, |meta| match word(meta).as_str() {
            "rename" => once(&mut variant.rename, meta, text),
            "alias" => {
                variant.aliases.push(text(meta)?);
                Ok(())
            }
            _ => Err(unknown(meta, "variant", VARIANT)),
        });
        variant
    }
}

/// Reads every item of every `#[redis(..)]`, going on behind one that is wrong.
fn each(attrs: &[Attribute], errors: &mut Errors, mut read: impl FnMut(&ParseNestedMeta<'_>) -> syn::Result<()>) {
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("redis")) {
        let outcome = attr.parse_nested_meta(|meta| {
            if let Err(error) = read(&meta) {
                errors.push(error);
                skip_value(&meta)?;
            }
            Ok(())
        });
        if let Err(error) = outcome {
            errors.push(error);
        }
    }
}

/// Skips what is left of an item, up to the comma.
fn skip_value(meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
    while !meta.input.is_empty() && !meta.input.peek(syn::Token![,]) {
        meta.input.parse::<proc_macro2::TokenTree>()?;
    }
    Ok(())
}

fn word(meta: &ParseNestedMeta<'_>) -> String {
    meta.path.get_ident().map(ToString::to_string).unwrap_or_default()
}

fn once<T>(
    slot: &mut Option<T>,
    meta: &ParseNestedMeta<'_>,
    read: impl FnOnce(&ParseNestedMeta<'_>) -> syn::Result<T>,
) -> syn::Result<()> {
    if slot.is_some() {
        return Err(twice(meta));
    }
    *slot = Some(read(meta)?);
    Ok(())
}

fn twice(meta: &ParseNestedMeta<'_>) -> syn::Error {
    meta.error(format!("`{}` is given twice; keep one", word(meta)))
}

fn unknown(meta: &ParseNestedMeta<'_>, place: &str, known: &str) -> syn::Error {
    let name = word(meta);
    let hint = match (place, name.as_str()) {
        ("field", "prefix" | "list" | "stream" | "embedded" | "rename_all" | "max_len" | "tag" | "crate") => {
            ". It belongs on the struct or enum itself"
        }
        ("container", "rename" | "alias" | "default" | "skip" | "flatten" | "json" | "bincode" | "base64" | "with") => {
            ". It belongs on a field"
        }
        _ => "",
    };
    meta.error(format!("no {place} attribute `{name}`{hint}; there are: {known}"))
}

fn flag(meta: &ParseNestedMeta<'_>) -> syn::Result<Span> {
    if meta.input.peek(syn::Token![=]) || meta.input.peek(syn::token::Paren) {
        return Err(meta.error(format!("`{}` takes no value: write it alone", word(meta))));
    }
    Ok(meta.path.span())
}

fn text(meta: &ParseNestedMeta<'_>) -> syn::Result<LitStr> {
    let name = word(meta);
    let value = meta.value().map_err(|_| meta.error(format!("`{name}` takes text: {name} = \"..\"")))?;
    let literal: LitStr = value
        .parse()
        .map_err(|error| syn::Error::new(error.span(), format!("`{name}` takes text: {name} = \"..\"")))?;
    if literal.value().is_empty() {
        return Err(syn::Error::new(literal.span(), format!("`{name}` is empty; give it at least one character")));
    }
    Ok(literal)
}

/// A path, bare or in quotes as serde has it.
fn path(meta: &ParseNestedMeta<'_>) -> syn::Result<Path> {
    let name = word(meta);
    let value = meta.value().map_err(|_| meta.error(format!("`{name}` takes a path: {name} = some::path")))?;
    if value.peek(LitStr) {
        let quoted: LitStr = value.parse()?;
        return quoted
            .parse()
            .map_err(|_| syn::Error::new(quoted.span(), format!("`{name}` takes a path: {name} = some::path")));
    }
    value.parse()
}
