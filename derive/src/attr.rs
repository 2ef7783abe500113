//! Parses the `#[redis(..)]` attributes one by one. Rules that involve several attributes are in `check`.

use std::time::Duration;

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt as _;
use syn::meta::ParseNestedMeta;
use syn::parse::Parser as _;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::{Attribute, Ident, LitInt, LitStr, Path, Token, Type};

use crate::case::Case;
use crate::errors::Errors;

/// The attributes of a struct or enum.
#[derive(Default)]
pub(crate) struct Container {
    pub(crate) prefix: Option<LitStr>,
    /// Whether there is a `prefix`, valid or not.
    pub(crate) has_prefix: bool,
    pub(crate) list: Option<Span>,
    pub(crate) stream: Option<Span>,
    pub(crate) embedded: Option<Span>,
    pub(crate) id: Option<Span>,
    pub(crate) text: Option<Span>,
    pub(crate) rename_all: Option<(Case, Span)>,
    /// How a whole element of a list becomes text.
    pub(crate) codec: Codec,
    pub(crate) max_len: Option<(u64, Span)>,
    pub(crate) max_age: Option<(Duration, Span)>,
    pub(crate) exact: Option<Span>,
    pub(crate) publish: Option<Span>,
    pub(crate) category: Option<Span>,
    pub(crate) versioned: Option<Span>,
    pub(crate) tag: Option<LitStr>,
    pub(crate) krate: Option<Path>,
    pub(crate) compounds: Vec<Compound>,
    pub(crate) ttl: Option<(Duration, Span)>,
    /// Whether there is a `ttl`, valid or not.
    pub(crate) has_ttl: bool,
    pub(crate) sliding: Option<Span>,
    pub(crate) partitions: Option<(u32, Span)>,
    pub(crate) schema_version: Option<(u32, Span)>,
    /// Whether there is a `schema_version`, valid or not.
    pub(crate) has_schema_version: bool,
    pub(crate) upgrade: Option<Path>,
    /// Whether there is an `upgrade`, valid or not.
    pub(crate) has_upgrade: bool,
    pub(crate) validate: Option<Path>,
    pub(crate) before_save: Option<Path>,
    pub(crate) after_load: Option<Path>,
}

impl Container {
    /// Whether the logs of the model have versions.
    pub(crate) fn is_versioned(&self) -> bool {
        self.versioned.is_some() || self.category.is_some()
    }
}

/// An index over several fields: `index(country, age)`.
pub(crate) struct Compound {
    pub(crate) is_unique: bool,
    pub(crate) span: Span,
    pub(crate) parts: Vec<Part>,
}

impl Compound {
    /// Returns the name of the attribute.
    pub(crate) fn name(&self) -> &'static str {
        if self.is_unique { "unique" } else { "index" }
    }
}

/// A field that a compound index names: `age`, or `address.city` for a field of the flattened field `address`.
pub(crate) struct Part {
    pub(crate) field: Ident,
    pub(crate) inner: Option<Ident>,
}

impl Part {
    fn parse(input: syn::parse::ParseStream<'_>) -> syn::Result<Self> {
        let field = input.call(Ident::parse_any)?;
        let inner = match input.parse::<Option<Token![.]>>()? {
            Some(_) => Some(input.call(Ident::parse_any)?),
            None => None,
        };
        Ok(Part { field, inner })
    }
}

/// How the value of a field becomes text.
#[derive(Default)]
pub(crate) enum Codec {
    /// The type's own text, as a `Field`.
    #[default]
    Field,
    Text(Span),
    Json(Span),
    Postcard(Span),
    Bincode(Span),
    Base64(Span),
    With(Path),
}

impl Codec {
    /// Returns the attribute that sets the codec, or `None` for the codec that needs no attribute.
    pub(crate) fn attribute(&self) -> Option<(&'static str, Span)> {
        match self {
            Codec::Field => None,
            Codec::Text(span) => Some(("text", *span)),
            Codec::Json(span) => Some(("json", *span)),
            Codec::Postcard(span) => Some(("postcard", *span)),
            Codec::Bincode(span) => Some(("bincode", *span)),
            Codec::Base64(span) => Some(("base64", *span)),
            Codec::With(path) => Some(("with", path.span())),
        }
    }
}

