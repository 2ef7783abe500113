//! Bitmaps: strings as bits and as integers of any width.

use crate::arg::{Arg, ToArg};
use crate::command::Command;
use crate::command::{Args, ToArgs};
use crate::executor::Executor;
use crate::reply::FromReply as _;

/// The commands on bitmaps.
///
/// ```
/// use redis_rest::{BitmapCommands, Build};
/// use redis_rest::commands::bitmap::{BitField, BitRange, BitType};
///
/// assert_eq!(Build.setbit("seen", 7, true).args(), ["SETBIT", "seen", "7", "1"]);
/// let counters = BitField::new().saturate().incr_by(BitType::unsigned(8), BitType::slot(2), 1);
/// let args = Build.bitfield("counters", counters).args();
/// assert_eq!(args, ["BITFIELD", "counters", "OVERFLOW", "SAT", "INCRBY", "u8", "#2", "1"]);
/// ```
pub trait BitmapCommands: Executor {
    /// How many bits are 1, of all or of a range. [BITCOUNT](https://redis.io/docs/latest/commands/bitcount/), O(n).
    fn bitcount(self, key: impl ToArg, range: Option<BitRange>) -> Self::Out<u64> {
        self.execute(Command::read("BITCOUNT").arg(key).options(range))
    }

    /// Reads and changes integers, one after the other, and gives a value for each; `None` for a change that would
    /// overflow and was to [fail](BitField::fail). [BITFIELD](https://redis.io/docs/latest/commands/bitfield/), O(1) each.
    fn bitfield(self, key: impl ToArg, operations: BitField) -> Self::Out<Vec<Option<i64>>> {
        self.execute(Command::write("BITFIELD").arg(key).options(&operations).one_or_more_operations(&operations))
    }

    /// Reads integers; see [`bitfield`](Self::bitfield). [BITFIELD_RO](https://redis.io/docs/latest/commands/bitfield_ro/),
    /// O(1) each.
    fn bitfield_ro(self, key: impl ToArg, operations: BitField) -> Self::Out<Vec<i64>> {
        let command = Command::read("BITFIELD_RO").arg(key).options(&operations).one_or_more_operations(&operations);
        let reads = operations.operations.iter().all(|operation| matches!(operation, Operation::Get(..)));
        self.execute(if reads {
            command
        } else {
            command.reject("it only reads; use `bitfield` for `set`, `incr_by` and overflow")
        })
    }

    /// Combines bitmaps bit by bit into another, and gives its length in bytes.
    /// [BITOP](https://redis.io/docs/latest/commands/bitop/), O(n).
    fn bitop(
        self,
        operation: BitOperation,
        destination: impl ToArg,
        keys: impl IntoIterator<Item = impl ToArg>,
    ) -> Self::Out<u64> {
        self.execute(Command::write("BITOP").arg(operation.word()).arg(destination).one_or_more("key", keys))
    }

    /// The first bit that is `bit`, of all or of a range; `None` when there is none.
    /// [BITPOS](https://redis.io/docs/latest/commands/bitpos/), O(n).
    fn bitpos(self, key: impl ToArg, bit: Bit, range: Option<BitRange>) -> Self::Out<Option<u64>> {
        let command = Command::read("BITPOS").arg(key).arg(bit).options(range);
        self.submit(command.decode_with(|reply| {
            // -1 is Redis's word for none.
            i64::from_reply(reply).map(|position| u64::try_from(position).ok())
        }))
    }

    /// A bit; false behind the end. [GETBIT](https://redis.io/docs/latest/commands/getbit/), O(1).
    fn getbit(self, key: impl ToArg, offset: u64) -> Self::Out<bool> {
        self.execute(Command::read("GETBIT").arg(key).arg(offset))
    }

    /// Sets a bit, and gives what it was. [SETBIT](https://redis.io/docs/latest/commands/setbit/), O(1).
    fn setbit(self, key: impl ToArg, offset: u64, bit: Bit) -> Self::Out<bool> {
        self.execute(Command::write("SETBIT").arg(key).arg(offset).arg(bit))
    }
}

impl<E: Executor> BitmapCommands for E {}

impl<R> Command<R> {
    fn one_or_more_operations(self, operations: &BitField) -> Self {
        if operations.operations.is_empty() { self.reject("needs at least one operation") } else { self }
    }
}

/// One bit of a bitmap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bit {
    /// 0.
    Zero,
    /// 1.
    One,
}

impl From<bool> for Bit {
    /// Converts the bit that [`getbit`](BitmapCommands::getbit) and [`setbit`](BitmapCommands::setbit) return.
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

/// A part of a bitmap, both ends included; negative counts from the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BitRange {
    start: i64,
    end: i64,
    in_bits: bool,
}

impl BitRange {
    /// From byte `start` to `end`.
    #[must_use]
    pub fn bytes(start: i64, end: i64) -> Self {
        BitRange { start, end, in_bits: false }
    }

    /// From bit `start` to `end`.
    #[must_use]
    pub fn bits(start: i64, end: i64) -> Self {
        BitRange { start, end, in_bits: true }
    }
}

impl ToArgs for BitRange {
    fn write_args(&self, args: &mut Args) {
        args.push(self.start).push(self.end);
        if self.in_bits {
            args.push("BIT");
        }
    }
}

/// How bitmaps are combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BitOperation {
    /// The bits that are in all.
    And,
    /// The bits that are in any.
    Or,
    /// The bits that are in an odd number of them.
    Xor,
    /// The bits that are not in the one.
    Not,
    /// The bits that are in the first and in none of the others. Redis 8.2.
    Diff,
    /// The bits that are in one of the others and not in the first. Redis 8.2.
    Diff1,
    /// The bits that are in the first and in any of the others. Redis 8.2.
    AndOr,
    /// The bits that are in exactly one. Redis 8.2.
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

/// A type of integer in a bitmap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BitType {
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

    /// The place of integer number `index` of a row of the same type.
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

/// Where an integer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BitOffset {
    /// So many bits from the start.
    Bit(u64),
    /// So many integers of its type from the start: `#2`.
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
#[derive(Debug, Clone, Default)]
#[must_use = "a chain does nothing until it is given to `bitfield`"]
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
    /// No operation yet.
    pub fn new() -> Self {
        BitField::default()
    }

    /// Reads an integer.
    pub fn get(self, kind: BitType, offset: impl Into<BitOffset>) -> Self {
        self.then(Operation::Get(kind, offset.into()))
    }

    /// Sets an integer, and gives what it was.
    pub fn set(self, kind: BitType, offset: impl Into<BitOffset>, value: i64) -> Self {
        self.then(Operation::Set(kind, offset.into(), value))
    }

    /// Adds to an integer, and gives the result.
    pub fn incr_by(self, kind: BitType, offset: impl Into<BitOffset>, increment: i64) -> Self {
        self.then(Operation::IncrBy(kind, offset.into(), increment))
    }

    /// From here on, what overflows begins anew: `OVERFLOW WRAP`, as without saying anything.
    pub fn wrap(self) -> Self {
        self.then(Operation::Overflow("WRAP"))
    }

    /// From here on, what overflows stays at the limit: `OVERFLOW SAT`.
    pub fn saturate(self) -> Self {
        self.then(Operation::Overflow("SAT"))
    }

    /// From here on, what would overflow is not done: `OVERFLOW FAIL`.
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
