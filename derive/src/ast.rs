//! The input as the derive sees it: what shape of model, with which fields and variants.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::{Data, DeriveInput, Fields, Generics, Ident, LitStr, Type, Visibility};

use crate::attr;
use crate::case::Case;
use crate::errors::Errors;

/// A struct or enum, and what it is to become.
pub(crate) struct Model {
    pub(crate) ident: Ident,
    pub(crate) generics: Generics,
    pub(crate) attrs: attr::Container,
    pub(crate) body: Body,
}

pub(crate) enum Body {
    /// Named fields.
    Struct(Vec<Field>),
    /// One unnamed field.
    Newtype(Box<Type>),
    Enum(Vec<Variant>),
}

pub(crate) struct Field {
    pub(crate) ident: Ident,
    pub(crate) vis: Visibility,
    pub(crate) ty: Type,
    pub(crate) attrs: attr::Field,
    /// Its name in Redis.
    pub(crate) name: String,
    /// Where that name is said.
    pub(crate) name_span: Span,
}

pub(crate) struct Variant {
    pub(crate) ident: Ident,
    pub(crate) attrs: attr::Variant,
    pub(crate) name: String,
    pub(crate) body: VariantBody,
}

pub(crate) enum VariantBody {
    Unit,
    Struct(Vec<Field>),
    /// One unnamed field, whose own fields the event has.
    Newtype(Box<Type>),
    /// What no model can be made of; said already.
    Wrong,
}

/// What a model is stored as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Hash,
    List,
    Stream,
    /// Fields for others.
    Embedded,
    /// One field of others.
    Value,
}

/// An unnamed field has none of the attributes that a named one has.
fn refuse_attributes(field: &syn::Field, why: &str, errors: &mut Errors) {
    for attr in field.attrs.iter().filter(|attr| attr.path().is_ident("redis")) {
        errors.at(attr, format!("{why}; remove this, or give the field a name"));
    }
}

impl Model {
    /// `None` when nothing can be made of the input; the errors say why.
    pub(crate) fn parse(input: &DeriveInput, errors: &mut Errors) -> Option<Self> {
        let attrs = attr::Container::parse(&input.attrs, errors);
        let case = attrs.rename_all.map(|(case, _)| case);
        let body = match &input.data {
            Data::Struct(data) => match &data.fields {
                Fields::Named(fields) => {
                    Body::Struct(fields.named.iter().map(|field| Field::parse(field, case, errors)).collect())
                }
                Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
                    let field = fields.unnamed.first()?;
                    refuse_attributes(field, "a newtype is as its inner type: `id` goes on the struct itself", errors);
                    Body::Newtype(Box::new(field.ty.clone()))
                }
                Fields::Unnamed(fields) => {
                    errors.at(fields, "a model's fields have names: write `struct Name { field: Type, .. }`; one unnamed field makes a newtype");
                    return None;
                }
                Fields::Unit => {
                    errors.at(&input.ident, "a struct without fields stores nothing; give it fields");
                    return None;
                }
            },
            Data::Enum(data) => {
                if data.variants.is_empty() {
                    errors.at(&input.ident, "an enum without variants has no values to store; give it a variant");
                }
                Body::Enum(data.variants.iter().map(|variant| Variant::parse(variant, case, errors)).collect())
            }
            Data::Union(data) => {
                errors.at(&data.union_token, "a union does not say what it holds; use a struct or an enum");
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
            Body::Newtype(_) | Body::Enum(_) => Shape::Value,
        }
    }

    /// The path to this crate's user, `redis_model`.
    pub(crate) fn krate(&self) -> TokenStream {
        self.krate_at(Span::call_site())
    }

    /// The same, so that errors about what is named by it are at `span`.
    pub(crate) fn krate_at(&self, span: Span) -> TokenStream {
        match &self.attrs.krate {
            Some(path) => quote!(#path),
            None => quote_spanned!(span=> ::redis_model),
        }
    }

    /// The field that names the variant.
    pub(crate) fn tag(&self) -> String {
        self.attrs.tag.as_ref().map_or_else(|| "event".to_owned(), LitStr::value)
    }
}

impl Field {
    fn parse(field: &syn::Field, case: Option<Case>, errors: &mut Errors) -> Self {
        let attrs = attr::Field::parse(&field.attrs, errors);
        let ident = field.ident.clone().unwrap_or_else(|| Ident::new("unnamed", Span::call_site()));
        let plain = ident.unraw().to_string();
        let (name, name_span) = match &attrs.rename {
            Some(rename) => (rename.value(), rename.span()),
            None => (case.map_or_else(|| plain.clone(), |case| case.field(&plain)), ident.span()),
        };
        Field { ident, vis: field.vis.clone(), ty: field.ty.clone(), attrs, name, name_span }
    }

    /// The name of its constant.
    pub(crate) fn constant(&self) -> String {
        self.ident.unraw().to_string().to_uppercase()
    }

    /// Whether it is stored as one field of its own.
    pub(crate) fn is_stored(&self) -> bool {
        self.attrs.skip.is_none() && self.attrs.flatten.is_none()
    }

    /// The type in a type written `Option<..>`.
    pub(crate) fn option_of(&self) -> Option<&Type> {
        let mut ty = &self.ty;
        // As macros pass them on.
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
        let plain = variant.ident.unraw().to_string();
        let name = match &attrs.rename {
            Some(rename) => rename.value(),
            None => case.map_or_else(|| plain.clone(), |case| case.variant(&plain)),
        };
        let body = match &variant.fields {
            Fields::Unit => VariantBody::Unit,
            Fields::Named(fields) => {
                VariantBody::Struct(fields.named.iter().map(|field| Field::parse(field, None, errors)).collect())
            }
            Fields::Unnamed(fields) => match fields.unnamed.first() {
                Some(field) if fields.unnamed.len() == 1 => {
                    refuse_attributes(field, "the fields of the embedded struct are stored as they are", errors);
                    VariantBody::Newtype(Box::new(field.ty.clone()))
                }
                _ => {
                    errors.at(fields, "a variant's fields have names: write `Variant { field: Type, .. }`; one unnamed field holds an `embedded` struct");
                    VariantBody::Wrong
                }
            },
        };
        Variant { ident: variant.ident.clone(), attrs, name, body }
    }
}
