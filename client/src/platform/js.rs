//! JavaScript as the host: its clocks, its timers, and the variables of `process.env` where it has them. No value is
//! assumed to exist: an environment without a clock or without timers is an error or a stopped clock, not a trap.
//!
//! Each wait is a timer of its own. On Cloudflare Workers, a timer belongs to the request in whose handling it was set: one
//! that is shared by all would ring for nobody once that request is over.

use std::cell::Cell;
use std::ops::Add;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::{Duration, SystemTime};

use js_sys::{Date, Function, Promise, Reflect};
use send_wrapper::SendWrapper;
use wasm_bindgen::closure::Closure;
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
///
/// It is no promise: what waits for a promise is freed when that settles, and that of a cleared timer never does.
struct Timeout {
    bell: Rc<Bell>,
    id: JsValue,
    rings: Option<Closure<dyn FnMut()>>,
    /// In the place of a timer that the host refuses.
    refused: Option<JsFuture>,
}

#[derive(Default)]
struct Bell {
    has_rung: Cell<bool>,
    waiting: Cell<Option<Waker>>,
}

impl Timeout {
    fn start(millis: f64) -> Self {
        let bell = Rc::new(Bell::default());
        let rings = Closure::once({
            let bell = Rc::clone(&bell);
            move || {
                bell.has_rung.set(true);
                if let Some(waker) = bell.waiting.take() {
                    waker.wake();
                }
            }
        });
        let set: Option<Function> = global("setTimeout").and_then(|set| set.dyn_into().ok());
        match set.map(|set| set.call2(&JsValue::UNDEFINED, rings.as_ref(), &millis.into())) {
            Some(Ok(id)) => Timeout { bell, id, rings: Some(rings), refused: None },
            // Workers refuse timers outside a request, and requests too. The error of the request must come first.
            _ => {
                let refused = Some(JsFuture::from(Promise::resolve(&JsValue::UNDEFINED)));
                Timeout { bell, id: JsValue::UNDEFINED, rings: None, refused }
            }
        }
    }
}

impl Future for Timeout {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(refused) = &mut self.refused {
            ready!(Pin::new(refused).poll(cx)).ok();
            self.refused = None;
            self.bell.has_rung.set(true);
        }
        if self.bell.has_rung.get() {
            return Poll::Ready(());
        }
        self.bell.waiting.set(Some(cx.waker().clone()));
        Poll::Pending
    }
}

impl Drop for Timeout {
    fn drop(&mut self) {
        if self.bell.has_rung.get() {
            return;
        }
        let Some(rings) = self.rings.take() else { return };
        let clear: Option<Function> = global("clearTimeout").and_then(|clear| clear.dyn_into().ok());
        if clear.and_then(|clear| clear.call1(&JsValue::UNDEFINED, &self.id).ok()).is_none() {
            // It rings for nobody if it cannot be cleared.
            rings.forget();
        }
    }
}

/// `None` if there is no `setTimeout`.
pub(crate) fn default_timer() -> Option<Arc<dyn Timer>> {
    global("setTimeout")?.is_function().then(|| Arc::new(JsTimer) as Arc<dyn Timer>)
}

/// The size of the largest response, by default. A Worker has 128 MB of memory, and reading a reply takes three times its length.
pub(crate) const MAX_RESPONSE_BYTES: usize = 32 << 20;

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