/// The value of a field that Redis does not have.
pub(crate) enum FieldDefault {
    /// There is no default: a missing field is an error.
    None,
    /// `Default::default()`.
    Trait(Span),
    /// The return value of this function.
    Function(Path),
}

impl FieldDefault {
    /// Returns the tokens that set the default.
    pub(crate) fn span(&self) -> Option<Span> {
        match self {
            FieldDefault::None => None,
            FieldDefault::Trait(span) => Some(*span),
            FieldDefault::Function(path) => Some(path.span()),
        }
    }
}

/// The attributes of a field.
pub(crate) struct Field {
    pub(crate) id: Option<Span>,
    pub(crate) rename: Option<LitStr>,
    pub(crate) aliases: Vec<LitStr>,
    pub(crate) default: FieldDefault,
    pub(crate) skip: Option<Span>,
    pub(crate) flatten: Option<Span>,
    pub(crate) index: Option<Span>,
    pub(crate) unique: Option<Span>,
    pub(crate) version: Option<Span>,
    pub(crate) unknown: Option<Span>,
    /// The type that the field had.
    pub(crate) from: Option<Type>,
    /// Whether there is a `from`, valid or not.
    pub(crate) has_from: bool,
    pub(crate) convert: Option<Path>,
    pub(crate) codec: Codec,
}

/// The attributes of a variant.
#[derive(Default)]
pub(crate) struct Variant {
    pub(crate) rename: Option<LitStr>,
    pub(crate) aliases: Vec<LitStr>,
    pub(crate) unknown: Option<Span>,
}

const CONTAINER: &str = "prefix, list, stream, embedded, id, text, json, postcard, bincode, base64, with, rename_all, max_len, \
     max_age, exact, publish, category, versioned, tag, index, unique, ttl, sliding, \
     partitions, schema_version, upgrade, validate, before_save, after_load, crate";
const FIELD: &str = "id, rename, alias, default, skip, flatten, index, unique, version, unknown, from, convert, text, json, postcard, \
     bincode, base64, with";
const CODECS: &str = "`text`, `json`, `postcard`, `bincode`, `base64` and `with`";
const VARIANT: &str = "rename, alias, unknown";
const MAX_LEN: &str = "`max_len` takes a whole number of entries; write `max_len = 1_000_000`";
const MAX_AGE: &str = "`max_age` takes a whole number and a unit, one of `s`, `m`, `h` and `d`, of at most 100 years; write `max_age = \"30d\"`";
const TTL: &str =
    "`ttl` takes a whole number and a unit, one of `s`, `m`, `h` and `d`, of at most 100 years; write `ttl = \"30m\"`";
const SCHEMA_VERSION: &str = "`schema_version` takes a whole number from 2; records without a version are of version 1; write \
     `schema_version = 2`";
const PARTITIONS: &str = "`partitions` takes a whole number from 2 to 256; write `partitions = 16`";

