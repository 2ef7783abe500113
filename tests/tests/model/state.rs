//! The in-memory model: what the server should hold, and which outcomes of a write agree with it.

use std::collections::{BTreeMap, VecDeque};

use crate::op::{Did, Life, Mend, Op, Span, Verdict, What};
use crate::plan::{Plan, has_claim, unique};
use crate::schema::{Fields, Table, Val, claims, field, same};

/// How much of what was done to a record a message tells.
const HISTORY: usize = 8;

/// What the model knows about one id.
#[derive(Debug, Clone, Default)]
pub(crate) struct Slot {
    pub(crate) record: Option<Fields>,
    pub(crate) expires: Option<Span>,
    /// The fields as the indexes have them.
    pub(crate) row: Option<Fields>,
    /// The expiry mark.
    pub(crate) mark: Option<Span>,
    /// Changes with every write.
    pub(crate) sequence: u64,
    /// What was done last, and when, for messages.
    history: VecDeque<(i64, String)>,
}

impl Slot {
    pub(crate) fn remember(&mut self, now: Span, what: impl Into<String>) {
        if self.history.len() == HISTORY {
            self.history.pop_front();
        }
        self.history.push_back((now.from, what.into()));
    }

    pub(crate) fn is_alive(&self, now: Span) -> Option<bool> {
        match (&self.record, self.expires) {
            (None, _) => Some(false),
            (Some(_), None) => Some(true),
            (Some(_), Some(expires)) => expires.is_over(now).map(|over| !over),
        }
    }

    /// Whether the indexes count the record.
    pub(crate) fn is_held(&self, now: Span) -> Option<bool> {
        match (&self.row, self.mark) {
            (None, _) => Some(false),
            (Some(_), None) => Some(true),
            (Some(_), Some(mark)) => mark.is_over(now).map(|over| !over),
        }
    }

    /// Whether `verify` must report the record; `None` if it may.
    pub(crate) fn has_drifted(&self, table: Table, now: Span) -> Option<bool> {
        let (alive, held) = (self.is_alive(now)?, self.is_held(now)?);
        let (Some(record), Some(row)) = (&self.record, &self.row) else {
            return Some(alive || held);
        };
        if !held {
            // Its row has been swept, or will be.
            return if alive { None } else { Some(false) };
        }
        let is_other = |name: &&str| {
            let (one, two) = (distinct(field(record, name)), distinct(field(row, name)));
            !same(&one, &two)
        };
        let differs = table.indexes().iter().flat_map(|(columns, _)| *columns).any(is_other);
        Some(!alive || differs || self.mark != self.expires)
    }
}

/// The elements of a value, in an order, each of them once.
pub(crate) fn distinct(value: &Val) -> Vec<Val> {
    let mut values = value.elements();
    values.sort_by(Val::order);
    values.dedup_by(|one, two| one.is(two));
    values
}

#[derive(Debug, Default)]
pub(crate) struct State {
    /// How many runs of `reindex` have begun, and how many have ended.
    pub(crate) reindexed: (u64, u64),
    pub(crate) slots: BTreeMap<(Table, String), Slot>,
    sequence: u64,
    pub(crate) problems: Vec<String>,
    pub(crate) counts: BTreeMap<String, u64>,
}

impl State {
    pub(crate) fn slot(&mut self, table: Table, id: &str) -> &mut Slot {
        self.slots.entry((table, id.to_owned())).or_default()
    }

    pub(crate) fn get(&self, table: Table, id: &str) -> Option<&Slot> {
        self.slots.get(&(table, id.to_owned()))
    }

    pub(crate) fn problem(&mut self, text: String) {
        if self.problems.len() < 20 {
            self.problems.push(text);
        }
    }

    pub(crate) fn count(&mut self, what: impl Into<String>) {
        *self.counts.entry(what.into()).or_default() += 1;
    }

    /// Marks a slot as written.
    pub(crate) fn touch(&mut self, table: Table, id: &str) {
        self.sequence += 1;
        let sequence = self.sequence;
        self.slot(table, id).sequence = sequence;
    }

    /// Removes the records that have expired.
    pub(crate) fn settle(&mut self, now: Span) {
        for slot in self.slots.values_mut() {
            if slot.expires.is_some_and(|expires| expires.is_over(now) == Some(true)) {
                (slot.record, slot.expires) = (None, None);
            }
        }
    }

    /// Compares the outcome of a write with the model, and changes the model as the write did.
    pub(crate) fn write(&mut self, mends: &[Mend], ops: &[&Op], verdict: &Verdict, now: Span) -> Vec<Did> {
        for op in ops {
            self.settle_one(op.table, &op.id, now);
        }
        for mend in mends {
            let (Mend::Index(table, id) | Mend::Purge(table, id)) = mend;
            self.settle_one(*table, id, now);
        }
        let plan = self.plan(mends, ops, now);
        let says = |state: &State| {
            let slots: Vec<_> = ops.iter().map(|op| (&op.id, state.get(op.table, &op.id))).collect();
            format!("ops {ops:?} mends {mends:?} now {now:?} slots {slots:?}")
        };
        match verdict {
            Verdict::Refused { why, details } => {
                self.count(format!("refused {why}"));
                if why == "lost" || why == "layout" {
                    self.problem(format!("refused as {why} {details:?}"));
                } else if why == "changed" && mends.iter().any(|mend| matches!(mend, Mend::Index(..))) {
                    // Another task has written since the record was loaded.
                } else if !plan.unsure && !plan.refusals.iter().any(|(_, expected)| expected == why) {
                    let text = format!("refused as {why} {details:?}, model: {:?}, {}", plan.refusals, says(self));
                    self.problem(text);
                }
                Vec::new()
            }
            Verdict::Ok(happened) => {
                self.count("done");
                if !plan.refusals.is_empty() && !plan.unsure {
                    let text = format!("done, but the model refuses: {:?}, {}", plan.refusals, says(self));
                    self.problem(text);
                }
                // Mends come first.
                self.apply(mends, ops, plan, happened, now)
            }
        }
    }

