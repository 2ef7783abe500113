//! Items that come in pages, as an iterator. Each page is fetched when the one before it is used up.

use std::fmt;

use crate::command::Command;
use crate::error::Result;
use crate::executor::Paging;

/// An iterator over items that come in pages: what the blocking client returns instead of [`Pages`](crate::Pages). Each page is fetched
/// when it is needed.
///
/// An item that cannot be read is an error, and the iterator continues. If a page cannot be fetched, the iterator ends
/// with that error.
#[must_use = "an iterator fetches nothing until it is used"]
pub struct PageIter<T> {
    page: std::vec::IntoIter<Result<T>>,
    fetch: FetchNow<T>,
}

/// Fetches the next page, if there is one.
type FetchNow<T> = Box<dyn FnMut() -> Option<Result<Vec<Result<T>>>> + Send>;

impl<T> PageIter<T> {
    /// Creates an iterator over the pages from `start` on. `fetch` returns the reply to a page's command.
    pub(super) fn new<P: Paging<Item = T>>(
        start: P,
        fetch: impl Fn(Command<P::Reply>) -> Result<P::Reply> + Send + 'static,
    ) -> Self {
        PageIter::of_pages(start, move |paging: P| {
            let reply = fetch(paging.command())?;
            Ok(paging.advance(reply))
        })
    }

    /// Creates an iterator over the pages from `start` on. `fetch` returns a page's items, and where the next page starts.
    pub(super) fn of_pages<P: Send + 'static>(
        start: P,
        fetch: impl Fn(P) -> Result<(Vec<Result<T>>, Option<P>)> + Send + 'static,
    ) -> Self {
        let mut next = Some(start);
        let fetch = move || {
            let page = fetch(next.take()?);
            Some(page.map(|(items, following)| {
                next = following;
                items
            }))
        };
        PageIter { page: Vec::new().into_iter(), fetch: Box::new(fetch) }
    }
}

impl<T> Iterator for PageIter<T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Result<T>> {
        loop {
            if let Some(item) = self.page.next() {
                return Some(item);
            }
            match (self.fetch)()? {
                Ok(items) => self.page = items.into_iter(),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

impl<T> fmt::Debug for PageIter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PageIter").field("fetched", &self.page.len()).finish_non_exhaustive()
    }
}
