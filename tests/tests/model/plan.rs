//! What a write would do to the model, and why it would be refused.

use crate::op::{Change, Mend, Mode, Op, Span, What};
use crate::schema::{Fields, IndexOf, Table, Val, claims, field, same};
use crate::state::{Slot, State};

/// What a batch of operations would do, if it is done.
#[derive(Default)]
pub(crate) struct Plan {
    /// The operation, and why it is refused.
    pub(crate) refusals: Vec<(usize, &'static str)>,
    /// Too close to an expiry to tell.
    pub(crate) unsure: bool,
    pub(crate) records: Vec<Option<Fields>>,
    pub(crate) rows: Vec<Option<Fields>>,
}

impl State {
    pub(crate) fn plan(&mut self, mends: &[Mend], ops: &[&Op], now: Span) -> Plan {
        let mut plan = Plan::default();
        for (number, op) in ops.iter().enumerate() {
            let slot = self.slots.get(&(op.table, op.id.clone())).cloned().unwrap_or_default();
            let (record, row) = plan_one(op, &slot, now, number, &mut plan);
            plan.records.push(record);
            plan.rows.push(row.filter(|_| op.table.has_rows()));
        }
        for mend in mends {
            if let Mend::Index(table, id) = mend {
                match self.get(*table, id).map_or(Some(false), |slot| slot.is_alive(now)) {
                    Some(true) => {}
                    Some(false) => plan.refusals.push((0, "missing")),
                    None => plan.unsure = true,
                }
            }
        }
        self.plan_unique(mends, ops, now, &mut plan);
        plan
    }

    /// The rows that a write would leave behind, beside those of records that it does not touch.
    pub(crate) fn new_rows<'a>(
        &'a self,
        mends: &'a [Mend],
        ops: &'a [&Op],
        plan: &'a Plan,
    ) -> Vec<(Table, &'a str, usize, &'a Fields)> {
        let mut rows: Vec<_> = Vec::new();
        for (number, (op, row)) in ops.iter().zip(&plan.rows).enumerate() {
            if let Some(row) = row {
                rows.push((op.table, op.id.as_str(), number, row));
            }
        }
        for mend in mends {
            if let Mend::Index(table, id) = mend
                && let Some(record) = self.get(*table, id).and_then(|slot| slot.record.as_ref())
            {
                rows.push((*table, id.as_str(), 0, record));
            }
        }
        rows
    }

    fn plan_unique(&self, mends: &[Mend], ops: &[&Op], now: Span, plan: &mut Plan) {
        let mut refusals = Vec::new();
        let mut unsure = false;
        let rows = self.new_rows(mends, ops, plan);
        for &(table, id, number, row) in &rows {
            for (columns, _) in unique(table) {
                for claim in claims(row, columns) {
                    let is_other = |other: &&(Table, &str, usize, &Fields)| other.0 == table && other.1 != id;
                    if rows.iter().filter(is_other).any(|other| has_claim(other.3, columns, &claim)) {
                        refusals.push((number, "duplicate"));
                    }
                    let own = self.get(table, id).and_then(|slot| slot.row.as_ref());
                    if own.is_some_and(|own| has_claim(own, columns, &claim)) {
                        continue;
                    }
                    for slot in self.others(table, mends, ops) {
                        if slot.row.as_ref().is_some_and(|row| has_claim(row, columns, &claim)) {
                            match slot.is_held(now) {
                                Some(true) => refusals.push((number, "duplicate")),
                                // The mark may be in another partition, and then the client asks about the owner.
                                Some(false) => unsure |= table == Table::Accounts,
                                None => unsure = true,
                            }
                        }
                    }
                    // One that is asked about keeps its values if it lives.
                    for mend in mends {
                        if let Mend::Purge(of, owner) = mend
                            && *of == table
                            && let Some(slot) = self.get(table, owner)
                            && slot.row.as_ref().is_some_and(|row| has_claim(row, columns, &claim))
                        {
                            match slot.is_alive(now) {
                                Some(true) => refusals.push((number, "duplicate")),
                                Some(false) => {}
                                None => unsure = true,
                            }
                        }
                    }
                }
            }
        }
        plan.refusals.extend(refusals);
        plan.unsure |= unsure;
    }

