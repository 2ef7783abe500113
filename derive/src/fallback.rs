//! The stub for an input with mistakes: its traits without their work, so that code that uses the model has no further
//! errors.

use proc_macro2::TokenStream;
use quote::quote;

use crate::ast::{Model, Shape};
use crate::expand::{Code, constants, implement};

pub(crate) fn expand(model: &Model) -> TokenStream {
    if model.shape() == Shape::Value {
        return value(model);
    }
    if model.generics.lifetimes().next().is_some() {
        // The traits cannot be implemented for it at all.
        return TokenStream::new();
    }
    let (write, read) = (stub(), stub());
    let krate = model.krate();
    let names = quote!(#krate::codegen::Names { own: &[], flattened: &[] });
    let code = Code { checks: TokenStream::new(), names, write: quote!(#write;), read, bounds: Vec::new() };
    let traits = implement(model, &code);
    let constants = constants(model);
    quote!(#traits #constants)
}

fn value(model: &Model) -> TokenStream {
    let krate = model.krate();
    let ident = &model.ident;
    let (impl_generics, ty_generics, where_clause) = model.generics.split_for_impl();
    let stub = stub();
    quote! {
        impl #impl_generics #krate::codegen::Field for #ident #ty_generics #where_clause {
            type Value = Self;

            fn encode(&self, _: &mut #krate::codegen::String) {
                #stub
            }

            fn decode(_: &#krate::codegen::str) -> ::core::result::Result<Self, #krate::codegen::Mismatch> {
                #stub
            }

            fn decode_value(_: &#krate::codegen::str) -> ::core::result::Result<Self, #krate::codegen::Mismatch> {
                #stub
            }
        }
    }
}

/// Never runs: there is an error.
fn stub() -> TokenStream {
    quote!(::core::panic!("the derive of RedisModel failed"))
}
