//! JavaScript as the host: its clocks, its timers, and the variables of `process.env` where it has them. No value is
//! assumed to exist: an environment without a clock or without timers is an error or a stopped clock, not a trap.
//!
//! Each wait is a timer of its own. On Cloudflare Workers, a timer belongs to the request in whose handling it was set: one
//! that is shared by all would ring for nobody once that request is over.

use std::ops::Add;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use js_sys::{Date, Function, Promise, Reflect};
use send_wrapper::SendWrapper;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;

use super::timer::{Timer, Wait};

/// The longest that `setTimeout` waits: 24 days. It takes a longer time for no time at all.
const LONGEST: u128 = i32::MAX as u128;

/// A moment of the monotonic clock, `performance.now()`. It stands still while a Worker computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(Duration);

impl Instant {
    /// Returns the current time: of the wall clock, if there is no monotonic one.
    #[must_use]
    pub fn now() -> Self {
        let millis = performance_now().unwrap_or_else(Date::now);
        Instant(Duration::try_from_secs_f64(millis / 1e3).unwrap_or_default())
    }

    /// Returns the time since this moment.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        Instant::now().saturating_duration_since(*self)
    }

    /// Returns the time since an earlier moment; zero if it is later.
    #[must_use]
    pub fn saturating_duration_since(&self, earlier: Instant) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    /// Returns a later moment, if it can be counted.
    #[must_use]
    pub fn checked_add(&self, duration: Duration) -> Option<Instant> {
        self.0.checked_add(duration).map(Instant)
    }
}

impl Add<Duration> for Instant {
    type Output = Instant;

    fn add(self, duration: Duration) -> Instant {
        Instant(self.0.saturating_add(duration))
    }
}

fn performance_now() -> Option<f64> {
    let performance = global("performance")?;
    let now: Function = Reflect::get(&performance, &"now".into()).ok()?.dyn_into().ok()?;
    now.call0(&performance).ok()?.as_f64()
}

/// The host's `setTimeout`.
#[derive(Debug)]
struct JsTimer;

impl Timer for JsTimer {
    fn sleep(&self, duration: Duration) -> Wait {
        // Rounded up: `setTimeout` counts whole milliseconds.
        let millis = duration.as_nanos().div_ceil(1_000_000);
        if millis > LONGEST {
            return Box::pin(std::future::pending());
        }
        Box::pin(SendWrapper::new(Timeout::start(millis as f64)))
    }
}

/// A timer that is cleared when it is dropped.
struct Timeout {
    /// `None` if it has rung.
    rings: Option<JsFuture>,
    id: JsValue,
}

impl Timeout {
    fn start(millis: f64) -> Self {
        let mut id = JsValue::UNDEFINED;
        let mut is_set = false;
        let promise = Promise::new(&mut |resolve, _| {
            let set: Option<Function> = global("setTimeout").and_then(|set| set.dyn_into().ok());
            if let Some(Ok(set)) = set.map(|set| set.call2(&JsValue::UNDEFINED, &resolve, &millis.into())) {
                (id, is_set) = (set, true);
            }
        });
        // Workers refuse timers outside a request, and requests too. The error of the request must come first.
        let promise = if is_set { promise } else { Promise::resolve(&JsValue::UNDEFINED) };
        Timeout { rings: Some(JsFuture::from(promise)), id }
    }
}

impl Future for Timeout {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(rings) = &mut self.rings else { return Poll::Ready(()) };
        let poll = Pin::new(rings).poll(cx).map(drop);
        if poll.is_ready() {
            self.rings = None;
        }
        poll
    }
}

impl Drop for Timeout {
    fn drop(&mut self) {
        if self.rings.is_some()
            && let Some(clear) = global("clearTimeout").and_then(|clear| clear.dyn_into::<Function>().ok())
        {
            // It rings for nobody if it cannot be cleared.
            let _ = clear.call1(&JsValue::UNDEFINED, &self.id);
        }
    }
}

/// `None` if there is no `setTimeout`.
pub(crate) fn default_timer() -> Option<Arc<dyn Timer>> {
    global("setTimeout")?.is_function().then(|| Arc::new(JsTimer) as Arc<dyn Timer>)
}

/// Where settings are set, if not in variables of the process.
pub(crate) const WHERE_SET: &str = "; a Cloudflare Worker passes its bindings to `Redis::builder_from_vars`";

pub(crate) fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::try_from_secs_f64(Date::now() / 1e3).unwrap_or_default()
}

/// Returns a variable of `process.env`, which Node, Deno, Bun and Vercel have, and Workers with `nodejs_compat`.
pub(crate) fn variable(name: &str) -> Option<String> {
    let env = Reflect::get(&global("process")?, &"env".into()).ok()?;
    Reflect::get(&env, &name.into()).ok()?.as_string()
}

/// Returns the name of the platform, if it is known without a variable.
pub(crate) fn host() -> Option<&'static str> {
    let agent = Reflect::get(&global("navigator")?, &"userAgent".into()).ok()?.as_string()?;
    (agent == "Cloudflare-Workers").then_some("cloudflare")
}

/// Returns a global value, if there is one.
fn global(name: &str) -> Option<JsValue> {
    let value = Reflect::get(&js_sys::global(), &name.into()).ok()?;
    (!value.is_undefined() && !value.is_null()).then_some(value)
}
