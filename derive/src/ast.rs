//! The input as the derive sees it: the shape of the model, its fields and its variants.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::{Data, DeriveInput, Fields, Generics, Ident, LitStr, Type, Visibility};

use crate::attr;
use crate::case::Case;
use crate::errors::Errors;

/// A struct or enum that derives `RedisModel`.
pub(crate) struct Model {
    pub(crate) ident: Ident,
    pub(crate) generics: Generics,
    pub(crate) attrs: attr::Container,
    pub(crate) body: Body,
}

pub(crate) enum Body {
    /// A struct with named fields.
    Struct(Vec<Field>),
    /// A struct with one unnamed field.
    Newtype(Box<Type>),
    Enum(Vec<Variant>),
    /// Any type with the attribute `text`: its own `Display` and `FromStr` are all that matters.
    Text,
    /// An element of a list with a codec: serde's traits, or what else the codec needs, are all that matters.
    Coded,
}

pub(crate) struct Field {
    pub(crate) ident: Ident,
    pub(crate) vis: Visibility,
    pub(crate) ty: Type,
    pub(crate) attrs: attr::Field,
    /// The name in Redis.
    pub(crate) name: String,
    /// The tokens that set the name: the `rename` literal or the identifier.
    pub(crate) name_span: Span,
}

pub(crate) struct Variant {
    pub(crate) ident: Ident,
    pub(crate) attrs: attr::Variant,
    /// The name in Redis.
    pub(crate) name: String,
    pub(crate) body: VariantBody,
}

pub(crate) enum VariantBody {
    Unit,
    Struct(Vec<Field>),
    /// One unnamed field: an embedded struct.
    Newtype(Box<Type>),
    /// Several unnamed fields. The error is already reported.
    Invalid,
}

/// How Redis stores the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A hash.
    Hash,
    /// An element of a list.
    List,
    /// An entry of a stream.
    Stream,
    /// Fields of another model.
    Embedded,
    /// One field of another model.
    Value,
}

impl Model {
    /// Parses the input. Returns `None`, and reports why, if the input cannot become a model at all.
    pub(crate) fn parse(input: &DeriveInput, errors: &mut Errors) -> Option<Self> {
        let attrs = attr::Container::parse(&input.attrs, errors);
        let case = attrs.rename_all.map(|(case, _)| case);
        let body = match &input.data {
            data if attrs.text.is_some() => {
                reject_inner_attributes(
                    data,
                    "the type is stored as its `Display` text, so this has no effect; remove it, or remove `text` from the type",
                    errors,
                );
                Body::Text
            }
            data if attrs.list.is_some() && attrs.codec.attribute().is_some() => {
                reject_inner_attributes(
                    data,
                    "the codec of the type stores an element as a whole, so this has no effect; remove it, or remove the \
                     codec from the type",
                    errors,
                );
                Body::Coded
            }
            Data::Struct(data) => match &data.fields {
                Fields::Named(fields) => {
                    Body::Struct(fields.named.iter().map(|field| Field::parse(field, case, errors)).collect())
                }
                Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
                    let field = fields.unnamed.first()?;
                    reject_attributes(
                        field,
                        "the field of a newtype takes no attributes; write `#[redis(id)]` on the struct itself, or name \
                         the field",
                        errors,
                    );
                    Body::Newtype(Box::new(field.ty.clone()))
                }
                Fields::Unnamed(fields) => {
                    errors.push_spanned(
                        fields,
                        "the fields of a model need names; write `struct Name { field: Type, .. }`, or keep one unnamed \
                         field to make a newtype",
                    );
                    return None;
                }
                Fields::Unit => {
                    errors.push_spanned(&input.ident, "a struct without fields has nothing to store; add a field");
                    return None;
                }
            },
            Data::Enum(data) => {
                if data.variants.is_empty() {
                    errors.push_spanned(&input.ident, "an enum without variants has nothing to store; add a variant");
                }
                Body::Enum(data.variants.iter().map(|variant| Variant::parse(variant, case, errors)).collect())
            }
            Data::Union(data) => {
                errors.push_spanned(&data.union_token, "a union cannot be a model; use a struct or an enum");
                return None;
            }
        };
        Some(Model { ident: input.ident.clone(), generics: input.generics.clone(), attrs, body })
    }

    pub(crate) fn shape(&self) -> Shape {
        match &self.body {
            _ if self.attrs.stream.is_some() => Shape::Stream,
            _ if self.attrs.list.is_some() => Shape::List,
            _ if self.attrs.embedded.is_some() => Shape::Embedded,
            Body::Struct(_) => Shape::Hash,
            Body::Newtype(_) | Body::Enum(_) | Body::Text | Body::Coded => Shape::Value,
        }
    }

    /// Returns the path of the `redis_model` crate.
    pub(crate) fn krate(&self) -> TokenStream {
        self.krate_at(Span::call_site())
    }

    /// Returns the path of the `redis_model` crate with this span, so that compiler errors about an item of the crate
    /// point at the span.
    pub(crate) fn krate_at(&self, span: Span) -> TokenStream {
        match &self.attrs.krate {
            Some(path) => quote!(#path),
            None => quote_spanned!(span=> ::redis_model),
        }
    }

    /// Returns whether the field is in an index, of its own or of several fields.
    pub(crate) fn is_in_index(&self, field: &Field) -> bool {
        let is_part = |part: &attr::Part| part.inner.is_none() && part.field.unraw() == field.ident.unraw();
        field.attrs.index.is_some()
            || field.attrs.unique.is_some()
            || self.attrs.compounds.iter().any(|compound| compound.parts.iter().any(is_part))
    }

    /// Returns the name of the field that holds the name of the variant.
    pub(crate) fn tag(&self) -> String {
        self.attrs.tag.as_ref().map_or_else(|| "event".to_owned(), LitStr::value)
    }
}

