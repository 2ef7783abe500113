//! Several records in one request, each with a result of its own.

use redis_rest::{Batch, Client, Command, Executor, Result};

/// The result for each record of a call such as [`save_many`](crate::HashModel::save_many), in order.
///
/// ```no_run
/// # use redis_model::prelude::*;
/// # #[derive(Debug, RedisModel)]
/// # #[redis(prefix = "user")]
/// # struct User { #[redis(id)] id: u64 }
/// # async fn example(redis: Redis, users: Vec<User>) -> Result<()> {
/// for (user, saved) in users.iter().zip(User::save_many(&redis, &users).await?) {
///     if let Err(error) = saved {
///         println!("{user:?} was not saved: {error}");
///     }
/// }
///
/// User::save_many(&redis, &users).await?.all()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "each record has a result of its own; `all` returns the first error"]
pub struct Each<T>(Vec<Result<T>>);

impl<T> Each<T> {
    /// Returns the values, if there is no error.
    ///
    /// # Errors
    ///
    /// The first error. It names the record. The other records are saved or deleted all the same.
    pub fn all(self) -> Result<Vec<T>> {
        self.0.into_iter().collect()
    }

    /// Returns the result for each record.
    #[must_use]
    pub fn into_vec(self) -> Vec<Result<T>> {
        self.0
    }
}

impl<T> IntoIterator for Each<T> {
    type Item = Result<T>;
    type IntoIter = std::vec::IntoIter<Result<T>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// Sends all commands in one request, except those that cannot be sent.
pub(super) fn send<C: Client, R: 'static>(client: C, commands: impl Iterator<Item = Command<R>>) -> C::Out<Each<R>> {
    let mut batch = Batch::new(client);
    let slots: Vec<_> = commands
        .map(|command| {
            command.validate()?;
            Ok((&mut batch).submit(command))
        })
        .collect();
    batch.exec_with(move |replies| {
        Ok(Each(slots.into_iter().map(|slot: Result<_>| slot.and_then(|slot| replies.take(slot))).collect()))
    })
}
