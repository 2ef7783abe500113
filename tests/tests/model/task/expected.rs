//! What a query must answer.

use std::collections::BTreeSet;

use redis_model::{Error, ErrorKind};

use crate::generate::Search;
use crate::op::Span;
use crate::schema::{Fields, Record, Table, User, Val, field};
use crate::state::State;

/// A record of an answer, or its id alone.
#[derive(Debug, Clone)]
pub(super) enum Found {
    Id(String),
    Record(String, Fields),
}

impl Found {
    pub(super) fn of(user: User) -> Self {
        let fields = user.to_fields();
        Found::Record(user.id, fields)
    }

    pub(super) fn id(&self) -> &str {
        match self {
            Found::Id(id) | Found::Record(id, _) => id,
        }
    }

    pub(super) fn is(&self, record: Option<&Fields>) -> bool {
        match self {
            Found::Id(_) => true,
            Found::Record(_, fields) => same_fields(Some(fields), record),
        }
    }
}

/// What a query must answer.
pub(super) struct Expected {
    /// In order, if there is one.
    pub(super) sure: Vec<(Val, String)>,
    /// Those that expire about now.
    pub(super) unsure: BTreeSet<String>,
}

impl Expected {
    pub(super) fn of(search: &Search, state: &mut State, now: Span, loads: bool) -> Self {
        state.settle(now);
        let mut expected = Expected { sure: Vec::new(), unsure: BTreeSet::new() };
        for ((table, id), slot) in &state.slots {
            let Some(row) = slot.row.as_ref().filter(|_| *table == Table::Users) else { continue };
            let matches = |fields: &Fields| search.matches(fields);
            let held = slot.is_held(now);
            let alive = if loads { slot.is_alive(now) } else { Some(true) };
            if held == Some(false) || alive == Some(false) || !matches(row) {
                continue;
            }
            if loads && !slot.record.as_ref().is_some_and(matches) {
                continue;
            }
            if held.is_none() || alive.is_none() {
                expected.unsure.insert(id.clone());
                continue;
            }
            let key = search.order.map_or(Val::Absent, |(name, _)| field(row, name).clone());
            expected.sure.push((key, id.clone()));
        }
        expected.sure.sort_by(|one, two| one.0.order(&two.0).then_with(|| one.1.cmp(&two.1)));
        if search.order.is_some_and(|(_, is_descending)| is_descending) {
            expected.sure.reverse();
        }
        expected
    }

    pub(super) fn compare(
        &self,
        search: &Search,
        items: &[Found],
        is_all: bool,
        limit: Option<usize>,
        state: &mut State,
    ) {
        let slot = |id: &str| state.get(Table::Users, id).cloned();
        let ids: Vec<&str> = items.iter().map(Found::id).collect();
        let distinct: BTreeSet<&str> = ids.iter().copied().collect();
        let sure: Vec<&str> = self.sure.iter().map(|(_, id)| id.as_str()).collect();
        let differing: Vec<_> = sure
            .iter()
            .filter(|id| !distinct.contains(*id))
            .chain(distinct.iter().filter(|id| !sure.contains(id) && !self.unsure.contains(**id)))
            .map(|id| (*id, slot(id)))
            .collect();
        let says = |what: &str| format!("{what}: {search:?} answers {ids:?}, expected {sure:?}, {differing:?}");
        let mut problem = None;
        if distinct.len() != ids.len() {
            problem = Some(says("a record twice"));
        }
        if let Some(wrong) =
            items.iter().find(|found| !found.is(slot(found.id()).as_ref().and_then(|slot| slot.record.as_ref())))
        {
            problem = Some(format!("{search:?}: {wrong:?} differs, {:?}", slot(wrong.id())));
        }
        if !ids.iter().all(|id| sure.contains(id) || self.unsure.contains(*id)) {
            problem = Some(says("a record that does not match"));
        }
        let certain: Vec<&str> = ids.iter().copied().filter(|id| !self.unsure.contains(*id)).collect();
        if search.order.is_some() && !sure.starts_with(&certain) {
            problem = Some(says("another order"));
        }
        if is_all && certain.len() != sure.len() {
            problem = Some(says("a record is missing"));
        }
        let full = limit.unwrap_or(usize::MAX);
        if ids.len() > full || ids.len() < full.min(sure.len()) {
            problem = Some(says("another number of records"));
        }
        if let Some(problem) = problem {
            state.problem(problem);
        }
    }
}

/// Queries are refused while the indexes are built.
pub(super) fn is_building(error: &Error, state: &State) -> bool {
    error.kind() == ErrorKind::Index && state.reindexed.0 > state.reindexed.1 && error.message().contains("reindex")
}

pub(super) fn same_fields(one: Option<&Fields>, two: Option<&Fields>) -> bool {
    match (one, two) {
        (Some(one), Some(two)) => one.iter().all(|(name, value)| field(two, name) == value) && one.len() == two.len(),
        (None, None) => true,
        _ => false,
    }
}
