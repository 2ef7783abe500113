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

/// Makes a model of a struct or an enum.
///
/// # What it is
///
/// | attribute | on | what it is |
/// | --- | --- | --- |
/// | `#[redis(prefix = "user")]` | a struct with a field marked `id` | a record: a hash at `user:ID` |
/// | `#[redis(list, prefix = "inbox")]` | a struct or an enum | an element of lists at `inbox:KEY` |
/// | `#[redis(stream, prefix = "orders")]` | a struct or an enum | an event of logs at `orders:KEY` |
/// | `#[redis(embedded)]` | a struct | fields for others to flatten |
/// | none | an enum without data, a struct of one unnamed field | one field of a model |
/// | `#[redis(id)]` | a struct of one unnamed field | the same, and an id |
///
/// # Container
///
/// | attribute | meaning |
/// | --- | --- |
/// | `prefix = "user"` | what the keys begin with |
/// | `rename_all = "camelCase"` | how fields, or an enum's variants, are called: `lowercase`, `UPPERCASE`, `PascalCase`, `camelCase`, `snake_case`, `SCREAMING_SNAKE_CASE`, `kebab-case`, `SCREAMING-KEBAB-CASE` |
/// | `max_len = 1_000_000` | about how many entries a stream keeps |
/// | `tag = "event"` | which field names the variant, in a list or a stream of an enum |
/// | `crate = path` | where `redis_model` is, if not there |
///
/// # Fields
///
/// | attribute | meaning |
/// | --- | --- |
/// | `id` | the record's id |
/// | `rename = "name"` | how it is called |
/// | `alias = "old_name"` | what else it is read from; may be repeated |
/// | `default`, `default = path` | what it is when it is missing: `Default::default()`, or what the function gives |
/// | `skip` | it is not stored, and read as `Default::default()` |
/// | `flatten` | its own fields are stored: a struct that is `embedded` |
/// | `json` | stored as JSON, by serde |
/// | `bincode` | stored as bincode 2 in base64, by serde |
/// | `base64` | a `Vec<u8>`, stored as base64 |
/// | `with = path` | stored by a `Codec` of your own |
///
/// `Option` is a field that may be missing. On a variant, `rename` and `alias` are its names.
///
/// For each field of a record there is a constant, `User::EMAIL` for `email`, that names it in calls.
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
