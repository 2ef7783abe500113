//! What the derive makes of attributes about indexes.

use std::time::Duration;

use super::hash_model::layout;
use crate::hash::{FieldRef, Indexed, IsIndexed, IsUnique, NotIndexed};
use crate::index::LayoutBuilder;
use crate::model::Fields;
use crate::pairs::FieldPairs;
use crate::prelude::*;

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(embedded)]
struct Place {
    latitude: f64,
    #[redis(index)]
    zone: i8,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(embedded, index(city, street))]
struct Address {
    #[redis(index)]
    city: String,
    street: String,
    #[redis(flatten)]
    place: Place,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(prefix = "user", rename_all = "camelCase", index(country_code, age), unique(tenant, address.city))]
#[redis(ttl = "30m", sliding, partitions = 16)]
struct User {
    #[redis(id)]
    id: u64,
    #[redis(unique)]
    email: Option<String>,
    tenant: u32,
    #[redis(flatten)]
    address: Address,
    country_code: String,
    #[redis(index)]
    age: u8,
    #[redis(version)]
    version: u64,
    bio: String,
}

fn user() -> User {
    User {
        id: 42,
        email: Some("ada@example.com".into()),
        tenant: 7,
        address: Address { city: "London".into(), street: "Main".into(), place: Place { latitude: 51.5, zone: -1 } },
        country_code: "uk".into(),
        age: 36,
        version: 3,
        bio: String::new(),
    }
}

#[test]
fn attributes_make_the_layout() {
    let layout = layout::<User>();
    assert_eq!(
        layout.descriptor(),
        "User;age i,city t,countryCode t,email t,street t,tenant i,zone i;age=1;city=2;city+street=2+5;\
         countryCode+age=3+1;email=4!;tenant+city=6+2!;zone=7;/16"
    );
    assert_eq!((layout.version, layout.partitions), (Some("version"), 16));
    assert_eq!((User::TTL, User::SLIDING), (Some(Duration::from_secs(1800)), true));
    assert_eq!(HashModel::version(&user()), 3);
    let optional = |name: &str| layout.columns[layout.column(name).unwrap()].optional;
    assert!(optional("email") && !optional("tenant"));
}

#[test]
fn every_column_is_written() {
    let mut pairs = FieldPairs::default();
    user().write(&mut pairs).unwrap();
    let mut written: Vec<_> = pairs.columns.iter().map(|(name, _)| *name).collect();
    written.sort_unstable();
    let layout = layout::<User>();
    let described: Vec<_> = layout.columns.iter().map(|column| column.name).collect();
    assert_eq!(written, described);
    let row = layout.row(&pairs.columns);
    assert!(row.ends_with("\0=60236\0=London\0=uk\0=ada@example.com\0=Main\0=6017\0=4988"), "{row:?}");
    assert_eq!(pairs.columns[0].1, "=ada@example.com");
    assert_eq!(pairs.columns[4].1, "=4988");
}

#[test]
fn fields_carry_their_index() {
    fn plain<T, C>(_: FieldRef<User, T, C, NotIndexed>) {}
    fn indexed<T, C>(_: FieldRef<User, T, C, impl IsIndexed>) {}
    fn unique<T, C>(_: FieldRef<User, T, C, impl IsUnique>) {}
    plain(User::BIO);
    unique(User::EMAIL);
    indexed(User::TENANT);
    indexed::<String, _>(User::ADDRESS.field(Address::CITY));
    indexed::<i8, _>(User::ADDRESS.field(Address::PLACE.field(Place::ZONE)));
    plain::<f64, _>(User::ADDRESS.field(Address::PLACE.field(Place::LATITUDE)));
}

#[test]
fn a_generic_model_has_indexes() {
    #[derive(RedisModel)]
    #[redis(prefix = "item", index(label, kind))]
    struct Item<T> {
        #[redis(id)]
        id: u64,
        #[redis(unique)]
        label: T,
        kind: Option<T>,
    }

    assert_eq!(layout::<Item<String>>().descriptor(), "Item;kind t,label t;label=2!;label+kind=2+1");
    assert_eq!(layout::<Item<u8>>().descriptor(), "Item;kind i,label i;label=2!;label+kind=2+1");
    let _: FieldRef<Item<u8>, u8, _, crate::hash::Unique> = Item::<u8>::LABEL;
    let _: FieldRef<Item<u8>, Option<u8>, _, Indexed> = Item::<u8>::KIND;
}

#[test]
fn a_record_and_its_embedded_struct_can_have_the_same_index() {
    #[derive(RedisModel)]
    #[redis(embedded, index(a, b))]
    struct Inner {
        #[redis(index)]
        a: u8,
        #[redis(index)]
        b: u8,
    }

    #[derive(RedisModel)]
    #[redis(prefix = "outer", unique(inner.a, inner.b))]
    struct Outer {
        #[redis(id)]
        id: u64,
        #[redis(flatten)]
        inner: Inner,
    }

    assert_eq!(layout::<Outer>().descriptor(), "Outer;a i,b i;a=1;a+b=1+2!;b=2");
}

