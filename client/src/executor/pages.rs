//! Items that come in pages, as a stream. Each page is fetched when the one before it is used up.

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
