//! The in-memory model: what the server should hold, and which outcomes of a write agree with it.

use std::collections::{BTreeMap, VecDeque};

use crate::schema::{Fields, IndexOf, Table, Val, claims, field, same};

/// Two moments in milliseconds between which something happened.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Span {
    pub(crate) from: i64,
    pub(crate) to: i64,
}

/// The milliseconds that a server's clock may differ from ours: Redis 7.0 uses one that it reads now and then.
const EDGE: i64 = 3;

/// How much of what was done to a record a message tells.
const HISTORY: usize = 8;

impl Span {
    fn plus(self, millis: i64) -> Span {
        Span { from: self.from + millis, to: self.to + millis }
    }

    /// Whether it is over at `now`; `None` near the edge.
    fn is_over(self, now: Span) -> Option<bool> {
        if now.from > self.to + EDGE {
            Some(true)
        } else if now.to < self.from - EDGE {
            Some(false)
        } else {
            None
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Life {
    Keep,
    Set(i64),
    Persist,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Mode {
    Insert,
    Save,
    Update,
}

#[derive(Debug, Clone)]
pub(crate) enum Change {
    Set(Val),
    SetIfAbsent(Val),
    Clear,
    Incr(i64),
    IncrFloat(f64),
    Append(String),
}

#[derive(Debug, Clone, Default)]
pub(crate) struct PatchSpec {
    pub(crate) changes: Vec<(&'static str, Change)>,
    pub(crate) conditions: Vec<(&'static str, Val)>,
    pub(crate) version: Option<i64>,
    pub(crate) returning: Vec<&'static str>,
}

#[derive(Debug, Clone)]
pub(crate) enum What {
    Put {
        mode: Mode,
        fields: Fields,
        version: Option<i64>,
    },
    Patch(PatchSpec),
    Delete,
    /// In a unit, the record must exist.
    Expire {
        must_exist: bool,
    },
}

/// An operation on one record.
#[derive(Debug, Clone)]
pub(crate) struct Op {
    pub(crate) table: Table,
    pub(crate) id: String,
    pub(crate) what: What,
    pub(crate) life: Life,
}

/// What the client adds to a write, or sends on its own, to mend what others have changed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Mend {
    /// Writes the row of a record.
    Index(Table, String),
    /// Removes the row of a record that is gone.
    Purge(Table, String),
}

/// What a script answered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Verdict {
    /// And whether each operation has created, removed or found something.
    Ok(Vec<bool>),
    Refused {
        why: String,
        details: Vec<String>,
    },
}

/// What an operation did, as its caller is told.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Did {
    /// Created, deleted, had a time to live. `None` near the edge of an expiry.
    pub(crate) happened: Option<bool>,
    pub(crate) version: Option<i64>,
    pub(crate) returned: Vec<Val>,
}

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
}

impl Slot {
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

/// What a batch of operations would do, if it is done.
#[derive(Default)]
struct Plan {
    /// The operation, and why it is refused.
    refusals: Vec<(usize, &'static str)>,
    /// Too close to an expiry to tell.
    unsure: bool,
    records: Vec<Option<Fields>>,
    rows: Vec<Option<Fields>>,
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

    fn plan(&mut self, mends: &[Mend], ops: &[&Op], now: Span) -> Plan {
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
    fn new_rows<'a>(
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

fn unique(table: Table) -> impl Iterator<Item = &'static IndexOf> {
    table.indexes().iter().filter(|(_, is_unique)| *is_unique)
}

pub(crate) fn has_claim(fields: &Fields, columns: &[&str], claim: &[Val]) -> bool {
    claims(fields, columns).iter().any(|own| same(own, claim))
}
