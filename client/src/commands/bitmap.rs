//! Bitmaps: strings as arrays of bits, and of integers of any width.

use crate::arg::{Arg, ToArg};
use crate::command::{Args, Command, OneOrMore, ToArgs};
use crate::executor::Executor;
use crate::reply::FromReply as _;

/// The commands on bitmaps.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::BitmapCommands;
/// use redis_rest::commands::bitmap::Bit;
///
/// assert!(!redis.setbit("seen", 7, Bit::One).await?); // the previous bit
/// assert!(redis.getbit("seen", 7).await?);
/// assert_eq!(redis.bitcount("seen", None).await?, 1);
/// assert_eq!(redis.bitpos("seen", Bit::One, None).await?, Some(7));
/// assert_eq!(redis.bitpos("nobody", Bit::One, None).await?, None);
/// # Ok(())
/// # }
/// ```
pub trait BitmapCommands: Executor {
    /// Returns the number of bits that are 1, in the whole bitmap or in a range.
    ///
    /// [BITCOUNT](https://redis.io/docs/latest/commands/bitcount/), O(n).
    fn bitcount(self, key: impl ToArg, range: Option<BitRange>) -> Self::Out<u64> {
        // BITCOUNT takes no range without an end.
        let range = range.map(|range| BitRange { end: range.end.or(Some(-1)), ..range });
        self.execute(Command::read("BITCOUNT").key(key).options(range))
    }

    /// Reads and changes integers, one after the other, and returns a value for each operation.
    ///
    /// The value is `None` if the operation would overflow under [`fail`](BitField::fail). [`BitField`] shows an
    /// example.
    ///
    /// [BITFIELD](https://redis.io/docs/latest/commands/bitfield/), O(1) per operation.
    fn bitfield(self, key: impl ToArg, operations: BitField) -> Self::Out<Vec<Option<i64>>> {
        self.execute(Command::write("BITFIELD").key(key).options(&operations).one_or_more_operations(&operations))
    }

    /// Reads integers, and returns their values; see [`bitfield`](Self::bitfield).
    ///
    /// Fails with `InvalidInput` if an operation is not a [`get`](BitField::get).
    ///
    /// [BITFIELD_RO](https://redis.io/docs/latest/commands/bitfield_ro/), O(1) per operation.
    fn bitfield_ro(self, key: impl ToArg, operations: BitField) -> Self::Out<Vec<i64>> {
        let command = Command::read("BITFIELD_RO").key(key).options(&operations).one_or_more_operations(&operations);
        let reads = operations.operations.iter().all(|operation| matches!(operation, Operation::Get(..)));
        self.execute(if reads {
            command
        } else {
            command.reject("it only reads; use `bitfield` for `set`, `incr_by` and overflow")
        })
    }

    /// Combines bitmaps bit by bit, stores the result in `destination`, and returns its length in bytes.
    ///
    /// [BITOP](https://redis.io/docs/latest/commands/bitop/), O(n).
    fn bitop<K>(self, operation: BitOperation, destination: impl ToArg, keys: impl OneOrMore<K>) -> Self::Out<u64> {
        self.execute(Command::write("BITOP").arg(operation.word()).key(destination).keys(keys))
    }

    /// Returns the position of the first bit that equals `bit`, in the whole bitmap or in a range, or `None` if there
    /// is none.
    ///
    /// A search for a zero that has no end looks past the end of the bitmap too, where all bits are 0.
    ///
    /// [BITPOS](https://redis.io/docs/latest/commands/bitpos/), O(n).
    fn bitpos(self, key: impl ToArg, bit: Bit, range: Option<BitRange>) -> Self::Out<Option<u64>> {
        let command = Command::read("BITPOS").key(key).arg(bit).options(range);
        self.submit(command.decode_with(|reply| {
            // -1 is Redis's code for no such bit.
            i64::from_reply(reply).map(|position| u64::try_from(position).ok())
        }))
    }

    /// Returns whether a bit is 1. Bits past the end are 0.
    ///
    /// [GETBIT](https://redis.io/docs/latest/commands/getbit/), O(1).
    fn getbit(self, key: impl ToArg, offset: u64) -> Self::Out<bool> {
        self.execute(Command::read("GETBIT").key(key).arg(offset))
    }

