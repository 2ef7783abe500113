//! What the program does in a terminal: customers, the projection and the worker run until somebody presses `q`.

use std::cell::RefCell;
use std::time::Duration;

use redis_model::Since;
use redis_model::prelude::*;
use redis_model::stream::Counters;
use tokio::sync::oneshot;

use crate::Failure;
use crate::screen::{self, Key, State};
use crate::view::{self, OrderView};
use crate::{billing, customers, events};

/// Between two looks at the keyboard.
const FRAME: Duration = Duration::from_millis(50);
/// Between two looks at the view and the dead letters.
const REFRESH: Duration = Duration::from_millis(300);
/// The most orders in the table. The screen shows as many as fit.
const ORDERS: usize = 50;

pub(crate) async fn run(redis: &Redis) -> Result<(), Failure> {
    customers::prepare(redis).await?;
    let state = RefCell::new(State::default());
    let mut terminal = ratatui::try_init()?; // a panic restores the terminal, too
    let result = all(redis, &state, &mut terminal).await;
    ratatui::restore();
    let counts = state.borrow().counts;
    println!("Ended. The worker has handled {} events with {} requests.", counts.handled, counts.requests);
    result
}

/// Runs everything on this task, until `q` or an error. Then the worker finishes what it has begun.
async fn all(redis: &Redis, state: &RefCell<State>, terminal: &mut ratatui::DefaultTerminal) -> Result<(), Failure> {
    let worker = billing::worker();
    let counters = worker.counters();
    let (end, ended) = oneshot::channel::<()>();
    let ended = async { drop(ended.await) }; // `end` sends nothing: that it is dropped is the message
    let rest = async {
        let _end = end;
        tokio::select! {
            result = customers::keep_shopping(redis) => Ok(result?),
            result = view::follow(redis) => Ok(result?),
            result = events::tail(redis, Since::Last(100), |event| state.borrow_mut().push(&event)) => Ok(result?),
            result = refresh(redis, state) => Ok(result?),
            result = show(redis, state, terminal, &counters) => result,
            result = tokio::signal::ctrl_c() => Ok(result?),
        }
    };
    let bill = async { Ok(worker.run_exactly_until(redis, ended, billing::charge).await?) };
    tokio::try_join!(rest, bill)?;
    Ok(())
}

/// Draws, and does what keys ask for. Returns when the user quits.
async fn show(
    redis: &Redis,
    state: &RefCell<State>,
    terminal: &mut ratatui::DefaultTerminal,
    counters: &Counters,
) -> Result<(), Failure> {
    loop {
        state.borrow_mut().counts = counters.read();
        terminal.draw(|frame| screen::draw(frame, &state.borrow()))?;
        match screen::pressed()? {
            Some(Key::Quit) => return Ok(()),
            Some(Key::Redrive) => drop(billing::redrive(redis).await?),
            None => tokio::time::sleep(FRAME).await,
        }
    }
}

/// Reads what is shown beside the events.
async fn refresh(redis: &Redis, state: &RefCell<State>) -> Result<()> {
    loop {
        let orders = OrderView::latest(redis, ORDERS).await?;
        let open_orders = OrderView::count_open(redis).await?;
        let group = billing::group();
        let waiting = group.status(redis).await?.waiting;
        let dead_letters = group.count_dead_letters(redis).await?;
        let first = group.dead_letters(redis, StreamId::MIN, 1).await?.into_iter().next().transpose()?;
        {
            let mut state = state.borrow_mut();
            (state.orders, state.open_orders, state.waiting) = (orders, open_orders, waiting);
            (state.dead_letters, state.why_dead) = (dead_letters, first.map(|letter| letter.error));
        }
        tokio::time::sleep(REFRESH).await;
    }
}
