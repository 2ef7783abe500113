//! Items that come in pages, as a stream and as an iterator. Each page is fetched when the one before it is used up.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use crate::command::Command;
use crate::error::Result;

/// A position among pages that take one command each, and how to continue from there.
pub trait Paging: Send + Sized + 'static {
    /// An item of the stream or the iterator.
    type Item: Send + 'static;
    /// The reply to the command for a page.
    type Reply: 'static;

    /// Returns the command for the page.
    fn command(&self) -> Command<Self::Reply>;

    /// Returns the page's items, and the next page if there is one.
    fn advance(self, reply: Self::Reply) -> (Vec<Result<Self::Item>>, Option<Self>);
}

/// A stream of items that come in pages. Each page is fetched when it is needed.
///
/// It is a [`Stream`], and needs no extension trait: [`next`](Pages::next) and [`collect`](Pages::collect) are methods
/// of its own. An item that cannot be read is an error, and the stream continues. If a page cannot be fetched, the stream
/// ends with that error.
#[must_use = "a stream fetches nothing until it is polled"]
pub struct Pages<T> {
    page: VecDeque<Result<T>>,
    fetch: Option<Fetch<T>>,
}

/// A page on its way: its items, and how to fetch the page after it.
type Fetch<T> = Pin<Box<dyn Future<Output = Result<(Vec<Result<T>>, Option<Next<T>>)>> + Send>>;

/// Begins to fetch a page.
struct Next<T>(Box<dyn FnOnce() -> Fetch<T> + Send>);

impl<T: Send + 'static> Pages<T> {
    /// Creates a stream of the pages from `start` on. `fetch` returns a page's items, and where the next page starts.
    pub fn new<P, F>(start: P, fetch: impl Fn(P) -> F + Send + Clone + 'static) -> Self
    where
        P: Send + 'static,
        F: Future<Output = Result<(Vec<Result<T>>, Option<P>)>> + Send + 'static,
    {
        Pages { page: VecDeque::new(), fetch: Some(begin(start, fetch)) }
    }

    /// Returns the next item; `None` at the end.
    pub async fn next(&mut self) -> Option<Result<T>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// Returns all items.
    ///
    /// # Errors
    ///
    /// The first error, which ends the stream.
    pub async fn collect(mut self) -> Result<Vec<T>> {
        let mut items = Vec::new();
        while let Some(item) = self.next().await {
            items.push(item?);
        }
        Ok(items)
    }
}

fn begin<P, T, F>(start: P, fetch: impl Fn(P) -> F + Send + Clone + 'static) -> Fetch<T>
where
    P: Send + 'static,
    T: Send + 'static,
    F: Future<Output = Result<(Vec<Result<T>>, Option<P>)>> + Send + 'static,
{
    let page = fetch(start);
    Box::pin(async move {
        let (items, next) = page.await?;
        let next = next.map(|next| Next(Box::new(move || begin(next, fetch))));
        Ok((items, next))
    })
}

// Nothing in it is pinned in place.
impl<T> Unpin for Pages<T> {}

impl<T> Stream for Pages<T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<T>>> {
        loop {
            if let Some(item) = self.page.pop_front() {
                return Poll::Ready(Some(item));
            }
            let Some(fetch) = &mut self.fetch else { return Poll::Ready(None) };
            let fetched = ready!(fetch.as_mut().poll(cx));
            self.fetch = None;
            match fetched {
                Ok((items, next)) => {
                    self.page = items.into();
                    self.fetch = next.map(|next| next.0());
                }
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
    }
}

impl<T> fmt::Debug for Pages<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").field("fetched", &self.page.len()).finish_non_exhaustive()
    }
}

/// An iterator over items that come in pages: what the blocking client returns instead of [`Pages`]. Each page is fetched
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
    pub(crate) fn new<P: Paging<Item = T>>(
        start: P,
        fetch: impl Fn(Command<P::Reply>) -> Result<P::Reply> + Send + 'static,
    ) -> Self {
        PageIter::of_pages(start, move |paging: P| {
            let reply = fetch(paging.command())?;
            Ok(paging.advance(reply))
        })
    }

    /// Creates an iterator over the pages from `start` on. `fetch` returns a page's items, and where the next page starts.
    pub(crate) fn of_pages<P: Send + 'static>(
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
