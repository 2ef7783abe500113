//! Generates the code for a valid input.

mod commands;
mod element;
mod event;
mod evolution;
mod fields;
mod hooks;
mod index;
mod model;
mod value;
mod variable;

use proc_macro2::TokenStream;
use quote::quote;

use crate::ast::{Body, Model, Shape};

pub(crate) use self::commands::of_field;
pub(crate) use self::element::of_value;
pub(crate) use self::fields::FieldsImpl;
pub(crate) use self::model::{field_constants, trait_impls};

pub(crate) fn expand(model: &Model) -> TokenStream {
    match (&model.body, model.shape()) {
        (Body::Coded, _) => element::coded(model),
        (Body::Text | Body::Newtype(_), Shape::List) => {
            let (value, list) = (value(model), of_value(model));
            quote!(#value #list)
        }
        (Body::Text | Body::Newtype(_), _) => value(model),
        (Body::Enum(variants), Shape::Value) => value::unit_enum(model, variants),
        (Body::Enum(variants), _) => model::expand(model, &event::fields_impl(model, variants)),
        (Body::Struct(fields), _) => model::expand(model, &fields::fields_impl(model, fields)),
    }
}

/// Expands a type that is stored as one value.
fn value(model: &Model) -> TokenStream {
    match &model.body {
        Body::Newtype(ty) => value::newtype(model, ty),
        _ => value::text(model),
    }
}
