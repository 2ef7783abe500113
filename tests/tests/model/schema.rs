//! The models under test, and the same records as plain values.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use redis_model::prelude::*;

/// A record with an index of every kind.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "user", index(country, age), unique(tenant, nick))]
pub(crate) struct User {
    #[redis(id)]
    pub(crate) id: String,
    #[redis(unique)]
    pub(crate) email: Option<String>,
    #[redis(index)]
    pub(crate) country: String,
    #[redis(index)]
    pub(crate) role: Option<Role>,
    #[redis(index)]
    pub(crate) score: i64,
    #[redis(index)]
    pub(crate) rate: f64,
    #[redis(index)]
    pub(crate) tags: Vec<String>,
    pub(crate) tenant: String,
    pub(crate) nick: Option<String>,
    pub(crate) age: u8,
    pub(crate) bio: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, RedisModel)]
#[redis(rename_all = "lowercase")]
pub(crate) enum Role {
    Admin,
    Guest,
}

/// A record with a version, in partitions.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "account", partitions = 3)]
pub(crate) struct Account {
    #[redis(id)]
    pub(crate) id: u64,
    #[redis(unique)]
    pub(crate) iban: String,
    #[redis(index)]
    pub(crate) cents: i64,
    #[redis(version)]
    pub(crate) version: u64,
}

/// A plain record, which units write beside the others.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "note")]
pub(crate) struct Note {
    #[redis(id)]
    pub(crate) id: u64,
    pub(crate) text: Option<String>,
}

/// The value of a field.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Val {
    Absent,
    Text(String),
    Int(i64),
    Float(f64),
    List(Vec<String>),
}

/// The fields of a record, without its id.
pub(crate) type Fields = BTreeMap<&'static str, Val>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Table {
    Users,
    Accounts,
    Notes,
}

/// The columns of an index, and whether it is unique.
pub(crate) type IndexOf = (&'static [&'static str], bool);

impl Table {
    pub(crate) const ALL: [Table; 3] = [Table::Users, Table::Accounts, Table::Notes];

    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Table::Users => "user",
            Table::Accounts => "account",
            Table::Notes => "note",
        }
    }

    pub(crate) fn model(self) -> &'static str {
        match self {
            Table::Users => "User",
            Table::Accounts => "Account",
            Table::Notes => "Note",
        }
    }

    pub(crate) fn key(self, id: &str) -> String {
        format!("{}:{id}", self.prefix())
    }

    pub(crate) fn indexes(self) -> &'static [IndexOf] {
        match self {
            Table::Users => &[
                (&["email"], true),
                (&["country"], false),
                (&["role"], false),
                (&["score"], false),
                (&["rate"], false),
                (&["tags"], false),
                (&["country", "age"], false),
                (&["tenant", "nick"], true),
            ],
            Table::Accounts => &[(&["iban"], true), (&["cents"], false)],
            Table::Notes => &[],
        }
    }

    pub(crate) fn has_rows(self) -> bool {
        !self.indexes().is_empty()
    }

    pub(crate) fn is_indexed(self, field: &str) -> bool {
        self.indexes().iter().any(|(columns, _)| columns.contains(&field))
    }
}

impl Val {
    pub(crate) fn text(text: impl Into<String>) -> Val {
        Val::Text(text.into())
    }

    fn optional(text: Option<String>) -> Val {
        text.map_or(Val::Absent, Val::Text)
    }

    /// The values that have an entry of their own.
    pub(crate) fn elements(&self) -> Vec<Val> {
        match self {
            Val::Absent => Vec::new(),
            Val::List(items) => items.iter().cloned().map(Val::Text).collect(),
            other => vec![other.clone()],
        }
    }

    /// As the hash field has it.
    pub(crate) fn stored(&self) -> Option<String> {
        match self {
            Val::Absent => None,
            Val::Text(text) => Some(text.clone()),
            Val::Int(number) => Some(number.to_string()),
            Val::Float(number) => Some(number.to_string()),
            Val::List(items) => serde_json::to_string(items).ok(),
        }
    }

    pub(crate) fn to_int(&self) -> i64 {
        if let Val::Int(number) = self { *number } else { 0 }
    }

    pub(crate) fn to_text(&self) -> String {
        if let Val::Text(text) = self { text.clone() } else { String::new() }
    }

    pub(crate) fn to_option(&self) -> Option<String> {
        if let Val::Text(text) = self { Some(text.clone()) } else { None }
    }

