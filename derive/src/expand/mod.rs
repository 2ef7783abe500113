//! Generates the code for a valid input.

mod event;
mod evolution;
mod fields;
mod hooks;
mod index;
mod model;
mod value;
mod variable;

use proc_macro2::TokenStream;

use crate::ast::{Body, Model, Shape};

pub(crate) use self::fields::FieldsImpl;
pub(crate) use self::model::{field_constants, trait_impls};
pub(crate) use self::value::command_impls;

pub(crate) fn expand(model: &Model) -> TokenStream {
    match (&model.body, model.shape()) {
        (Body::Text, _) => value::text(model),
        (Body::Newtype(ty), _) => value::newtype(model, ty),
        (Body::Enum(variants), Shape::Value) => value::unit_enum(model, variants),
        (Body::Enum(variants), _) => model::expand(model, &event::fields_impl(model, variants)),
        (Body::Struct(fields), _) => model::expand(model, &fields::fields_impl(model, fields)),
    }
}