    /// Sets a bit, and returns whether it was 1 before.
    ///
    /// [SETBIT](https://redis.io/docs/latest/commands/setbit/), O(1).
    fn setbit(self, key: impl ToArg, offset: u64, bit: Bit) -> Self::Out<bool> {
        self.execute(Command::write("SETBIT").key(key).arg(offset).arg(bit))
    }
}

impl<E: Executor> BitmapCommands for E {}

impl<R> Command<R> {
    fn one_or_more_operations(self, operations: &BitField) -> Self {
        if operations.operations.is_empty() { self.reject("needs at least one operation") } else { self }
    }
}

/// The value of a bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bit {
    /// 0.
    Zero,
    /// 1.
    One,
}

impl From<bool> for Bit {
    /// Returns 1 for `true`: [`getbit`](BitmapCommands::getbit) and [`setbit`](BitmapCommands::setbit) return
    /// bits as `bool`s.
    fn from(is_one: bool) -> Self {
        if is_one { Bit::One } else { Bit::Zero }
    }
}

impl ToArg for Bit {
    fn to_arg(&self) -> Arg<'_> {
        Arg::Uint(match self {
            Bit::Zero => 0,
            Bit::One => 1,
        })
    }
}

/// A range of a bitmap. Both ends are included, and negative positions count from the end.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::{BitmapCommands, StringCommands};
/// use redis_rest::commands::bitmap::{Bit, BitRange};
///
/// redis.set("flags", b"\xff\x0f").await?;
/// assert_eq!(redis.bitcount("flags", Some(BitRange::bytes(-1, -1))).await?, 4);
/// assert_eq!(redis.bitcount("flags", Some(BitRange::bits(0, 3))).await?, 4);
/// assert_eq!(redis.bitpos("flags", Bit::Zero, Some(BitRange::bytes_from(1))).await?, Some(8));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BitRange {
    start: i64,
    end: Option<i64>,
    in_bits: bool,
}

impl BitRange {
    /// The range from byte `start` to byte `end`.
    #[must_use]
    pub fn bytes(start: i64, end: i64) -> Self {
        BitRange { start, end: Some(end), in_bits: false }
    }

    /// The range from byte `start` on, without an end.
    #[must_use]
    pub fn bytes_from(start: i64) -> Self {
        BitRange { start, end: None, in_bits: false }
    }

    /// The range from bit `start` to bit `end`: `BIT`. Needs Redis 7.0.
    #[must_use]
    pub fn bits(start: i64, end: i64) -> Self {
        BitRange { start, end: Some(end), in_bits: true }
    }
}

impl ToArgs for BitRange {
    fn write_args(&self, args: &mut Args) {
        args.push(self.start).extend(self.end);
        if self.in_bits {
            args.push("BIT");
        }
    }
}

/// How [`bitop`](BitmapCommands::bitop) combines bitmaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BitOperation {
    /// The bits that are set in all bitmaps.
    And,
    /// The bits that are set in any bitmap.
    Or,
    /// The bits that are set in an odd number of bitmaps.
    Xor,
    /// The bits that are not set in the only bitmap.
    Not,
    /// The bits that are set in the first bitmap and in none of the others. Needs Redis 8.2.
    Diff,
    /// The bits that are set in any of the other bitmaps and not in the first. Needs Redis 8.2.
    Diff1,
    /// The bits that are set in the first bitmap and in any of the others. Needs Redis 8.2.
    AndOr,
    /// The bits that are set in exactly one bitmap. Needs Redis 8.2.
    One,
}

impl BitOperation {
    fn word(self) -> &'static str {
        match self {
            BitOperation::And => "AND",
            BitOperation::Or => "OR",
            BitOperation::Xor => "XOR",
            BitOperation::Not => "NOT",
            BitOperation::Diff => "DIFF",
            BitOperation::Diff1 => "DIFF1",
            BitOperation::AndOr => "ANDOR",
            BitOperation::One => "ONE",
        }
    }
}

/// The type of an integer in a bitmap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BitType {
    /// A signed integer of 1 to 64 bits.
    signed: bool,
    bits: u8,
}

impl BitType {
    /// A signed integer of 1 to 64 bits.
    #[must_use]
    pub fn signed(bits: u8) -> Self {
        BitType { signed: true, bits }
    }

    /// An unsigned integer of 1 to 63 bits.
    #[must_use]
    pub fn unsigned(bits: u8) -> Self {
        BitType { signed: false, bits }
    }

    /// The offset of the integer at `index`, if all integers before it have the same type.
    #[must_use]
    pub fn slot(index: u64) -> BitOffset {
        BitOffset::Slot(index)
    }