impl Field {
    fn parse(field: &syn::Field, case: Option<Case>, errors: &mut Errors) -> Self {
        let attrs = attr::Field::parse(&field.attrs, errors);
        let ident = field.ident.clone().unwrap_or_else(|| Ident::new("unnamed", Span::call_site()));
        let rust_name = ident.unraw().to_string();
        let (name, name_span) = match (&attrs.rename, case) {
            (Some(rename), _) => (rename.value(), rename.span()),
            (None, Some(case)) => (case.field(&rust_name), ident.span()),
            (None, None) => (rust_name, ident.span()),
        };
        Field { ident, vis: field.vis.clone(), ty: field.ty.clone(), attrs, name, name_span }
    }

    /// Returns the name of the associated constant for this field.
    pub(crate) fn constant(&self) -> String {
        self.ident.unraw().to_string().to_uppercase()
    }

    /// Returns whether there is an associated constant for this field.
    pub(crate) fn has_constant(&self) -> bool {
        self.attrs.skip.is_none() && self.attrs.unknown.is_none()
    }

    /// Returns whether the field is stored as one field in Redis.
    pub(crate) fn is_stored(&self) -> bool {
        self.attrs.skip.is_none() && self.attrs.flatten.is_none() && self.attrs.unknown.is_none()
    }

    /// Returns `T` if the type of the field is written `Option<T>`.
    pub(crate) fn option_inner(&self) -> Option<&Type> {
        let mut ty = &self.ty;
        // A type that was passed through a macro arrives in a group.
        while let Type::Group(syn::TypeGroup { elem, .. }) | Type::Paren(syn::TypeParen { elem, .. }) = ty {
            ty = elem;
        }
        let Type::Path(path) = ty else { return None };
        let last = path.path.segments.last()?;
        let syn::PathArguments::AngleBracketed(args) = &last.arguments else { return None };
        match args.args.first() {
            Some(syn::GenericArgument::Type(inner)) if last.ident == "Option" && args.args.len() == 1 => Some(inner),
            _ => None,
        }
    }
}

impl Variant {
    fn parse(variant: &syn::Variant, case: Option<Case>, errors: &mut Errors) -> Self {
        let attrs = attr::Variant::parse(&variant.attrs, errors);
        let rust_name = variant.ident.unraw().to_string();
        let name = match (&attrs.rename, case) {
            (Some(rename), _) => rename.value(),
            (None, Some(case)) => case.variant(&rust_name),
            (None, None) => rust_name,
        };
        let body = match &variant.fields {
            Fields::Unit => VariantBody::Unit,
            Fields::Named(fields) => {
                VariantBody::Struct(fields.named.iter().map(|field| Field::parse(field, None, errors)).collect())
            }
            Fields::Unnamed(fields) => match fields.unnamed.first() {
                Some(field) if fields.unnamed.len() == 1 => {
                    reject_attributes(
                        field,
                        "the unnamed field of a variant takes no attributes; remove this, or name the field",
                        errors,
                    );
                    VariantBody::Newtype(Box::new(field.ty.clone()))
                }
                _ => {
                    errors.push_spanned(
                        fields,
                        "the fields of a variant need names; write `Variant { field: Type, .. }`, or keep one unnamed \
                         field that holds an `embedded` struct",
                    );
                    VariantBody::Invalid
                }
            },
        };
        Variant { ident: variant.ident.clone(), attrs, name, body }
    }
}

/// Reports each `#[redis(..)]` attribute inside a type that is stored as a whole.
fn reject_inner_attributes(data: &Data, message: &str, errors: &mut Errors) {
    let (fields, variants): (Vec<_>, Vec<_>) = match data {
        Data::Struct(data) => (data.fields.iter().collect(), Vec::new()),
        Data::Enum(data) => {
            (data.variants.iter().flat_map(|variant| &variant.fields).collect(), data.variants.iter().collect())
        }
        Data::Union(data) => (data.fields.named.iter().collect(), Vec::new()),
    };
    let attrs = variants.into_iter().map(|variant| &variant.attrs).chain(fields.into_iter().map(|field| &field.attrs));
    for attr in attrs.flatten().filter(|attr| attr.path().is_ident("redis")) {
        errors.push_spanned(attr, message);
    }
}

/// Reports each `#[redis(..)]` attribute of an unnamed field.
fn reject_attributes(field: &syn::Field, message: &str, errors: &mut Errors) {
    for attr in field.attrs.iter().filter(|attr| attr.path().is_ident("redis")) {
        errors.push_spanned(attr, message);
    }
}
