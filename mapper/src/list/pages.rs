//! The elements of a large list, a page at a time.

use std::ops::RangeBounds;

use redis_rest::{Build, Client, ErrorKind, Executor as _, ListCommands as _, Result, Session};

use super::bounds::bounds;
use super::raw::{named, read_all};
use super::{List, ListModel};
use crate::page_len::PageLen;

/// Indexes as LRANGE takes them. `stop` is -1 if the list is read to its end, whatever others add meanwhile.
#[derive(Clone, Copy)]
struct Span {
    start: i64,
    stop: i64,
    len: PageLen,
}

impl Span {
    /// Whether the length of the list is needed to know where the pages begin and end.
    fn is_relative(self) -> bool {
        self.start < 0 || self.stop < -1
    }

    /// Returns the indexes, counted from the start of a list of this length.
    fn within(self, length: i64) -> Span {
        let start = if self.start < 0 { (length + self.start).max(0) } else { self.start };
        match self.stop {
            -1 => Span { start, ..self },
            stop if stop < 0 && length + stop < 0 => Span { start: 1, stop: 0, ..self },
            stop if stop < 0 => Span { start, stop: length + stop, ..self },
            _ => Span { start, ..self },
        }
    }

    fn page_len(self) -> i64 {
        self.len.get().cast_signed()
    }

    /// Returns the index of the last element of the page.
    fn page_stop(self) -> i64 {
        let stop = self.start.saturating_add(self.page_len() - 1);
        if self.stop < 0 { stop } else { stop.min(self.stop) }
    }

    /// Returns what follows the first element of the page.
    fn after_first(self) -> Option<Span> {
        let start = self.start.checked_add(1)?;
        (self.stop < 0 || start <= self.stop).then(|| Span { start, len: PageLen::default(), ..self })
    }

    /// Returns what follows a page of this many elements.
    fn after(self, count: usize) -> Option<Span> {
        let start = self.start.checked_add(self.page_len())?;
        let is_full = i64::try_from(count).is_ok_and(|count| count == self.page_len());
        (is_full && (self.stop < 0 || start <= self.stop)).then_some(Span { start, ..self })
    }
}

impl<M: ListModel> List<M> {
    /// Returns a stream of the elements of a range of indexes, fetched a page at a time. With the blocking client it is
    /// an iterator.
    ///
    /// Each page is one [LRANGE](https://redis.io/docs/latest/commands/lrange/) of up to 500 elements, O(s + n) in the
    /// distance to the nearer end and the number of its elements. A range with negative indexes takes an LLEN before.
    ///
    /// Pages are found by their indexes. If others add or remove elements before the current page meanwhile, an element
    /// can come twice or not at all. Elements that are added after the last one are returned too, if the range has no
    /// end.
    ///
    /// An element that cannot be read is an error in its place, and affects no other. So is one that is larger than a
    /// reply may be: pages that do not fit are read again in smaller parts. The stream ends with an error if a page
    /// cannot be fetched.
    ///
    /// ```no_run
    /// # use redis_model::prelude::*;
    /// # #[derive(Debug, RedisModel)]
    /// # #[redis(list, prefix = "inbox")]
    /// # struct Message { body: String }
    /// # async fn example(redis: Redis) -> Result<()> {
    /// let mut elements = Message::list(42).elements(&redis, ..);
    /// while let Some(element) = elements.next().await {
    ///     match element? {
    ///         Ok(message) => println!("{}", message.body),
    ///         Err(error) => println!("skipped: {error}"),
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn elements<C: Client>(&self, client: C, range: impl RangeBounds<i64>) -> C::Paged<Result<M>>
    where
        M: Send,
    {
        let (start, stop) = bounds(&range);
        let list = self.clone();
        client.pages_of(Span { start, stop, len: PageLen::default() }, move |session, span| {
            page(list.clone(), session, span)
        })
    }
}

/// The elements of a page, and what follows it.
type Page<M> = (Vec<Result<Result<M>>>, Option<Span>);

async fn page<M: ListModel + Send>(list: List<M>, session: Session, span: Span) -> Result<Page<M>> {
    let mut span = if span.is_relative() {
        let length = session.submit(list.key.check(Build.llen(list.key()))).await?;
        span.within(i64::try_from(length).unwrap_or(i64::MAX))
    } else {
        span
    };
    let elements = loop {
        let command = list.key.check(Build.lrange::<M>(list.key(), span.start, span.page_stop()));
        // The errors of elements are named below, by the indexes of the list.
        match session.submit(command.decode_with(read_all::<M>)).await {
            Ok(elements) => break elements,
            Err(error) if span.len.divide(&error) => {}
            Err(error) if error.kind() == ErrorKind::TooLarge => {
                let at = span.start;
                let what = "larger than a reply may be; raise `max_response_bytes` of the client";
                return Ok((
                    vec![Ok(Err(error.about(M::MODEL_NAME, list.key()).context(format!("element {at}: {what}"))))],
                    span.after_first(),
                ));
            }
            Err(error) => return Err(error),
        }
    };
    let next = span.after(elements.len());
    let at = u64::try_from(span.start).unwrap_or_default();
    let elements =
        (at..).zip(elements).map(|(at, element)| Ok(element.map_err(|error| named::<M>(error, at, list.key()))));
    Ok((elements.collect(), next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_become_pages() {
        let of = |start, stop| Span { start, stop, len: PageLen::default() };
        let shown = |span: Span| (span.start, span.page_stop());
        assert_eq!(shown(of(0, -1)), (0, 499));
        assert_eq!(shown(of(0, 9)), (0, 9));
        assert_eq!(of(0, -1).after(500).map(shown), Some((500, 999)));
        assert!(of(0, -1).after(499).is_none());
        assert!(of(0, 499).after(500).is_none());
        assert_eq!(of(0, 500).after(500).map(shown), Some((500, 500)));
        assert_eq!(shown(of(-10, -1).within(1000)), (990, 1489));
        assert_eq!(shown(of(-10, -3).within(1000)), (990, 997));
        assert_eq!(shown(of(-10, -3).within(2)), (1, 0));
        assert_eq!(shown(of(0, -2).within(3)), (0, 1));
    }
}