#[test]
fn the_order_of_the_fields_does_not_matter() {
    mod other {
        use crate::prelude::*;

        #[derive(RedisModel)]
        #[redis(prefix = "pair", index(left, right))]
        pub(super) struct Pair {
            #[redis(unique)]
            right: Option<u8>,
            #[redis(id)]
            id: u64,
            #[redis(index)]
            left: String,
        }
    }

    #[derive(RedisModel)]
    #[redis(prefix = "pair", index(left, right))]
    struct Pair {
        #[redis(id)]
        id: u64,
        #[redis(index)]
        left: String,
        #[redis(unique)]
        right: Option<u8>,
    }

    assert_eq!(layout::<Pair>(), layout::<other::Pair>());
    assert_eq!(layout::<Pair>().descriptor(), "Pair;left t,right i;left=1;left+right=1+2;right=2!");
}

#[test]
fn a_model_without_these_attributes_is_plain() {
    #[derive(RedisModel)]
    #[redis(prefix = "plain")]
    struct Plain {
        #[redis(id)]
        id: u64,
    }

    let mut builder = LayoutBuilder::default();
    Plain::describe(&mut builder);
    assert!(layout::<Plain>().is_plain());
    assert_eq!((Plain::TTL, Plain::SLIDING), (None, false));
    HashModel::version(&Plain { id: 1 });
}

mod evolution {
    #![expect(clippy::needless_pass_by_value, reason = "a conversion takes the old value")]

    use std::collections::{BTreeMap, HashMap};

    use crate::hash::StoredFields;
    use crate::model::{Content, Fields as _, Source};
    use crate::pairs::FieldPairs;
    use crate::{Error, ErrorKind, RedisModel, Result};

    #[derive(Debug, Clone, PartialEq, RedisModel)]
    #[redis(rename_all = "lowercase")]
    enum Country {
        Tr,
        Uk,
    }

    #[derive(Debug, Clone, PartialEq, RedisModel)]
    #[redis(embedded)]
    struct Address {
        city: String,
        #[redis(from = String, convert = house_number)]
        house: u16,
    }

    #[derive(Debug, Clone, PartialEq, RedisModel)]
    #[redis(prefix = "user", schema_version = 3, upgrade = upgrade)]
    #[redis(validate = User::check, before_save = User::stamp, after_load = User::loaded)]
    struct User {
        #[redis(id)]
        id: u64,
        name: String,
        #[redis(from = String, convert = country)]
        country: Option<Country>,
        #[redis(flatten)]
        address: Address,
        writes: u32,
        #[redis(unknown)]
        extra: BTreeMap<String, String>,
        #[redis(skip)]
        was_loaded: bool,
    }

    impl User {
        fn check(&self) -> Result<(), &'static str> {
            if self.name.is_empty() { Err("the name is empty") } else { Ok(()) }
        }

        fn stamp(&mut self) {
            self.writes += 1;
            if self.name == "other" {
                self.id += 1;
            }
        }

