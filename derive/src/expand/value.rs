//! Types that are stored as one field: enums without data, and newtypes.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned as _;

use super::commands;
use crate::ast::{Model, Variant};

/// Implements `Field` for an enum without data, which is stored as the name of the variant.
pub(crate) fn unit_enum(model: &Model, variants: &[Variant]) -> TokenStream {
    let krate = model.krate();
    let ident = &model.ident;
    let (impl_generics, ty_generics, where_clause) = model.generics.split_for_impl();
    let encode = variants.iter().map(|variant| {
        let (variant, name) = (&variant.ident, &variant.name);
        quote!(Self::#variant => #name,)
    });
    let decode = variants.iter().map(|variant| {
        let (variant, name, aliases) = (&variant.ident, &variant.name, &variant.attrs.aliases);
        quote!(#name #(| #aliases)* => #krate::codegen::Ok(Self::#variant),)
    });
    let commands = commands::of_field(model, &quote!(#where_clause));
    let index = by_text(model, &quote!(#where_clause));
    let expected = format!(
        "{ident}, one of {}",
        variants.iter().map(|variant| format!("`{}`", variant.name)).collect::<Vec<_>>().join(", ")
    );
    quote! {
        #[automatically_derived]
        #[allow(unused_qualifications)]
        impl #impl_generics #krate::codegen::Field for #ident #ty_generics #where_clause {
            type Value = Self;

            fn encode(&self, text: &mut #krate::codegen::String) {
                text.push_str(match self { #(#encode)* });
            }

            fn decode(text: &#krate::codegen::str) -> ::core::result::Result<Self, #krate::codegen::Mismatch> {
                match text {
                    #(#decode)*
                    _ => #krate::codegen::Err(#krate::codegen::Mismatch::expected(#expected)),
                }
            }

            fn decode_value(text: &#krate::codegen::str) -> ::core::result::Result<Self, #krate::codegen::Mismatch> {
                <Self as #krate::codegen::Field>::decode(text)
            }
        }

        #commands

        #index
    }
}

/// Returns the implementations that put a type by its text into an index and into a sequence.
fn by_text(model: &Model, bounds: &TokenStream) -> TokenStream {
    let krate = model.krate();
    let items = quote! {
        const KIND: #krate::codegen::ColumnKind = #krate::codegen::ColumnKind::Text;

        fn push_index(
            &self,
            out: &mut #krate::codegen::String,
        ) -> ::core::result::Result<(), &'static #krate::codegen::str> {
            #krate::codegen::push_index_text(self, out)
        }
    };
    let value = commands::implement(model, &quote!(IndexValue), bounds, &items);
    let element = commands::implement(model, &quote!(Element), bounds, &TokenStream::new());
    quote!(#value #element)
}

/// Implements `Field` for a type with the attribute `text`, which is stored as its `Display` text. With the attribute `id`,
/// the type implements the id traits as well.
pub(crate) fn text(model: &Model) -> TokenStream {
    let ident = &model.ident;
    let krate = model.krate_at(ident.span());
    let (impl_generics, ty_generics, _) = model.generics.split_for_impl();
    let declared: Vec<_> = model.generics.where_clause.iter().flat_map(|clause| &clause.predicates).collect();
    let bound = (!model.generics.params.is_empty()).then(|| quote!(Self: #krate::codegen::TextField,));
    // The span of the type's name: an error about a missing `Display` or `FromStr` points at it.
    let text = quote_spanned!(ident.span()=> <#ident #ty_generics as #krate::codegen::TextField>);
    let bounds = quote!(where #(#declared,)* #bound);
    let commands = commands::of_field(model, &bounds);
    let index = by_text(model, &bounds);
    let id = model.attrs.id.map(|_| {
        let parameters: Vec<_> = model.generics.type_params().map(|parameter| &parameter.ident).collect();
        let sendable = quote!(#(#parameters: ::core::marker::Send + ::core::marker::Sync + 'static,)*);
        quote! {
            #[automatically_derived]
            #[allow(unused_qualifications)]
            impl #impl_generics #krate::codegen::Id for #ident #ty_generics where #(#declared,)* #bound #sendable {
                type Ref<'a> = &'a Self;

                fn as_ref(&self) -> &Self {
                    self
                }

                fn key_part<'a>(id: Self::Ref<'a>) -> #krate::codegen::Cow<'a, #krate::codegen::str> {
                    #krate::codegen::Cow::Owned(#text::to_text(id))
                }

                fn from_key_part(part: &#krate::codegen::str) -> #krate::codegen::Option<Self> {
                    #text::from_text(part).ok()
                }
            }

            #[automatically_derived]
            #[allow(unused_qualifications)]
            impl #impl_generics #krate::codegen::KeyPart for #ident #ty_generics where #(#declared,)* #bound #sendable {
                fn to_key_part(&self) -> #krate::codegen::Cow<'_, #krate::codegen::str> {
                    #krate::codegen::Cow::Owned(#text::to_text(self))
                }
            }
        }
    });
    quote! {
        #[automatically_derived]
        #[allow(unused_qualifications)]
        impl #impl_generics #krate::codegen::Field for #ident #ty_generics #bounds {
            type Value = Self;

            fn encode(&self, text: &mut #krate::codegen::String) {
                text.push_str(&#text::to_text(self));
            }

            fn decode(text: &#krate::codegen::str) -> ::core::result::Result<Self, #krate::codegen::Mismatch> {
                #text::decode(text)
            }

            fn decode_value(text: &#krate::codegen::str) -> ::core::result::Result<Self, #krate::codegen::Mismatch> {
                #text::decode(text)
            }
        }

        #commands

        #index

        #id
    }
}

/// Implements `Field` for a newtype, which is stored like its inner type. With the attribute `id`, the newtype
/// implements the id traits as well.
pub(crate) fn newtype(model: &Model, inner: &Type) -> TokenStream {
    let krate = model.krate_at(inner.span());
    let ident = &model.ident;
    let (impl_generics, ty_generics, _) = model.generics.split_for_impl();
    let declared = model.generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    let field_bound = (!model.generics.params.is_empty()).then(|| quote!(#inner: #krate::codegen::Field,));
    let field = quote_spanned!(inner.span()=> <#inner as #krate::codegen::Field>);
    let bounds = quote!(where #(#declared,)* #field_bound);
    let commands = commands::of_field(model, &bounds);
    let index = newtype_index(model, inner, &bounds);
    let id = model.attrs.id.map(|_| newtype_id(model, inner));
    quote! {
        #[automatically_derived]
        #[allow(unused_qualifications)]
        impl #impl_generics #krate::codegen::Field for #ident #ty_generics #bounds {
            type Value = Self;

            const KIND: #krate::codegen::Kind = #field::KIND;

            fn encode(&self, text: &mut #krate::codegen::String) {
                #field::encode(&self.0, text);
            }

            fn decode(text: &#krate::codegen::str) -> ::core::result::Result<Self, #krate::codegen::Mismatch> {
                #field::decode(text).map(Self)
            }

            fn decode_value(text: &#krate::codegen::str) -> ::core::result::Result<Self, #krate::codegen::Mismatch> {
                #field::decode(text).map(Self)
            }

            fn is_absent(&self) -> #krate::codegen::bool {
                #field::is_absent(&self.0)
            }

            fn absent() -> #krate::codegen::Option<Self> {
                #field::absent().map(Self)
            }
        }

        #commands

        #index

        #id
    }
}

/// Returns the implementations that put a newtype into an index, if the inner type can be in one, and into a sequence.
fn newtype_index(model: &Model, inner: &Type, bounds: &TokenStream) -> TokenStream {
    let krate = model.krate_at(inner.span());
    let ident = &model.ident;
    let (impl_generics, ty_generics, _) = model.generics.split_for_impl();
    let declared = model.generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    let index_value = quote_spanned!(inner.span()=> <#inner as #krate::codegen::IndexValue>);
    let index_bound = quote_spanned!(inner.span()=> #inner: #krate::codegen::IndexValue);
    // As for the id: with `for<'always>`, the newtype of another type merely does not implement the trait.
    quote! {
        #[automatically_derived]
        #[allow(unused_qualifications)]
        impl #impl_generics #krate::codegen::IndexValue for #ident #ty_generics
        where
            #(#declared,)*
            for<'always> #index_bound,
        {
            const KIND: #krate::codegen::ColumnKind = #index_value::KIND;

            fn push_index(
                &self,
                out: &mut #krate::codegen::String,
            ) -> ::core::result::Result<(), &'static #krate::codegen::str> {
                #index_value::push_index(&self.0, out)
            }
        }

        #[automatically_derived]
        #[allow(unused_qualifications)]
        impl #impl_generics #krate::codegen::Element for #ident #ty_generics #bounds {}
    }
}

fn newtype_id(model: &Model, inner: &Type) -> TokenStream {
    let krate = model.krate_at(inner.span());
    let ident = &model.ident;
    let (impl_generics, ty_generics, _) = model.generics.split_for_impl();
    let declared: Vec<_> = model.generics.where_clause.iter().flat_map(|clause| &clause.predicates).collect();
    let parameters: Vec<_> = model.generics.type_params().map(|parameter| &parameter.ident).collect();
    let id_bound = (!parameters.is_empty()).then(
        || quote!(#inner: #krate::codegen::Id, #(#parameters: ::core::marker::Send + ::core::marker::Sync + 'static,)*),
    );
    let id = quote_spanned!(inner.span()=> <#inner as #krate::codegen::Id>);
    let (integer_id, generate_id) = (
        quote_spanned!(inner.span()=> <#inner as #krate::codegen::IntegerId>),
        quote_spanned!(inner.span()=> <#inner as #krate::codegen::GenerateId>),
    );
    let (integer_bound, generate_bound) = (
        quote_spanned!(inner.span()=> #inner: #krate::codegen::IntegerId),
        quote_spanned!(inner.span()=> #inner: #krate::codegen::GenerateId),
    );
    // Without `for<'always>`, a bound on a concrete type that does not hold would be an error. With it, the newtype merely
    // does not implement the trait.
    quote! {
        #[automatically_derived]
        #[allow(unused_qualifications)]
        impl #impl_generics #krate::codegen::Id for #ident #ty_generics where #(#declared,)* #id_bound {
            type Ref<'a> = &'a Self;

            fn as_ref(&self) -> &Self {
                self
            }

            fn key_part<'a>(id: Self::Ref<'a>) -> #krate::codegen::Cow<'a, #krate::codegen::str> {
                #id::key_part(#id::as_ref(&id.0))
            }

            fn from_key_part(part: &#krate::codegen::str) -> #krate::codegen::Option<Self> {
                #id::from_key_part(part).map(Self)
            }
        }

        #[automatically_derived]
        #[allow(unused_qualifications)]
        impl #impl_generics #krate::codegen::KeyPart for #ident #ty_generics where #(#declared,)* #id_bound {
            fn to_key_part(&self) -> #krate::codegen::Cow<'_, #krate::codegen::str> {
                #id::key_part(#id::as_ref(&self.0))
            }
        }

        #[automatically_derived]
        #[allow(unused_qualifications)]
        impl #impl_generics #krate::codegen::IntegerId for #ident #ty_generics
        where
            #(#declared,)*
            #id_bound
            for<'always> #integer_bound,
        {
            fn from_count(count: ::core::primitive::i64) -> #krate::codegen::Option<Self> {
                #integer_id::from_count(count).map(Self)
            }
        }

        #[automatically_derived]
        #[allow(unused_qualifications)]
        impl #impl_generics #krate::codegen::GenerateId for #ident #ty_generics
        where
            #(#declared,)*
            #id_bound
            for<'always> #generate_bound,
        {
            fn generate() -> Self {
                Self(#generate_id::generate())
            }
        }
    }
}
