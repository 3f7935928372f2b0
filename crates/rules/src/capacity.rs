//! How many calls at once have all connections of a pool, so that each waits for another one? In: what is known of the pool. Out: words.

use crate::Context;
use sessionlint_analysis::{Capacity, Event, EventKind, PoolSize};
use sessionlint_diagnostics::{Label, LabelKind};

/// A second connection that is asked for, and what is known of the pool.
pub(crate) struct Need<'a> {
    pool: &'a Capacity,
    /// So many connections does one call hold when it asks for another one.
    held: usize,
}

impl<'a> Context<'a> {
    /// What is known of the pool that is asked for another connection where something happens.
    pub(crate) fn need(&self, event: &Event) -> Option<Need<'a>> {
        let asks = |other: &&Event| {
            let is_one = matches!(other.kind, EventKind::SecondCheckout { .. });
            is_one && other.site == event.site && other.cause.span == event.cause.span
        };
        let asked = self.report.events.iter().find(asks)?;
        let (_, pool) = self.report.capacities.iter().find(|(site, _)| *site == event.site)?;
        Some(Need { pool, held: asked.held.max(1) })
    }
}

impl Need<'_> {
    /// How many connections the pool has, where one call holds all of them already.
    pub(crate) fn all(&self) -> Option<usize> {
        match self.pool.size {
            PoolSize::Number(size) if size <= self.held => Some(size),
            _ => None,
        }
    }

    /// Why nobody goes on: so many calls hold all connections, and each asks for another one. `m` calls that hold `k` each have all `size`
    /// of them as soon as `m * k >= size`.
    pub(crate) fn why(&self) -> String {
        let (asks, until) = (self.asks(), self.until());
        match &self.pool.size {
            _ if self.all().is_some() => format!("it waits for a connection that it holds itself, {until}"),
            PoolSize::Number(size) => {
                let calls = size.div_ceil(self.held);
                format!("{asks}; when {calls} calls do so at once, they hold all {size} of the pool, and wait {until}")
            }
            PoolSize::Words(_) => format!("{asks}; when calls that do so hold all of the pool, they wait {until}"),
        }
    }

    fn asks(&self) -> String {
        match self.held {
            1 => "each call holds one connection and waits for a second one".to_owned(),
            held => format!("each call holds {held} connections and waits for one more"),
        }
    }

    /// How long a call waits.
    fn until(&self) -> String {
        match self.pool.patience.as_deref() {
            None => "until the acquire timeout".to_owned(),
            Some(none) if none.starts_with("none") => "forever".to_owned(),
            Some(time) => format!("until the acquire timeout, which is {time} by default"),
        }
    }

    /// Who says how many connections the pool has.
    pub(crate) fn told(&self) -> Label {
        let connections = match &self.pool.size {
            PoolSize::Number(1) => "one connection".to_owned(),
            PoolSize::Number(size) => format!("{size} connections"),
            PoolSize::Words(size) => format!("as many connections as its default says: {size}"),
        };
        let message = match (&self.pool.size, self.pool.by_default) {
            (PoolSize::Number(_), true) => format!("the pool is made here, and has {connections} by default"),
            (PoolSize::Words(_), _) => format!("the pool is made here, and has {connections}"),
            (_, false) => format!("the pool gets {connections} here"),
        };
        Label::new(LabelKind::Called, self.pool.at, message).aside()
    }
}
