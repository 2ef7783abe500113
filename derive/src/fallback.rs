//! Generates stubs of the traits for an invalid input, so that code that uses the model gets no further errors.

use proc_macro2::TokenStream;
use quote::quote;

use crate::ast::{Body, Model, Shape};
use crate::expand::{FieldsImpl, field_constants, of_field, of_value, trait_impls};

pub(crate) fn expand(model: &Model) -> TokenStream {
    if model.shape() == Shape::Value {
        return value(model);
    }
    if model.generics.lifetimes().next().is_some() {
        // `Fields` requires `'static`.
        return TokenStream::new();
    }
    if let (Body::Newtype(_) | Body::Text, Shape::List) = (&model.body, model.shape()) {
        let (value, list) = (value(model), of_value(model));
        return quote!(#value #list);
    }
    let (write, read) = (stub(), stub());
    let krate = model.krate();
    let names = quote!(#krate::codegen::Names { own: &[], flattened: &[] });
    let fields = FieldsImpl {
        checks: TokenStream::new(),
        names,
        describe: TokenStream::new(),
        write: quote!(#write;),
        read,
        bounds: Vec::new(),
    };
    let traits = trait_impls(model, &fields);
    let constants = field_constants(model);
    quote!(#traits #constants)
}

fn value(model: &Model) -> TokenStream {
    let krate = model.krate();
    let ident = &model.ident;
    let (impl_generics, ty_generics, where_clause) = model.generics.split_for_impl();
    let stub = stub();
    let commands = of_field(model, &quote!(#where_clause));
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

        #commands
    }
}

/// Never runs, because the input does not compile.
fn stub() -> TokenStream {
    quote!(::core::panic!("the derive of RedisModel failed"))
}
