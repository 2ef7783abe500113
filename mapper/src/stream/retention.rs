//! How many entries a log keeps.

use std::sync::LazyLock;
use std::time::Duration;

use redis_rest::commands::stream::{StreamId, Trim};
use redis_rest::{Command, Script};

use super::StreamModel;
use crate::millis::millis;
use crate::scripts::{lua, script};

static TRIM: LazyLock<Script> = LazyLock::new(|| script(&[lua::RETAIN, lua::TRIM]).key_locking());

/// Which entries a log keeps: the newest, those from an id on, those of the last days, or all.
///
/// [`Log::trim`](super::Log::trim) removes the other entries at once,
/// [`AppendOptions::retention`](super::AppendOptions::retention) with each append. The attributes `max_len`, `max_age`
/// and `exact` of a model set the retention of its appends.
///
/// With several limits, an entry stays if all of them keep it. By default, a limit is approximate: Redis removes
/// entries by whole nodes of about 100, because that is cheaper, and at most 10,000 at once. So a short log keeps more
/// entries than the limit says.
///
/// ```no_run
/// use std::time::Duration;
///
/// use redis_model::prelude::*;
/// use redis_model::stream::{AppendOptions, Retention};
///
/// #[derive(Debug, RedisModel)]
/// #[redis(stream, prefix = "temperature")]
/// struct Reading {
///     celsius: f64,
/// }
///
/// # async fn example(redis: Redis) -> Result<()> {
/// let log = Reading::log("roof");
/// let options = AppendOptions::new().retention(Retention::new().max_len(1000));
/// log.append_with(&redis, [&Reading { celsius: 21.5 }], &options).await?;
///
/// log.trim(&redis, Retention::new().max_len(100).exact()).await?;
/// assert!(log.len(&redis).await? <= 100);
///
/// let week = Duration::from_secs(7 * 24 * 60 * 60);
/// let removed = log.trim(&redis, Retention::new().max_age(week)).await?;
/// println!("{removed} entries were older than a week");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retention {
    max_len: Option<u64>,
    min_id: Option<StreamId>,
    max_age: Option<Duration>,
    exact: bool,
}

impl Retention {
    /// Keeps all entries.
    #[must_use]
    pub const fn new() -> Self {
        Retention { max_len: None, min_id: None, max_age: None, exact: false }
    }

    /// Returns the retention that the attributes of a model set.
    pub(super) const fn of<M: StreamModel>() -> Self {
        Retention { max_len: M::MAX_LEN, min_id: None, max_age: M::MAX_AGE, exact: M::EXACT }
    }

    /// Keeps the newest `entries`.
    #[must_use]
    pub const fn max_len(mut self, entries: u64) -> Self {
        self.max_len = Some(entries);
        self
    }

    /// Keeps the entries from `id` on.
    #[must_use]
    pub const fn min_id(mut self, id: StreamId) -> Self {
        self.min_id = Some(id);
        self
    }

    /// Keeps the entries of the last `age`, by the server's clock and the times in their ids.
    ///
    /// It is for logs whose ids the server chooses. If the server's clock jumps forward, entries count as older than
    /// they are, and are removed earlier. If it jumps back, they stay longer.
    #[must_use]
    pub const fn max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }

    /// Removes exactly the entries that are not kept. It costs more than an approximate limit: Redis rewrites the node
    /// that contains the first entry.
    #[must_use]
    pub const fn exact(mut self) -> Self {
        self.exact = true;
        self
    }

    /// Returns the trim of a plain command, if one can do it: Redis takes one limit at once, and knows no ages.
    fn plain(self) -> Option<Trim> {
        let trim = match (self.max_len, self.min_id, self.max_age) {
            (Some(entries), None, None) => Trim::max_len(entries),
            (None, Some(id), None) => Trim::min_id(id),
            _ => return None,
        };
        Some(if self.exact { trim } else { trim.approximately() })
    }

    fn keeps_all(self) -> bool {
        self.max_len.is_none() && self.min_id.is_none() && self.max_age.is_none()
    }

    /// Returns the trim of a plain XADD, or `None` if only a script can keep these entries.
    pub(super) fn of_append(self) -> Option<Option<Trim>> {
        if self.keeps_all() { Some(None) } else { self.plain().map(Some) }
    }

    /// Returns why no append can have this retention.
    pub(super) fn problem_of_append(self) -> Option<&'static str> {
        if self.max_len == Some(0) {
            return Some("`max_len(0)` would remove the new entries too; use at least 1, or call `trim` afterwards");
        }
        self.problem()
    }

    fn problem(self) -> Option<&'static str> {
        if self.max_len.is_some_and(|entries| i64::try_from(entries).is_err()) {
            return Some("`max_len` is larger than 2^63 - 1, the most that Redis takes; remove it to keep all entries");
        }
        (self.max_age == Some(Duration::ZERO))
            .then_some("a `max_age` of 0 would remove all entries; use at least a millisecond, or call `clear`")
    }

    /// Returns the mode and the limits as scripts take them.
    pub(super) fn texts(self) -> [String; 4] {
        let text = |limit: Option<u64>| limit.map(|limit| limit.to_string()).unwrap_or_default();
        let min_id = self.min_id.map(|id| id.to_string()).unwrap_or_default();
        let max_age = self.max_age.map(millis);
        let mode = if self.exact { "=" } else { "~" };
        [mode.to_owned(), text(self.max_len), min_id, text(max_age)]
    }

    /// Returns the command that removes the entries of a log that need not stay.
    pub(super) fn trim(self, log: &str) -> Command<u64> {
        let command = match self.plain() {
            Some(trim) => Command::write("XTRIM").key(log).options(trim),
            None => TRIM.key(log).args(self.texts()).command(),
        };
        let command = command.reply();
        match self.problem() {
            _ if self.keeps_all() => {
                command.reject("a `Retention` without a limit keeps all entries; add `max_len`, `min_id` or `max_age`")
            }
            Some(why) => command.reject(why),
            None => command,
        }
    }
}
