//! What the derive makes of attributes about indexes.

use std::time::Duration;

use super::layout;
use crate::index::LayoutBuilder;
use crate::model::Fields;
use crate::pairs::FieldPairs;
use crate::prelude::*;
use crate::{FieldRef, Indexed, IsIndexed, IsUnique, NotIndexed};

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
        "User;email t,tenant i,city t,street t,zone i,countryCode t,age i;email=1!;city=3;zone=5;city+street=3+4;age=7;\
         countryCode+age=6+7;tenant+city=2+3!;/16"
    );
    assert_eq!((layout.version, layout.partitions), (Some("version"), 16));
    assert_eq!((User::TTL, User::SLIDING), (Some(Duration::from_secs(1800)), true));
    assert_eq!(HashModel::version(&user()), 3);
    assert!(layout.columns[0].optional && !layout.columns[1].optional);
}

#[test]
fn columns_are_written_in_the_order_of_the_layout() {
    let mut pairs = FieldPairs::default();
    user().write(&mut pairs).unwrap();
    let written: Vec<_> = pairs.columns.iter().map(|(name, _)| *name).collect();
    let described: Vec<_> = layout::<User>().columns.iter().map(|column| column.name).collect();
    assert_eq!(written, described);
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

    assert_eq!(layout::<Item<String>>().descriptor(), "Item;label t,kind t;label=1!;label+kind=1+2");
    assert_eq!(layout::<Item<u8>>().descriptor(), "Item;label i,kind i;label=1!;label+kind=1+2");
    let _: FieldRef<Item<u8>, u8, _, crate::Unique> = Item::<u8>::LABEL;
    let _: FieldRef<Item<u8>, Option<u8>, _, Indexed> = Item::<u8>::KIND;
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