    /// The slots of a table that a write does not touch.
    fn others<'a>(&'a self, table: Table, mends: &'a [Mend], ops: &'a [&Op]) -> impl Iterator<Item = &'a Slot> {
        let is_touched = move |id: &str| {
            ops.iter().any(|op| op.table == table && op.id == id)
                || mends.iter().any(|mend| {
                    let (Mend::Index(of, mended) | Mend::Purge(of, mended)) = mend;
                    *of == table && mended == id
                })
        };
        let all = self.slots.iter().filter(move |((of, id), _)| *of == table && !is_touched(id));
        all.map(|(_, slot)| slot)
    }
}

/// Returns the record and the row that the operation would leave behind.
fn plan_one(op: &Op, slot: &Slot, now: Span, number: usize, plan: &mut Plan) -> (Option<Fields>, Option<Fields>) {
    let alive = slot.is_alive(now);
    plan.unsure |= alive.is_none();
    let is_alive = alive != Some(false);
    let stored = slot.record.as_ref().filter(|_| is_alive);
    let version_of = |record: Option<&Fields>| record.map_or(0, |record| field(record, "version").to_int());
    match &op.what {
        What::Delete => (None, None),
        What::Put { mode, fields, version } => {
            match mode {
                Mode::Insert if is_alive => plan.refusals.push((number, "exists")),
                Mode::Update if !is_alive => plan.refusals.push((number, "absent")),
                _ => {}
            }
            let mut fields = fields.clone();
            if let Some(version) = version {
                if *mode != Mode::Insert && version_of(stored) != *version {
                    plan.refusals.push((number, "stale"));
                }
                fields.insert("version", Val::Int(version + 1));
            }
            (Some(fields.clone()), Some(fields))
        }
        What::Expire { .. } | What::Patch(_) => {
            let Some(record) = stored else {
                if !matches!(op.what, What::Expire { must_exist: false }) {
                    plan.refusals.push((number, "missing"));
                }
                return (None, None);
            };
            if op.table.has_rows() {
                match slot.is_held(now) {
                    Some(true) => {}
                    // It may have been swept, or not yet.
                    Some(false) if slot.row.is_some() => plan.unsure = true,
                    Some(false) => plan.refusals.push((number, "norow")),
                    None => plan.unsure = true,
                }
            }
            let What::Patch(patch) = &op.what else { return (Some(record.clone()), slot.row.clone()) };
            let mut changed = record.clone();
            let mut row = slot.row.clone().unwrap_or_else(|| record.clone());
            if patch.version.is_some_and(|version| version != version_of(Some(record))) {
                plan.refusals.push((number, "stale"));
            }
            if patch.conditions.iter().any(|(name, value)| field(record, name).stored() != value.stored()) {
                plan.refusals.push((number, "condition"));
            }
            for (name, change) in &patch.changes {
                match changed_value(field(record, name), change, name, op.table.is_indexed(name)) {
                    Ok(value) => {
                        if !matches!((change, field(record, name)), (Change::SetIfAbsent(_), old) if *old != Val::Absent)
                        {
                            row.insert(name, value.clone());
                        }
                        changed.insert(name, value);
                    }
                    Err(why) => plan.refusals.push((number, why)),
                }
            }
            if op.table == Table::Accounts {
                changed.insert("version", Val::Int(version_of(Some(record)) + 1));
            }
            (Some(changed), Some(row))
        }
    }
}

fn changed_value(old: &Val, change: &Change, name: &str, is_indexed: bool) -> Result<Val, &'static str> {
    Ok(match change {
        Change::Set(value) => value.clone(),
        Change::SetIfAbsent(value) => {
            if *old == Val::Absent {
                value.clone()
            } else {
                old.clone()
            }
        }
        Change::Clear => Val::Absent,
        Change::Incr(by) => {
            let sum = old.to_int().checked_add(*by).ok_or("range")?;
            if name == "age" && !(0..=255).contains(&sum) {
                return Err("range");
            }
            Val::Int(sum)
        }
        Change::IncrFloat(by) => {
            let old = if let Val::Float(old) = old { *old } else { 0.0 };
            if !(old + by).is_finite() {
                return Err("range");
            }
            Val::Float(old + by)
        }
        Change::Append(text) => {
            let whole = old.to_text() + text;
            if is_indexed && whole.len() > 1024 {
                return Err("long");
            }
            Val::Text(whole)
        }
    })
}

pub(crate) fn unique(table: Table) -> impl Iterator<Item = &'static IndexOf> {
    table.indexes().iter().filter(|(_, is_unique)| *is_unique)
}

pub(crate) fn has_claim(fields: &Fields, columns: &[&str], claim: &[Val]) -> bool {
    claims(fields, columns).iter().any(|own| same(own, claim))
}