impl Container {
    pub(crate) fn parse(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let mut container = Container::default();
        parse_items(attrs, errors, |meta| match item_name(meta).as_str() {
            "prefix" => {
                container.has_prefix = true;
                set_once(&mut container.prefix, meta, parse_string)
            }
            "list" => set_flag(&mut container.list, meta),
            "stream" => set_flag(&mut container.stream, meta),
            "embedded" => set_flag(&mut container.embedded, meta),
            "id" => set_flag(&mut container.id, meta),
            "text" => set_flag(&mut container.text, meta),
            "rename_all" => set_once(&mut container.rename_all, meta, |meta| {
                let name = parse_string(meta)?;
                Ok((Case::parse(&name)?, name.span()))
            }),
            "max_len" => set_once(&mut container.max_len, meta, |meta| {
                let value = meta.value().map_err(|_| meta.error(MAX_LEN))?;
                let literal: LitInt = value.parse().map_err(|error| syn::Error::new(error.span(), MAX_LEN))?;
                match literal.base10_parse::<u64>() {
                    Ok(0) => Err(syn::Error::new(
                        literal.span(),
                        "`max_len = 0` would keep no entries; use at least 1, or remove `max_len` to keep all entries",
                    )),
                    Ok(entries) if i64::try_from(entries).is_ok() => Ok((entries, literal.span())),
                    Ok(_) => Err(syn::Error::new(
                        literal.span(),
                        "`max_len` is larger than 2^63 - 1, the most that Redis takes; remove it to keep all entries",
                    )),
                    Err(_) => Err(syn::Error::new(literal.span(), MAX_LEN)),
                }
            }),
            "max_age" => set_once(&mut container.max_age, meta, |meta| parse_duration(meta, MAX_AGE)),
            "exact" => set_flag(&mut container.exact, meta),
            "publish" => set_flag(&mut container.publish, meta),
            "json" => set_codec(&mut container.codec, meta, Codec::Json(parse_flag(meta)?), "an element"),
            "postcard" => set_codec(&mut container.codec, meta, Codec::Postcard(parse_flag(meta)?), "an element"),
            "bincode" => set_codec(&mut container.codec, meta, Codec::Bincode(parse_flag(meta)?), "an element"),
            "base64" => set_codec(&mut container.codec, meta, Codec::Base64(parse_flag(meta)?), "an element"),
            "with" => set_codec(&mut container.codec, meta, Codec::With(parse_path(meta)?), "an element"),
            "category" => set_flag(&mut container.category, meta),
            "versioned" => set_flag(&mut container.versioned, meta),
            "tag" => set_once(&mut container.tag, meta, parse_string),
            name @ ("index" | "unique") => {
                container.compounds.push(parse_compound(meta, name == "unique")?);
                Ok(())
            }
            "ttl" => {
                container.has_ttl = true;
                set_once(&mut container.ttl, meta, |meta| parse_duration(meta, TTL))
            }
            "sliding" => set_flag(&mut container.sliding, meta),
            "partitions" => set_once(&mut container.partitions, meta, |meta| {
                let value = meta.value().map_err(|_| meta.error(PARTITIONS))?;
                let literal: LitInt = value.parse().map_err(|error| syn::Error::new(error.span(), PARTITIONS))?;
                let partitions = literal.base10_parse::<u32>().ok().filter(|count| (2..=256).contains(count));
                let partitions = partitions.ok_or_else(|| syn::Error::new(literal.span(), PARTITIONS))?;
                Ok((partitions, literal.span()))
            }),
            "schema_version" => {
                container.has_schema_version = true;
                set_once(&mut container.schema_version, meta, |meta| {
                    let value = meta.value().map_err(|_| meta.error(SCHEMA_VERSION))?;
                    let literal: LitInt =
                        value.parse().map_err(|error| syn::Error::new(error.span(), SCHEMA_VERSION))?;
                    let version = literal.base10_parse::<u32>().ok().filter(|version| *version >= 2);
                    let version = version.ok_or_else(|| syn::Error::new(literal.span(), SCHEMA_VERSION))?;
                    Ok((version, literal.span()))
                })
            }
            "upgrade" => {
                container.has_upgrade = true;
                set_once(&mut container.upgrade, meta, parse_path)
            }
            "validate" => set_once(&mut container.validate, meta, parse_path),
            "before_save" => set_once(&mut container.before_save, meta, parse_path),
            "after_load" => set_once(&mut container.after_load, meta, parse_path),
            "crate" => set_once(&mut container.krate, meta, parse_path),
            name => {
                // One error is enough for a misspelt prefix.
                container.has_prefix |= meant("container", name, CONTAINER) == Some("prefix");
                Err(unknown(meta, "container", CONTAINER))
            }
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
            default: FieldDefault::None,
            skip: None,
            flatten: None,
            index: None,
            unique: None,
            version: None,
            unknown: None,
            from: None,
            has_from: false,
            convert: None,
            codec: Codec::Field,
        };
        parse_items(attrs, errors, |meta| {
            let codec = match item_name(meta).as_str() {
                "id" => return set_flag(&mut field.id, meta),
                "rename" => return set_once(&mut field.rename, meta, parse_string),
                "skip" => return set_flag(&mut field.skip, meta),
                "flatten" => return set_flag(&mut field.flatten, meta),
                "index" => return set_flag(&mut field.index, meta),
                "unique" => return set_flag(&mut field.unique, meta),
                "version" => return set_flag(&mut field.version, meta),
                "unknown" => return set_flag(&mut field.unknown, meta),
                "from" => {
                    field.has_from = true;
                    return set_once(&mut field.from, meta, parse_type);
                }
                "convert" => return set_once(&mut field.convert, meta, parse_path),
                "alias" => {
                    field.aliases.push(parse_string(meta)?);
                    return Ok(());
                }
                "default" => {
                    if !matches!(field.default, FieldDefault::None) {
                        return Err(duplicate(meta));
                    }
                    field.default = if meta.input.peek(syn::Token![=]) {
                        FieldDefault::Function(parse_path(meta)?)
                    } else {
                        FieldDefault::Trait(parse_flag(meta)?)
                    };
                    return Ok(());
                }
                "text" => Codec::Text(parse_flag(meta)?),
                "json" => Codec::Json(parse_flag(meta)?),
                "postcard" => Codec::Postcard(parse_flag(meta)?),
                "bincode" => Codec::Bincode(parse_flag(meta)?),
                "base64" => Codec::Base64(parse_flag(meta)?),
                "with" => Codec::With(parse_path(meta)?),
                _ => return Err(unknown(meta, "field", FIELD)),
            };
            set_codec(&mut field.codec, meta, codec, "a field")
        });
        field
    }
}

impl Variant {
    pub(crate) fn parse(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let mut variant = Variant::default();
        parse_items(attrs, errors, |meta| match item_name(meta).as_str() {
            "rename" => set_once(&mut variant.rename, meta, parse_string),
            "alias" => {
                variant.aliases.push(parse_string(meta)?);
                Ok(())
            }
            "unknown" => set_flag(&mut variant.unknown, meta),
            _ => Err(unknown(meta, "variant", VARIANT)),
        });
        variant
    }
}

/// Parses every item of every `#[redis(..)]`. Reports an invalid item and continues with the next one.
fn parse_items(
    attrs: &[Attribute],
    errors: &mut Errors,
    mut parse: impl FnMut(&ParseNestedMeta<'_>) -> syn::Result<()>,
) {
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("redis")) {
        let outcome = attr.parse_nested_meta(|meta| {
            if let Err(error) = parse(&meta) {
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

/// Skips the rest of an item, up to the comma.
fn skip_value(meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
    while !meta.input.is_empty() && !meta.input.peek(syn::Token![,]) {
        meta.input.parse::<proc_macro2::TokenTree>()?;
    }
    Ok(())
}

fn item_name(meta: &ParseNestedMeta<'_>) -> String {
    meta.path.get_ident().map(ToString::to_string).unwrap_or_default()
}

fn set_once<T>(
    slot: &mut Option<T>,
    meta: &ParseNestedMeta<'_>,
    parse: impl FnOnce(&ParseNestedMeta<'_>) -> syn::Result<T>,
) -> syn::Result<()> {
    if slot.is_some() {
        return Err(duplicate(meta));
    }
    *slot = Some(parse(meta)?);
    Ok(())
}

/// Sets a flag. It is set even if it has a value, so that this mistake causes no other errors.
fn set_flag(slot: &mut Option<Span>, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
    if slot.replace(meta.path.span()).is_some() {
        return Err(duplicate(meta));
    }
    parse_flag(meta).map(drop)
}

fn set_codec(slot: &mut Codec, meta: &ParseNestedMeta<'_>, codec: Codec, of: &str) -> syn::Result<()> {
    if !matches!(slot, Codec::Field) {
        return Err(meta.error(format!("{of} has only one codec; keep one of {CODECS}")));
    }
    *slot = codec;
    Ok(())
}

fn duplicate(meta: &ParseNestedMeta<'_>) -> syn::Error {
    meta.error(format!("`{}` is set twice; keep one", item_name(meta)))
}

fn unknown(meta: &ParseNestedMeta<'_>, place: &str, known: &str) -> syn::Error {
    let name = item_name(meta);
    let right_place = match (place, name.as_str()) {
        (
            "field",
            "prefix" | "list" | "stream" | "embedded" | "rename_all" | "max_len" | "max_age" | "exact" | "publish"
            | "category" | "versioned" | "tag" | "ttl" | "sliding" | "partitions" | "schema_version" | "upgrade"
            | "validate" | "before_save" | "after_load" | "crate",
        ) => "the struct or enum itself",
        ("container", "rename" | "alias") => "a field or a variant",
        ("container", "default" | "skip" | "flatten" | "version" | "unknown" | "from" | "convert") => "a field",
        _ => {
            return meta.error(match hint(place, &name, known) {
                Some(hint) => format!("unknown {place} attribute `{name}`; {hint}"),
                None => format!("unknown {place} attribute `{name}`; use one of: {known}"),
            });
        }
    };
    meta.error(format!("`{name}` is not a {place} attribute; write it on {right_place}"))
}

/// Returns what to do about an attribute that this place does not have.
fn hint(place: &str, name: &str, known: &str) -> Option<String> {
    let advice = match (place, name) {
        ("container", "hash") => "a record is a hash without it; remove it",
        ("field", "optional" | "nullable" | "skip_serializing_if") => {
            "make the field an `Option`, whose `None` is stored as no field"
        }
        _ => return meant(place, name, known).map(|meant| format!("did you mean `{meant}`?")),
    };
    Some(advice.to_owned())
}

/// Returns the attribute that is meant by one that other crates have, or that is misspelt.
fn meant<'a>(place: &str, name: &str, known: &'a str) -> Option<&'a str> {
    match (place, name) {
        ("container", "name" | "table" | "key" | "collection" | "namespace") => Some("prefix"),
        ("container", "maxlen" | "max_entries") => Some("max_len"),
        ("container", "retention" | "maxage") => Some("max_age"),
        ("container", "expire" | "expires" | "expiration" | "expire_after") => Some("ttl"),
        ("container" | "field", "indexed") => Some("index"),
        ("container", "before_write" | "pre_save") => Some("before_save"),
        ("container", "after_read" | "post_load") => Some("after_load"),
        ("container", "validator" | "check") => Some("validate"),
        ("field", "extra" | "other" | "rest") | ("variant", "other" | "catch_all" | "fallback" | "default") => {
            Some("unknown")
        }
        ("field", "lock" | "lock_version" | "etag" | "revision") => Some("version"),
        ("field", "key" | "primary_key") => Some("id"),
        ("field" | "variant", "name") => Some("rename"),
        ("field", "display" | "string" | "to_string" | "from_str") => Some("text"),
        ("field", "bytes" | "binary") => Some("base64"),
        ("field", "serde") => Some("json"),
        ("field", "msgpack" | "messagepack" | "cbor") => Some("postcard"),
        ("field", "codec" | "serialize_with" | "deserialize_with") => Some("with"),
        _ => known.split(", ").find(|known| is_typo(name, known)),
    }
}

/// Returns whether one letter more, less, other or swapped with the next makes `known` of `name`.
fn is_typo(name: &str, known: &str) -> bool {
    let common = name.bytes().zip(known.bytes()).take_while(|(a, b)| a == b).count();
    let (name, known) =
        (name.as_bytes().get(common..).unwrap_or_default(), known.as_bytes().get(common..).unwrap_or_default());
    match (name, known) {
        ([_, name @ ..], [_, known @ ..]) if name == known => true,
        ([a, b, name @ ..], [c, d, known @ ..]) if (a, b) == (d, c) && name == known => true,
        ([_, name @ ..], known) if name == known => true,
        (name, [_, known @ ..]) => name == known,
        _ => false,
    }
}

fn parse_flag(meta: &ParseNestedMeta<'_>) -> syn::Result<Span> {
    if meta.input.peek(syn::Token![=]) || meta.input.peek(syn::token::Paren) {
        return Err(meta.error(format!("`{0}` takes no value; write only `{0}`", item_name(meta))));
    }
    Ok(meta.path.span())
}

/// Parses the fields of `index(country, age)`.
fn parse_compound(meta: &ParseNestedMeta<'_>, is_unique: bool) -> syn::Result<Compound> {
    let name = item_name(meta);
    let message = format!(
        "on the struct, `{name}` names the fields of an index; write `{name}(first, second)`. For one field, write \
         #[redis({name})] on the field itself"
    );
    if !meta.input.peek(syn::token::Paren) {
        return Err(meta.error(message));
    }
    let content;
    syn::parenthesized!(content in meta.input);
    // All tokens are taken, so that none of them is an error of its own.
    let fields: TokenStream = content.parse()?;
    let parse =
        |input: syn::parse::ParseStream<'_>| Punctuated::<Part, Token![,]>::parse_terminated_with(input, Part::parse);
    let parts = parse.parse2(fields).map_err(|error| syn::Error::new(error.span(), message))?;
    Ok(Compound { is_unique, span: meta.path.span(), parts: parts.into_iter().collect() })
}

/// Parses a value such as `"30m"`. Errors have this message.
fn parse_duration(meta: &ParseNestedMeta<'_>, message: &str) -> syn::Result<(Duration, Span)> {
    let value = meta.value().map_err(|_| meta.error(message))?;
    let text: LitStr = value.parse().map_err(|error| syn::Error::new(error.span(), message))?;
    let duration = duration_of(&text.value()).ok_or_else(|| syn::Error::new(text.span(), message))?;
    Ok((duration, text.span()))
}

/// Parses a time such as `30m`. Returns `None` if it is malformed, zero or out of range.
fn duration_of(text: &str) -> Option<Duration> {
    let unit = text.chars().next_back()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        _ => return None,
    };
    let count: u64 = text.strip_suffix(unit)?.parse().ok().filter(|count| *count > 0)?;
    // A server refuses times past 2^63 milliseconds. A century is far more than any record lives.
    let total = count.checked_mul(seconds).filter(|total| *total <= 100 * 366 * 24 * 60 * 60)?;
    Some(Duration::from_secs(total))
}

fn parse_string(meta: &ParseNestedMeta<'_>) -> syn::Result<LitStr> {
    let name = item_name(meta);
    let message = format!("`{name}` takes a string; write `{name} = \"..\"`");
    let value = meta.value().map_err(|_| meta.error(&message))?;
    let literal: LitStr = value.parse().map_err(|error| syn::Error::new(error.span(), &message))?;
    if literal.value().is_empty() {
        return Err(syn::Error::new(literal.span(), format!("`{name}` is empty; use at least one character")));
    }
    Ok(literal)
}

fn parse_type(meta: &ParseNestedMeta<'_>) -> syn::Result<Type> {
    let name = item_name(meta);
    let message = format!("`{name}` takes the type that the field had; write `{name} = OldType`");
    let value = meta.value().map_err(|_| meta.error(&message))?;
    value.parse().map_err(|error: syn::Error| syn::Error::new(error.span(), &message))
}

/// Parses a path, either bare or as a string like in serde.
fn parse_path(meta: &ParseNestedMeta<'_>) -> syn::Result<Path> {
    let name = item_name(meta);
    let message = match name.as_str() {
        "default" => "`default` takes the path of a function; write `default = function`, or only `default` for `Default::default()`".to_owned(),
        "upgrade" | "validate" | "before_save" | "after_load" | "convert" => {
            format!("`{name}` takes the path of a function; write `{name} = function`")
        }
        "with" => "`with` takes the path of a codec; write `with = Codec`".to_owned(),
        _ => format!("`{name}` takes a path; write `{name} = some::path`"),
    };
    let value = meta.value().map_err(|_| meta.error(&message))?;
    if value.peek(LitStr) {
        let quoted: LitStr = value.parse()?;
        return quoted.parse().map_err(|_| syn::Error::new(quoted.span(), &message));
    }
    value.parse().map_err(|error: syn::Error| syn::Error::new(error.span(), &message))
}
