//! The names of the fields that upgrades have removed, so that a record that is saved does not keep them.
//!
//! A model that keeps unknown fields would take such a field for one of them when the record is loaded again: it has the
//! current schema version then, and no upgrade runs.

use std::any::TypeId;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{LazyLock, PoisonError, RwLock};

use super::stored::StoredFields;
use super::unknown::{UnknownFields, is_known};
use crate::model::{Names, Sink};

/// How many names are remembered for a model, and how long each may be: they stay in memory.
const MOST: usize = 1000;
const LONGEST: usize = 256;

/// The names, by model. A static in a generic function could not be one for each model.
static REMOVED: LazyLock<RwLock<HashMap<TypeId, BTreeSet<&'static str>>>> = LazyLock::new(RwLock::default);

/// Remembers what an upgrade has removed from a record of the model `M`.
pub fn remember_removed<M: 'static>(names: Names, upgraded: Option<&StoredFields>) {
    let Some(fields) = upgraded else { return };
    let is_new =
        |name: &&str| name.len() <= LONGEST && !is_known(names, name) && !known::<M, _>(|known| known.contains(*name));
    let new: Vec<_> = fields.removed().filter(is_new).collect();
    if new.is_empty() {
        return;
    }
    let mut removed = REMOVED.write().unwrap_or_else(PoisonError::into_inner);
    let known = removed.entry(TypeId::of::<M>()).or_default();
    for name in new {
        if known.len() < MOST && !known.contains(name) {
            // There are few of them in a program, so nothing is leaked but what statics would hold.
            known.insert(Box::leak(name.into()));
        }
    }
}

/// Removes what upgrades have removed from other records of the model `M`, unless the record has such a field itself.
pub(super) fn clear_removed<M: 'static>(sink: &mut impl Sink, unknown: &impl UnknownFields) {
    let names: Vec<_> = known::<M, _>(|known| known.iter().copied().collect());
    if names.is_empty() {
        return;
    }
    let own: HashSet<_> = unknown.entries().map(|(name, _)| name).collect();
    for name in names.into_iter().filter(|name| !own.contains(name)) {
        sink.clear(name);
    }
}

fn known<M: 'static, T: Default>(look: impl FnOnce(&BTreeSet<&'static str>) -> T) -> T {
    let removed = REMOVED.read().unwrap_or_else(PoisonError::into_inner);
    removed.get(&TypeId::of::<M>()).map(look).unwrap_or_default()
}
