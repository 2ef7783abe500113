//! The variables of the generated code.

use proc_macro2::{Ident, Span};

/// A variable of the generated code, for use in tokens that have the span of the user's type. If a macro of the user wrote
/// the type, a variable with that span would be another one.
pub(crate) fn variable(name: &str) -> Ident {
    Ident::new(name, Span::call_site())
}
