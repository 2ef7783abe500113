//! The fields that a patch returns.

use redis_rest::Result;

use super::field_ref::FieldRef;
use crate::field_codec::FieldCodec;
use crate::write::{Outcome, Returned};

/// Fields of the model `M` that [`Patch::returning`](crate::Patch::returning) takes: one, or a tuple of up to eight.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a field of `{M}`, nor a tuple of its fields",
    label = "not fields of `{M}`",
    note = "write `returning(User::VISITS)`, or `returning((User::VISITS, User::AGE))` for several"
)]
pub trait ReturnedFields<M> {
    /// What the fields hold: an `Option` for each.
    type Values: 'static;

    #[doc(hidden)]
    fn names(&self) -> Vec<Returned>;

    #[doc(hidden)]
    fn decode(outcome: &Outcome, names: &[Returned]) -> Result<Self::Values>;
}

/// No field.
impl<M> ReturnedFields<M> for () {
    type Values = ();

    fn names(&self) -> Vec<Returned> {
        Vec::new()
    }

    fn decode(_: &Outcome, _: &[Returned]) -> Result<()> {
        Ok(())
    }
}

impl<M, T, C: FieldCodec<T, Value: 'static>, I> ReturnedFields<M> for FieldRef<M, T, C, I> {
    type Values = Option<C::Value>;

    fn names(&self) -> Vec<Returned> {
        vec![returned(*self)]
    }

    fn decode(outcome: &Outcome, names: &[Returned]) -> Result<Self::Values> {
        value::<T, C>(outcome, names, 0)
    }
}

fn returned<M, T, C, I>(field: FieldRef<M, T, C, I>) -> Returned {
    Returned { field: field.name(), aliases: field.aliases() }
}

/// Returns the field at this position.
fn value<T, C: FieldCodec<T>>(outcome: &Outcome, names: &[Returned], at: usize) -> Result<Option<C::Value>> {
    let Some((_, Some(text))) = outcome.fields.get(at) else { return Ok(None) };
    C::get_value(text).map(Some).map_err(|error| error.with_field(names.get(at).map_or("", |returned| returned.field)))
}

macro_rules! tuples {
    ($(($($T:ident $C:ident $I:ident $at:tt),+))*) => {$(
        impl<M, $($T, $C: FieldCodec<$T, Value: 'static>, $I),+> ReturnedFields<M> for ($(FieldRef<M, $T, $C, $I>,)+) {
            type Values = ($(Option<$C::Value>,)+);

            fn names(&self) -> Vec<Returned> {
                vec![$(returned(self.$at)),+]
            }

            fn decode(outcome: &Outcome, names: &[Returned]) -> Result<Self::Values> {
                Ok(($(value::<$T, $C>(outcome, names, $at)?,)+))
            }
        }
    )*};
}

tuples! {
    (T0 C0 I0 0)
    (T0 C0 I0 0, T1 C1 I1 1)
    (T0 C0 I0 0, T1 C1 I1 1, T2 C2 I2 2)
    (T0 C0 I0 0, T1 C1 I1 1, T2 C2 I2 2, T3 C3 I3 3)
    (T0 C0 I0 0, T1 C1 I1 1, T2 C2 I2 2, T3 C3 I3 3, T4 C4 I4 4)
    (T0 C0 I0 0, T1 C1 I1 1, T2 C2 I2 2, T3 C3 I3 3, T4 C4 I4 4, T5 C5 I5 5)
    (T0 C0 I0 0, T1 C1 I1 1, T2 C2 I2 2, T3 C3 I3 3, T4 C4 I4 4, T5 C5 I5 5, T6 C6 I6 6)
    (T0 C0 I0 0, T1 C1 I1 1, T2 C2 I2 2, T3 C3 I3 3, T4 C4 I4 4, T5 C5 I5 5, T6 C6 I6 6, T7 C7 I7 7)
}
