//! What makes a type an argument and a reply of any command, and how a trait of `codegen` is implemented.

use proc_macro2::TokenStream;
use quote::quote;

use crate::ast::Model;

/// Implements both for a field.
pub(crate) fn of_field(model: &Model, bounds: &TokenStream) -> TokenStream {
    let to_arg = to_arg(model, bounds, &quote!(field_to_arg));
    let from_reply = from_reply(model, bounds, &quote!(field_from_reply), &TokenStream::new());
    quote!(#to_arg #from_reply)
}

/// Implements both for an element of a list.
pub(super) fn of_element(model: &Model, bounds: &TokenStream) -> TokenStream {
    let to_arg = to_arg(model, bounds, &quote!(element_to_arg));
    let from_reply = from_reply(model, bounds, &quote!(element_from_reply), &TokenStream::new());
    quote!(#to_arg #from_reply)
}

/// Implements `ToArg` by a function of `codegen`.
fn to_arg(model: &Model, bounds: &TokenStream, function: &TokenStream) -> TokenStream {
    let krate = model.krate();
    let items = quote! {
        fn to_arg(&self) -> #krate::codegen::Arg<'_> {
            #krate::codegen::#function(self)
        }
    };
    implement(model, &quote!(ToArg), bounds, &items)
}

/// Implements `FromReply` by a function of `codegen`.
pub(super) fn from_reply(
    model: &Model,
    bounds: &TokenStream,
    function: &TokenStream,
    more: &TokenStream,
) -> TokenStream {
    let krate = model.krate();
    let items = quote! {
        fn from_reply(reply: #krate::codegen::Reply<'_>) -> #krate::codegen::Result<Self> {
            #krate::codegen::#function(reply)
        }

        #more
    };
    implement(model, &quote!(FromReply), bounds, &items)
}

/// Implements a trait of `codegen`.
pub(super) fn implement(
    model: &Model,
    trait_name: &TokenStream,
    bounds: &TokenStream,
    items: &TokenStream,
) -> TokenStream {
    let krate = model.krate();
    let ident = &model.ident;
    let (impl_generics, ty_generics, _) = model.generics.split_for_impl();
    quote! {
        #[automatically_derived]
        #[allow(unused_qualifications)]
        impl #impl_generics #krate::codegen::#trait_name for #ident #ty_generics #bounds {
            #items
        }
    }
}
