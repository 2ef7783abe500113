//! One call of the script.

use std::sync::LazyLock;

use redis_rest::{Script, ScriptCall};

use super::answer::Position;
use super::condition::{Bounds, Condition};
use super::plan::{Candidate, Plan};
use crate::index::Layout;
use crate::key::SEPARATOR;
use crate::scripts::{lua, script};

const CODE: &[&str] = &[lua::ROWS, lua::QUERY];

/// All keys are declared.
static SCRIPT: LazyLock<Script> = LazyLock::new(|| script(CODE).read_only().key_locking());

/// Returns records, whose keys cannot be declared: only the index knows them.
static SCRIPT_OF_RECORDS: LazyLock<Script> = LazyLock::new(|| script(CODE).read_only());

/// How many entries one call looks at, about: 10 to 30 ms of the server's time.
const BUDGET: usize = 10_000;

/// What a call returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// The ids of records that are there by their rows.
    Ids,
    /// Ids for a caller who loads the records, and finds out whether they are there.
    IdsToLoad,
    Records,
    Count,
    /// How many entries each index has in its ranges.
    Estimates,
}

/// A call of the script.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) layout: &'static Layout,
    pub(crate) conditions: &'a [Condition],
    pub(crate) plan: &'a Plan,
    pub(crate) found: Found,
    pub(crate) limit: usize,
    /// Where to go on. The index is then the one of the calls before, whatever the estimates are now.
    pub(crate) position: Option<&'a Position>,
}

impl Call<'_> {
    /// Returns the call as the script reads it.
    pub(crate) fn to_script(self) -> ScriptCall {
        let Call { layout, conditions, plan, found, limit, position } = self;
        let script = if found == Found::Records { &SCRIPT_OF_RECORDS } else { &SCRIPT };
        let candidates = match position {
            Some(position) => plan.candidates.get(position.candidate..=position.candidate).unwrap_or_default(),
            None => &plan.candidates,
        };
        let all = 0..layout.partitions.max(1);
        let mut call = ScriptCall::from(&**script)
            .keys(all.clone().map(|partition| layout.rows_key(partition)))
            .keys(all.map(|partition| layout.expiry_key(partition)))
            .arg(layout.tag())
            .arg(found.mode())
            .arg(if plan.descending { "reverse" } else { "forward" })
            .arg(limit)
            .arg(BUDGET)
            .arg(layout.partitions.max(1))
            .arg(if matches!(found, Found::Ids | Found::Count) { "rows" } else { "" })
            .arg(position.map_or(0, |position| position.range))
            .arg(position.map_or("", |position| &position.member))
            .arg(format!("{}{SEPARATOR}", layout.prefix))
            .arg(conditions.len());
        for condition in conditions {
            call = push_ranges(call.arg(condition.column + 1), &condition.ranges);
        }
        call = call.arg(candidates.len());
        let call = candidates.iter().fold(call, |call, candidate| push_candidate(call, layout, candidate));
        let is_other = |(at, _): &(usize, _)| candidates.iter().all(|candidate| candidate.index != *at);
        let others = layout.indexes.iter().enumerate().filter(is_other);
        call.keys(others.map(|(_, index)| layout.index_key(index, 0)).collect::<Vec<_>>())
    }
}

impl Found {
    /// Names it in the script.
    fn mode(self) -> &'static str {
        match self {
            Found::Ids | Found::IdsToLoad => "ids",
            Found::Records => "records",
            Found::Count => "count",
            Found::Estimates => "explain",
        }
    }
}

fn push_candidate(call: ScriptCall, layout: &Layout, candidate: &Candidate) -> ScriptCall {
    let Some(index) = layout.indexes.get(candidate.index) else { return call };
    let is_many = |column: &&usize| layout.columns.get(**column).is_some_and(|column| column.many);
    // A compound index takes one value of each field.
    let many_column = index.columns.iter().find(is_many);
    let call = call
        .arg(if index.unique { "unique" } else { "" })
        .keys(candidate.partitions.iter().map(|partition| layout.index_key(index, *partition)))
        .arg(candidate.partitions.len())
        .arg(index.columns.len())
        .arg(many_column.map_or(0, |column| column + 1))
        .arg(candidate.tested.len())
        .args(candidate.tested.iter().map(|position| position + 1));
    push_ranges(call, &candidate.ranges)
}

fn push_ranges(call: ScriptCall, ranges: &[Bounds]) -> ScriptCall {
    let edges = ranges.iter().flat_map(|range| [range.lower.to_argument(), range.upper.to_argument()]);
    call.arg(ranges.len()).args(edges)
}