    /// Rust's order of the values of one type.
    pub(crate) fn order(&self, other: &Val) -> Ordering {
        match (self, other) {
            (Val::Text(one), Val::Text(two)) => one.cmp(two),
            (Val::Int(one), Val::Int(two)) => one.cmp(two),
            (Val::Float(one), Val::Float(two)) => one.partial_cmp(two).unwrap_or(Ordering::Equal),
            _ => Ordering::Equal,
        }
    }

    pub(crate) fn is(&self, other: &Val) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other) && self.order(other) == Ordering::Equal
    }
}

/// The value of a field that may be missing from the map.
pub(crate) fn field<'a>(fields: &'a Fields, name: &str) -> &'a Val {
    fields.get(name).unwrap_or(&Val::Absent)
}

/// The values that a record claims in an index: none if a part of a compound one is missing.
pub(crate) fn claims(fields: &Fields, columns: &[&str]) -> Vec<Vec<Val>> {
    if let [only] = columns {
        return field(fields, only).elements().into_iter().map(|value| vec![value]).collect();
    }
    let values: Vec<Val> = columns.iter().flat_map(|column| field(fields, column).elements()).collect();
    if values.len() == columns.len() { vec![values] } else { Vec::new() }
}

pub(crate) fn same(one: &[Val], two: &[Val]) -> bool {
    one.len() == two.len() && one.iter().zip(two).all(|(one, two)| one.is(two))
}

pub(crate) trait Record: HashModel + Send + Sync + 'static {
    const TABLE: Table;
    fn from_fields(id: &str, fields: &Fields) -> Self;
    fn to_fields(&self) -> Fields;
    fn id_text(&self) -> String;
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Role::Admin => "admin",
            Role::Guest => "guest",
        }
    }

    pub(crate) fn named(name: &str) -> Self {
        if name == "admin" { Role::Admin } else { Role::Guest }
    }
}

impl Record for User {
    const TABLE: Table = Table::Users;

    fn from_fields(id: &str, fields: &Fields) -> Self {
        User {
            id: id.to_owned(),
            email: field(fields, "email").to_option(),
            country: field(fields, "country").to_text(),
            role: field(fields, "role").to_option().map(|name| Role::named(&name)),
            score: field(fields, "score").to_int(),
            rate: if let Val::Float(rate) = field(fields, "rate") { *rate } else { 0.0 },
            tags: if let Val::List(tags) = field(fields, "tags") { tags.clone() } else { Vec::new() },
            tenant: field(fields, "tenant").to_text(),
            nick: field(fields, "nick").to_option(),
            age: u8::try_from(field(fields, "age").to_int()).unwrap(),
            bio: field(fields, "bio").to_option(),
        }
    }

    fn to_fields(&self) -> Fields {
        Fields::from([
            ("email", Val::optional(self.email.clone())),
            ("country", Val::text(&self.country)),
            ("role", Val::optional(self.role.map(|role| role.name().to_owned()))),
            ("score", Val::Int(self.score)),
            ("rate", Val::Float(self.rate)),
            ("tags", Val::List(self.tags.clone())),
            ("tenant", Val::text(&self.tenant)),
            ("nick", Val::optional(self.nick.clone())),
            ("age", Val::Int(i64::from(self.age))),
            ("bio", Val::optional(self.bio.clone())),
        ])
    }

    fn id_text(&self) -> String {
        self.id.clone()
    }
}

impl Record for Account {
    const TABLE: Table = Table::Accounts;

    fn from_fields(id: &str, fields: &Fields) -> Self {
        Account {
            id: id.parse().unwrap(),
            iban: field(fields, "iban").to_text(),
            cents: field(fields, "cents").to_int(),
            version: u64::try_from(field(fields, "version").to_int()).unwrap(),
        }
    }

    fn to_fields(&self) -> Fields {
        Fields::from([
            ("iban", Val::text(&self.iban)),
            ("cents", Val::Int(self.cents)),
            ("version", Val::Int(i64::try_from(self.version).unwrap())),
        ])
    }

    fn id_text(&self) -> String {
        self.id.to_string()
    }
}

impl Record for Note {
    const TABLE: Table = Table::Notes;

    fn from_fields(id: &str, fields: &Fields) -> Self {
        Note { id: id.parse().unwrap(), text: field(fields, "text").to_option() }
    }

    fn to_fields(&self) -> Fields {
        Fields::from([("text", Val::optional(self.text.clone()))])
    }

    fn id_text(&self) -> String {
        self.id.to_string()
    }
}