    fn settle_one(&mut self, table: Table, id: &str, now: Span) {
        let slot = self.slot(table, id);
        if slot.expires.is_some_and(|expires| expires.is_over(now) == Some(true)) {
            (slot.record, slot.expires) = (None, None);
        }
    }

    fn apply(&mut self, mends: &[Mend], ops: &[&Op], plan: Plan, happened: &[bool], now: Span) -> Vec<Did> {
        // Values whose owners have expired are taken over, and these lose all that they have in the indexes.
        let mut losers = Vec::new();
        for (table, id, _, row) in self.new_rows(mends, ops, &plan) {
            for (columns, _) in unique(table) {
                for claim in claims(row, columns) {
                    let own = self.get(table, id).and_then(|slot| slot.row.as_ref());
                    if own.is_some_and(|own| has_claim(own, columns, &claim)) {
                        continue;
                    }
                    let taken = self.slots.iter().filter(|((of, other), slot)| {
                        let is_own = ops.iter().any(|op| op.table == *of && op.id == *other);
                        let has = slot.row.as_ref().is_some_and(|row| has_claim(row, columns, &claim));
                        *of == table && other != id && !is_own && has
                    });
                    losers.extend(taken.map(|((_, other), _)| (table, other.clone())));
                }
            }
        }
        for (table, id) in losers {
            let slot = self.slot(table, &id);
            (slot.row, slot.mark) = (None, None);
            self.touch(table, &id);
        }
        for (number, mend) in mends.iter().enumerate() {
            match mend {
                Mend::Index(table, id) => {
                    let slot = self.slot(*table, id);
                    (slot.row, slot.mark) = (slot.record.clone(), slot.expires);
                    self.touch(*table, id);
                }
                Mend::Purge(table, id) => {
                    let slot = self.slot(*table, id);
                    // Near the edge of an expiry, the server knows.
                    let is_gone =
                        slot.is_alive(now).map_or_else(|| happened.get(number) == Some(&true), |alive| !alive);
                    if is_gone {
                        (slot.row, slot.mark) = (None, None);
                    }
                    self.touch(*table, id);
                }
            }
        }
        let mut done = Vec::new();
        for (((op, record), row), happened) in
            ops.iter().zip(plan.records).zip(plan.rows).zip(happened.iter().skip(mends.len()))
        {
            done.push(self.apply_one(op, record, row, *happened, now));
        }
        done
    }

    fn apply_one(&mut self, op: &Op, record: Option<Fields>, row: Option<Fields>, happened: bool, now: Span) -> Did {
        let slot = self.slot(op.table, &op.id);
        // Near the edge of an expiry, the server knows.
        let alive = slot.is_alive(now).or(match op.what {
            What::Put { .. } => Some(!happened),
            What::Delete => Some(happened),
            What::Patch(_) => Some(true),
            What::Expire { must_exist } => Some(must_exist || happened),
        });
        let mut did = Did::default();
        slot.remember(now, format!("{:?} {:?}", op.what, op.life));
        if let What::Delete = op.what {
            did.happened = alive;
            let (sequence, history) = (slot.sequence, std::mem::take(&mut slot.history));
            *slot = Slot { sequence, history, ..Slot::default() };
            self.touch(op.table, &op.id);
            return did;
        }
        let had_ttl = slot.expires.is_some();
        did.happened = match op.what {
            What::Put { .. } => alive.map(|alive| !alive),
            _ => alive.map(|_| had_ttl),
        };
        if let What::Expire { .. } = op.what {
            if let Life::Set(_) = op.life {
                did.happened = alive;
            }
            if alive == Some(false) {
                did.happened = Some(false);
                return did;
            }
        }
        if alive == Some(false) {
            slot.expires = None;
        }
        if let Some(record) = record {
            did.version = match field(&record, "version") {
                Val::Int(version) => Some(*version),
                _ => None,
            };
            if let What::Patch(patch) = &op.what {
                did.returned = patch.returning.iter().map(|name| field(&record, name).clone()).collect();
            }
            slot.record = Some(record);
        }
        match op.life {
            Life::Keep => {}
            Life::Set(ttl) => slot.expires = Some(now.plus(ttl)),
            Life::Persist => slot.expires = None,
        }
        if op.table.has_rows() {
            if row.is_some() {
                slot.row = row;
            }
            slot.mark = slot.expires;
        }
        self.touch(op.table, &op.id);
        did
    }
}