        fn loaded(&mut self) {
            self.was_loaded = true;
        }
    }

    fn house_number(text: String) -> Result<u16, std::num::ParseIntError> {
        text.trim_start_matches("No. ").parse()
    }

    fn country(name: String) -> Result<Country, String> {
        match name.as_str() {
            "Türkiye" => Ok(Country::Tr),
            "United Kingdom" => Ok(Country::Uk),
            _ => Err(format!("no such country: {name:?}")),
        }
    }

    fn upgrade(user: &mut StoredFields, from: u32) -> Result<(), &'static str> {
        if from < 2 {
            user.rename("full_name", "name");
        }
        if from < 3 {
            let town = user.get("town").ok_or("no town")?.to_owned();
            user.set_if_absent("city", town);
            user.remove("town");
        }
        Ok(())
    }

    #[derive(Clone, Copy)]
    struct Stored<'a>(&'a [(&'a str, &'a [u8])]);

    impl<'a> Source<'a> for Stored<'a> {
        fn fields(self) -> impl Iterator<Item = Result<(&'a [u8], Content<'a>)>> {
            self.0.iter().map(|(name, text)| Ok((name.as_bytes(), Content::Text(text))))
        }
    }

    fn read(fields: &[(&str, &str)]) -> Result<User> {
        let fields: Vec<_> = fields.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
        User::read(Stored(&fields))
    }

    fn user() -> User {
        User {
            id: 42,
            name: "Ada".into(),
            country: Some(Country::Uk),
            address: Address { city: "London".into(), house: 12 },
            writes: 0,
            extra: BTreeMap::new(),
            was_loaded: true,
        }
    }

    fn written(user: &User) -> Result<HashMap<String, String>> {
        let mut pairs = FieldPairs::default();
        user.write(&mut pairs)?;
        assert_eq!(pairs.pairs().count(), pairs.len());
        Ok(pairs.pairs().map(|(name, text)| (name.to_owned(), text.to_owned())).collect())
    }

    const CURRENT: [(&str, &str); 7] = [
        ("id", "42"),
        ("name", "Ada"),
        ("country", "uk"),
        ("city", "London"),
        ("house", "12"),
        ("writes", "0"),
        (":schema", "3"),
    ];

    #[test]
    fn an_older_record_is_upgraded() -> Result<()> {
        assert_eq!(read(&CURRENT)?, user());
        let mut second = CURRENT;
        (second[3], second[6]) = (("town", "London"), (":schema", "2"));
        assert_eq!(read(&second)?, user());
        let first = [
            ("full_name", "Ada"),
            ("id", "42"),
            ("town", "London"),
            ("country", "uk"),
            ("house", "12"),
            ("writes", "0"),
        ];
        assert_eq!(read(&first)?, user());
        // What a patch has set since then remains.
        let patched: Vec<_> = first.into_iter().chain([("name", "Grace")]).collect();
        assert_eq!(read(&patched)?.name, "Grace");
        Ok(())
    }

    fn refused(fields: &[(&str, &str)]) -> String {
        let error = read(fields).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode);
        error.to_string()
    }

    #[test]
    fn records_that_cannot_be_upgraded() {
        assert!(refused(&[("id", "42"), ("name", "Ada")]).contains("cannot be upgraded to 3: no town"));
        assert!(refused(&[(":schema", "4")]).contains("schema version 4, and this program knows 3"));
        assert!(refused(&[(":schema", "new")]).contains("expected the number of a schema version, found \"new\""));
    }

    #[test]
    fn a_field_of_another_type_is_converted() -> Result<()> {
        let mut old = CURRENT;
        (old[2], old[4]) = (("country", "United Kingdom"), ("house", "No. 12"));
        assert_eq!(read(&old)?, user());
        assert_eq!(written(&read(&old)?)?["house"], "12");
        old[2] = ("country", "Mars");
        let error = read(&old).unwrap_err();
        assert_eq!(error.field(), Some("country"));
        assert!(error.to_string().contains("no such country"), "{error}");
        old[2] = ("other", "");
        assert_eq!(read(&old)?.country, None);
        Ok(())
    }

    #[test]
    fn unknown_fields_are_kept() -> Result<()> {
        let fields: Vec<_> = CURRENT.into_iter().chain([("nick", "a\"d\0"), ("town", "")]).collect();
        let mut user = read(&fields)?;
        assert_eq!(user.extra.iter().collect::<Vec<_>>().len(), 2);
        assert_eq!(written(&user)?["nick"], "a\"d\0");
        // Bytes are not text: they stay in the hash.
        let mut bytes: Vec<_> = CURRENT.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
        bytes.push(("blob", b"\xff"));
        assert!(User::read(Stored(&bytes))?.extra.is_empty());
        for known in ["city", "name", ":schema"] {
            user.extra = BTreeMap::from([(known.to_owned(), String::new())]);
            let error = written(&user).unwrap_err();
            assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidInput, Some("extra")));
            assert!(error.to_string().contains("is a field of the model itself"), "{error}");
        }
        Ok(())
    }

    #[test]
    fn hooks_run_around_a_write_and_a_load() -> Result<()> {
        let before = user();
        let fields = written(&before)?;
        assert_eq!((fields["writes"].as_str(), fields[":schema"].as_str()), ("1", "3"));
        assert_eq!(before.writes, 0);
        let message = |user: &User| written(user).unwrap_err().to_string();
        assert!(
            message(&User { name: String::new(), ..user() }).contains("the record is not valid: the name is empty")
        );
        assert!(message(&User { name: "other".into(), ..user() }).contains("`before_save` has changed the id"));
        Ok(())
    }

    #[test]
    fn hooks_do_not_run_for_the_crate_itself() -> Result<()> {
        let fields: Vec<_> = CURRENT.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
        let mut read = User::read(crate::model::WithoutHooks(Stored(&fields)))?;
        assert!(!read.was_loaded);
        read.name.clear();
        let mut pairs = FieldPairs::without_hooks();
        read.write(&mut pairs)?;
        assert!(pairs.pairs().any(|field| field == ("writes", "0")));
        let _: Error = read.write(&mut FieldPairs::default()).unwrap_err();
        Ok(())
    }

    #[test]
    fn a_generic_record_has_all_of_them() {
        #[derive(Debug, Clone, RedisModel)]
        #[redis(prefix = "item", before_save = Item::touch, validate = Item::check)]
        struct Item<T> {
            #[redis(id)]
            id: u64,
            #[redis(from = String, convert = length)]
            size: usize,
            value: T,
            #[redis(unknown)]
            rest: HashMap<String, String>,
        }

        impl<T> Item<T> {
            fn touch(&mut self) {
                self.size += 1;
            }

            fn check(&self) -> Result<(), String> {
                Ok(())
            }
        }

        fn length(text: String) -> Result<usize, String> {
            Ok(text.len())
        }

        let stored: [(&str, &[u8]); 3] = [("id", b"1"), ("size", b"abc"), ("value", b"x")];
        let item = Item::<char>::read(Stored(&stored)).unwrap();
        assert_eq!((item.id, item.size, item.value, item.rest.len()), (1, 3, 'x', 0));
        let mut pairs = FieldPairs::default();
        item.write(&mut pairs).unwrap();
        assert!(pairs.pairs().any(|field| field == ("size", "4")));
    }
}
