//! The derive macro of `redis-model`. Users import it from there; see [`RedisModel`] for all attributes.
//!
//! The input is parsed (`ast`, `attr`), checked (`check`) and expanded (`expand`). An invalid input gets all of its errors
//! at once, and stubs of the traits (`fallback`), so that one mistake causes no further errors.

mod ast;
mod attr;
mod case;
mod check;
mod errors;
mod expand;
mod fallback;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

#[doc = include_str!("reference.md")]
#[proc_macro_derive(RedisModel, attributes(redis))]
pub fn derive_redis_model(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    let mut errors = errors::Errors::default();
    let model = ast::Model::parse(&input, &mut errors);
    if let Some(model) = &model {
        check::check(model, &mut errors);
    }
    match (errors.into_tokens(), model) {
        (None, Some(model)) => expand::expand(&model).into(),
        (errors, model) => {
            let stubs = model.map(|model| fallback::expand(&model));
            quote::quote!(#errors #stubs).into()
        }
    }
}