    fn is_known(self) -> bool {
        self.bits >= 1 && self.bits <= if self.signed { 64 } else { 63 }
    }
}

impl ToArg for BitType {
    fn to_arg(&self) -> Arg<'_> {
        Arg::from(format!("{}{}", if self.signed { 'i' } else { 'u' }, self.bits))
    }
}

/// The position of an integer in a bitmap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BitOffset {
    /// The number of bits before it.
    Bit(u64),
    /// The number of integers of its type before it: `#2`.
    Slot(u64),
}

impl From<u64> for BitOffset {
    fn from(bit: u64) -> Self {
        BitOffset::Bit(bit)
    }
}

impl ToArg for BitOffset {
    fn to_arg(&self) -> Arg<'_> {
        match self {
            BitOffset::Bit(bit) => Arg::Uint(*bit),
            BitOffset::Slot(index) => Arg::from(format!("#{index}")),
        }
    }
}

/// A chain of operations on the integers of a bitmap.
///
/// ```no_run
/// # async fn example(redis: redis_rest::Redis) -> redis_rest::Result<()> {
/// use redis_rest::BitmapCommands;
/// use redis_rest::commands::bitmap::{BitField, BitType};
///
/// let byte = BitType::unsigned(8);
/// let third = BitType::slot(2);
/// let values = redis.bitfield("counters", BitField::new().set(byte, third, 250).incr_by(byte, third, 5)).await?;
/// assert_eq!(values, [Some(0), Some(255)]); // `set` returns the previous value
///
/// let values = redis.bitfield("counters", BitField::new().fail().incr_by(byte, third, 1)).await?;
/// assert_eq!(values, [None]); // 256 does not fit
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
#[must_use = "a chain does nothing until it is passed to `bitfield`"]
pub struct BitField {
    operations: Vec<Operation>,
}

#[derive(Debug, Clone, Copy)]
enum Operation {
    Get(BitType, BitOffset),
    Set(BitType, BitOffset, i64),
    IncrBy(BitType, BitOffset, i64),
    Overflow(&'static str),
}

impl BitField {
    /// Creates a chain without operations.
    pub fn new() -> Self {
        BitField::default()
    }

    /// Reads an integer: `GET`.
    pub fn get(self, kind: BitType, offset: impl Into<BitOffset>) -> Self {
        self.then(Operation::Get(kind, offset.into()))
    }

    /// Sets an integer, and returns its previous value: `SET`.
    pub fn set(self, kind: BitType, offset: impl Into<BitOffset>, value: i64) -> Self {
        self.then(Operation::Set(kind, offset.into(), value))
    }

    /// Adds `increment` to an integer, and returns the result: `INCRBY`.
    pub fn incr_by(self, kind: BitType, offset: impl Into<BitOffset>, increment: i64) -> Self {
        self.then(Operation::IncrBy(kind, offset.into(), increment))
    }

    /// Makes later operations wrap around if they overflow: `OVERFLOW WRAP`. This is the default.
    pub fn wrap(self) -> Self {
        self.then(Operation::Overflow("WRAP"))
    }

    /// Makes later operations stop at the limit if they overflow: `OVERFLOW SAT`.
    pub fn saturate(self) -> Self {
        self.then(Operation::Overflow("SAT"))
    }

    /// Makes later operations change nothing and return `None` if they overflow: `OVERFLOW FAIL`.
    pub fn fail(self) -> Self {
        self.then(Operation::Overflow("FAIL"))
    }

    fn then(mut self, operation: Operation) -> Self {
        self.operations.push(operation);
        self
    }
}

impl ToArgs for BitField {
    fn write_args(&self, args: &mut Args) {
        for operation in &self.operations {
            match operation {
                Operation::Get(kind, offset) => args.push("GET").push(kind).push(offset),
                Operation::Set(kind, offset, value) => args.push("SET").push(kind).push(offset).push(value),
                Operation::IncrBy(kind, offset, increment) => {
                    args.push("INCRBY").push(kind).push(offset).push(increment)
                }
                Operation::Overflow(word) => args.push("OVERFLOW").push(word),
            };
            if let Operation::Get(kind, _) | Operation::Set(kind, ..) | Operation::IncrBy(kind, ..) = operation
                && !kind.is_known()
            {
                args.reject("a signed integer has 1 to 64 bits, an unsigned one 1 to 63");
            }
        }
    }
}
