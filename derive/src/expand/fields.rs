//! Writes and reads the named fields of a struct or of a variant.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{Ident, LitByteStr, LitStr, Type};

use super::variable::variable;
use super::{evolution, hooks, index};
use crate::ast::{Field, Model, Shape};
use crate::attr::{Codec, FieldDefault};

/// The parts of a type's `Fields` implementation.
pub(crate) struct FieldsImpl {
    /// Constant assertions: no field name appears twice, and a compound index names fields that it can have.
    pub(crate) checks: TokenStream,
    /// The value of `NAMES`.
    pub(crate) names: TokenStream,
    /// The body of `describe_fields`, which describes the columns and indexes to `__layout`.
    pub(crate) describe: TokenStream,
    /// The body of `write`, which writes `self` to `__sink`.
    pub(crate) write: TokenStream,
    /// The body of `read`, which reads from `__source`.
    pub(crate) read: TokenStream,
    /// The type of each field, with the where predicate that it needs.
    pub(crate) bounds: Vec<(Type, TokenStream)>,
}

/// Returns the `Fields` implementation of a struct.
pub(crate) fn fields_impl(model: &Model, fields: &[Field]) -> FieldsImpl {
    let record = hooks::record(model);
    let write = fields.iter().map(|field| {
        let ident = &field.ident;
        write_field(model, field, &quote!(&#record.#ident))
    });
    let (before_write, schema) = (hooks::before_write(model), evolution::write_schema(model));
    let (upgrade, read) = (evolution::upgrade(model), read_fields(model, fields, &quote!(Self)));
    let value = hooks::loaded(model, &read.value);
    let read = read.statements;
    let names = names(model, &[], fields);
    let (name_check, compound_checks) = (name_check(model, fields, &names), index::compound_checks(model, fields));
    FieldsImpl {
        checks: quote!(#name_check #compound_checks),
        names,
        describe: index::describe_fields(model, fields),
        write: quote!(#before_write #(#write)* #schema),
        read: quote!(#upgrade #read #value),
        bounds: fields
            .iter()
            .flat_map(|field| {
                std::iter::once(where_predicate(model, field)).chain(index::where_predicates(model, field))
            })
            .collect(),
    }
}

/// Returns the `Names` of the fields and of the structs that are flattened among them. `others` are names that belong to no
/// field: the tag of an enum.
pub(crate) fn names(model: &Model, others: &[String], fields: &[Field]) -> TokenStream {
    let krate = model.krate();
    let stored = fields.iter().filter(|field| field.is_stored());
    let own = stored
        .flat_map(|field| std::iter::once(field.name.clone()).chain(field.attrs.aliases.iter().map(LitStr::value)));
    let own = others.iter().cloned().chain(own);
    let flattened = fields.iter().filter(|field| field.attrs.flatten.is_some()).map(|field| {
        let ty = &field.ty;
        let krate = model.krate_at(ty.span());
        quote_spanned!(ty.span()=> <#ty as #krate::codegen::Embedded>::FLATTENED)
    });
    quote!(#krate::codegen::Names { own: &[#(#own),*], flattened: &[#(#flattened),*] })
}

/// Returns an assertion that no name appears twice. Only the compiler can check this if a field is flattened, because the
/// derive does not see the fields of the embedded struct.
pub(crate) fn name_check(model: &Model, fields: &[Field], names: &TokenStream) -> TokenStream {
    let Some(field) = fields.iter().find(|field| field.attrs.flatten.is_some()) else { return TokenStream::new() };
    let message =
        format!("a flattened field has the same name as another field of {}; rename one", model.ident.unraw());
    quote_spanned!(field.ty.span()=> const { ::core::assert!((#names).are_distinct(), #message) };)
}

/// Returns the code that writes one field to `__sink`. Errors about missing traits point at the type of the field.
pub(crate) fn write_field(model: &Model, field: &Field, value: &TokenStream) -> TokenStream {
    let (ty, name) = (&field.ty, &field.name);
    let krate = model.krate_at(ty.span());
    if field.attrs.skip.is_some() {
        return TokenStream::new();
    }
    let sink = variable("__sink");
    if field.attrs.flatten.is_some() {
        return quote_spanned!(ty.span()=> <#ty as #krate::codegen::Embedded>::write_flattened(#value, #sink)?;);
    }
    if field.attrs.unknown.is_some() {
        return evolution::write_unknown(model, field, value);
    }
    let codec = codec(model, field);
    let aliases = &field.attrs.aliases;
    let column = index::write_column(model, field, value);
    let put = quote_spanned!(ty.span()=> <#codec as #krate::codegen::FieldCodec<#ty>>::put(#sink, #name, &[#(#aliases),*], #value)?;);
    quote!(#put #column)
}

/// The code that reads the fields of a value.
pub(crate) struct ReadFields {
    /// Reads all fields from `__source`.
    pub(crate) statements: TokenStream,
    /// Builds the value of them.
    pub(crate) value: TokenStream,
}

/// Returns the code that reads a value, which it builds with `constructor`.
pub(crate) fn read_fields(model: &Model, fields: &[Field], constructor: &TokenStream) -> ReadFields {
    let krate = model.krate();
    let mut slots = TokenStream::new();
    let mut arms = TokenStream::new();
    let mut fallbacks = TokenStream::new();
    for (index, field) in fields.iter().enumerate().filter(|(_, field)| field.is_stored()) {
        let (slot, alias_slot) = (slot(index), format_ident!("__alias_{index}"));
        let (ty, name) = (&field.ty, &field.name);
        let codec = codec(model, field);
        let krate_at_type = model.krate_at(ty.span());
        let content = variable("__content");
        let decoded =
            quote_spanned!(ty.span()=> <#codec as #krate_at_type::codegen::FieldCodec<#ty>>::get(#name, #content)?);
        let bytes = LitByteStr::new(name.as_bytes(), field.name_span);
        slots.extend(quote!(let mut #slot: #krate::codegen::Option<#ty> = #krate::codegen::None;));
        let is_new = refuse_second(model, name, &slot);
        arms.extend(quote!(#bytes => { #is_new #slot = #decoded; }));
        if field.attrs.aliases.is_empty() {
            continue;
        }
        // The current name wins over an alias, whichever comes first.
        let aliases = field.attrs.aliases.iter().map(|alias| LitByteStr::new(alias.value().as_bytes(), alias.span()));
        slots.extend(quote!(let mut #alias_slot = #krate::codegen::None;));
        // Records of several earlier versions may have several of the earlier names.
        let is_new = (field.attrs.aliases.len() == 1).then(|| refuse_second(model, name, &alias_slot));
        arms.extend(quote!(#(#aliases)|* => { #is_new #alias_slot = #krate::codegen::Some(__content); }));
        fallbacks.extend(quote! {
            if let (#krate::codegen::None, #krate::codegen::Some(__content)) = (&#slot, #alias_slot) {
                #slot = #decoded;
            }
        });
    }
    let (unknown_slot, keep_unknown) = evolution::keep_unknown(model, fields);
    let scan = (!arms.is_empty()).then(|| {
        quote! {
            for __field in #krate::codegen::Source::fields(__source) {
                let (__name, __content) = __field?;
                match __name {
                    #arms
                    _ => { #keep_unknown }
                }
            }
        }
    });
    let initializers = fields.iter().enumerate().map(|(index, field)| initializer(model, index, field));
    ReadFields {
        statements: quote!(#slots #unknown_slot #scan #fallbacks),
        value: quote!(#constructor { #(#initializers),* }),
    }
}

/// Returns the code that refuses the second of two fields with one name. A hash cannot have two, but an entry of a stream
/// and a JSON object can.
fn refuse_second(model: &Model, name: &str, slot: &Ident) -> TokenStream {
    if model.shape() == Shape::Hash {
        return TokenStream::new();
    }
    let krate = model.krate();
    quote! {
        if #slot.is_some() {
            return #krate::codegen::Err(#krate::codegen::duplicate_field(#name));
        }
    }
}

/// Returns the `field: value` of a struct expression.
fn initializer(model: &Model, index: usize, field: &Field) -> TokenStream {
    let (ident, ty, name) = (&field.ident, &field.ty, &field.name);
    let krate = model.krate_at(ty.span());
    if field.attrs.skip.is_some() {
        return quote_spanned!(ty.span()=> #ident: <#ty as ::core::default::Default>::default());
    }
    if field.attrs.flatten.is_some() {
        let source = variable("__source");
        return quote_spanned!(ty.span()=> #ident: <#ty as #krate::codegen::Embedded>::read_flattened(#source)?);
    }
    if field.attrs.unknown.is_some() {
        return quote!(#ident: __unknown);
    }
    let slot = slot(index);
    match &field.attrs.default {
        FieldDefault::Trait(_) => {
            quote_spanned!(ty.span()=> #ident: #slot.unwrap_or_else(<#ty as ::core::default::Default>::default))
        }
        FieldDefault::Function(path) => quote_spanned!(path.span()=> #ident: #slot.unwrap_or_else(#path)),
        // A record that was written before its model had a version has the version 0.
        FieldDefault::None if field.attrs.version.is_some() => {
            quote_spanned!(ty.span()=> #ident: #slot.unwrap_or_else(<#ty as ::core::default::Default>::default))
        }
        FieldDefault::None => {
            let codec = codec(model, field);
            let found = if field.attrs.id.is_some() { quote!(found_id) } else { quote!(found) };
            quote_spanned!(ty.span()=> #ident: <#codec as #krate::codegen::FieldCodec<#ty>>::#found(#name, #slot)?)
        }
    }
}

/// Returns the variable that a field is read into.
fn slot(index: usize) -> Ident {
    format_ident!("__slot_{index}")
}

/// Returns the type of the codec. A codec for `T` is wrapped for `Option<T>`, so that `None` is stored as no field.
pub(crate) fn codec(model: &Model, field: &Field) -> TokenStream {
    let span = field.ty.span();
    let krate = model.krate_at(span);
    let codec = stored_codec(model, field);
    match evolution::converter(model, field) {
        Some(position) => quote_spanned!(span=> #krate::codegen::Converted<#codec, Self, #position>),
        None => codec,
    }
}

/// Returns the codec that writes the field.
fn stored_codec(model: &Model, field: &Field) -> TokenStream {
    let span = field.ty.span();
    let krate = model.krate_at(span);
    let codec = match &field.attrs.codec {
        Codec::Field => return quote_spanned!(span=> #krate::codegen::AsField),
        Codec::Text(_) => quote_spanned!(span=> #krate::codegen::DisplayFromStr),
        Codec::Json(_) => quote_spanned!(span=> #krate::codegen::Json),
        Codec::Postcard(_) => quote_spanned!(span=> #krate::codegen::Postcard),
        Codec::Bincode(_) => quote_spanned!(span=> #krate::codegen::Bincode),
        Codec::Base64(_) => quote_spanned!(span=> #krate::codegen::Base64),
        Codec::With(path) => quote!(#path),
    };
    match field.option_inner() {
        Some(_) => quote_spanned!(span=> #krate::codegen::OptionalWith<#codec>),
        None => quote_spanned!(span=> #krate::codegen::With<#codec>),
    }
}

/// Returns the type of a field and the where predicate that it needs.
pub(crate) fn where_predicate(model: &Model, field: &Field) -> (Type, TokenStream) {
    let krate = model.krate();
    let ty = &field.ty;
    let predicate = if field.attrs.skip.is_some() {
        quote!(#ty: ::core::default::Default)
    } else if field.attrs.flatten.is_some() {
        quote!(#ty: #krate::codegen::Embedded)
    } else if field.attrs.unknown.is_some() {
        quote!(#ty: #krate::codegen::UnknownFields)
    } else {
        let codec = codec(model, field);
        quote!(#codec: #krate::codegen::FieldCodec<#ty>)
    };
    (ty.clone(), predicate)
}
