//! What the terminal shows: a table of orders, the tail of the events, and the counters of the worker. It knows no database.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use ratatui::Frame;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyModifiers};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style, Stylize as _};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, List, Paragraph, Row, Table};
use redis_model::stream::{Counts, Sourced};

use crate::events::OrderEvent;
use crate::order::Status;
use crate::view::OrderView;

/// The most events that are kept. The screen shows as many as fit.
const EVENTS: usize = 200;

/// Everything that is shown.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// The latest orders, the last one first.
    pub(crate) orders: Vec<OrderView>,
    pub(crate) open_orders: u64,
    pub(crate) counts: Counts,
    pub(crate) waiting: Option<u64>,
    /// How many dead letters there are, and why the first is one.
    pub(crate) dead_letters: u64,
    pub(crate) why_dead: Option<String>,
    events: VecDeque<String>,
}

/// What the user wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    Quit,
    Redrive,
}

impl State {
    pub(crate) fn push(&mut self, event: &Sourced<OrderEvent>) {
        self.events.push_back(format!("{:>4}  {}", event.log, event.event));
        if self.events.len() > EVENTS {
            self.events.pop_front();
        }
    }
}

/// Returns the key that was pressed, if there is one. It does not wait. In this mode of the terminal, Ctrl-C is a key too.
pub(crate) fn pressed() -> io::Result<Option<Key>> {
    while event::poll(Duration::ZERO)? {
        let Event::Key(key) = event::read()? else { continue };
        match key.code {
            KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => return Ok(Some(Key::Quit)),
            KeyCode::Char('q') | KeyCode::Esc => return Ok(Some(Key::Quit)),
            KeyCode::Char('r') => return Ok(Some(Key::Redrive)),
            _ => {}
        }
    }
    Ok(None)
}

pub(crate) fn draw(frame: &mut Frame<'_>, state: &State) {
    let rows = Layout::vertical([Constraint::Fill(1), Constraint::Length(4), Constraint::Length(1)]);
    let [top, worker, help] = rows.areas(frame.area());
    let [orders, events] = Layout::horizontal([Constraint::Length(42), Constraint::Fill(1)]).areas(top);
    draw_orders(frame, orders, state);
    draw_events(frame, events, state);
    draw_worker(frame, worker, state);
    frame.render_widget(Line::from(" q quit   r open accounts for guests and redrive dead letters").dim(), help);
}

fn draw_orders(frame: &mut Frame<'_>, area: Rect, state: &State) {
    let rows = state.orders.iter().map(|order| {
        let euros = format!("{:>7}.{:02}", order.cents / 100, order.cents % 100);
        let status = Span::styled(order.status.name(), color(order.status));
        Row::new([Line::from(order.number.to_string()), order.customer.as_str().into(), status.into(), euros.into()])
    });
    let widths = [Constraint::Length(6), Constraint::Fill(1), Constraint::Length(9), Constraint::Length(10)];
    let header = Row::new(["order", "customer", "status", "     price"]).bold();
    let title = format!(" Orders: {} open ", state.open_orders);
    frame.render_widget(Table::new(rows, widths).header(header).block(Block::bordered().title(title)), area);
}

fn draw_events(frame: &mut Frame<'_>, area: Rect, state: &State) {
    // The newest is at the bottom.
    let visible = usize::from(area.height.saturating_sub(2));
    let lines = state.events.iter().skip(state.events.len().saturating_sub(visible)).map(String::as_str);
    frame.render_widget(List::new(lines).block(Block::bordered().title(" Events ")), area);
}

fn draw_worker(frame: &mut Frame<'_>, area: Rect, state: &State) {
    let Counts { handled, failed, retried, requests, errors, .. } = state.counts;
    let waiting = state.waiting.map_or_else(|| "?".to_owned(), |waiting| waiting.to_string());
    let counters = format!(
        "handled {handled}   waiting {waiting}   failed {failed}   retried {retried}   requests {requests}   errors {errors}"
    );
    let dead = format!("dead letters {}   {}", state.dead_letters, state.why_dead.as_deref().unwrap_or_default());
    let dead = if state.dead_letters > 0 { Line::from(dead).red() } else { Line::from(dead) };
    let block = Block::bordered().title(" Billing ");
    frame.render_widget(Paragraph::new(vec![Line::from(counters), dead]).block(block), area);
}

fn color(status: Status) -> Style {
    Style::new().fg(match status {
        Status::Placed => Color::Yellow,
        Status::Paid => Color::Blue,
        Status::Shipped => Color::Green,
        Status::Cancelled => Color::DarkGray,
    })
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::*;

    fn row(number: u64, customer: &str, status: Status, cents: u32) -> OrderView {
        OrderView { number, customer: customer.into(), status, cents, placed_at: UNIX_EPOCH }
    }

    #[test]
    fn it_shows_the_orders_the_latest_events_and_the_worker() {
        let orders = vec![row(12, "guest-10", Status::Paid, 380), row(7, "ada", Status::Shipped, 182_005)];
        let mut state = State { orders, open_orders: 1, waiting: Some(3), dead_letters: 1, ..State::default() };
        state.why_dead = Some("the record does not exist".into());
        for number in 1..=300 {
            let event = OrderEvent::Shipped { carrier: "sea".into() };
            state.push(&Sourced { log: number.to_string(), version: 5, event });
        }
        let mut terminal = Terminal::new(TestBackend::new(80, 12)).unwrap();
        terminal.draw(|frame| draw(frame, &state)).unwrap();
        let screen = terminal.backend().to_string();
        println!("{screen}");
        for text in
            ["Orders: 1 open", "guest-10", "1820.05", " 300  shipped by sea", "waiting 3", "dead letters 1", "q quit"]
        {
            assert!(screen.contains(text), "{text}");
        }
        assert!(!screen.contains(" 295  "), "the older events have scrolled out");
    }

    #[test]
    fn it_draws_in_the_smallest_terminal() {
        for (width, height) in [(1, 1), (10, 3), (41, 6)] {
            let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
            terminal.draw(|frame| draw(frame, &State::default())).unwrap();
        }
    }
}
