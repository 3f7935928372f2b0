//! Who else waits for the pool of a connection? Nobody does for the only connection of a pool, for a worker's own, nor while a program
//! does one thing after the other. In: what was found out about a function. Out: the same without what is told because others wait.

mod background;
mod capacity;
mod own_pool;
mod program;
mod size;
mod starts;
mod unused;
mod worker;

use crate::events::{Event, EventKind, Report, Site, SiteId};
use crate::index::ItemRef;
use crate::summary::Analysis;
use crate::turn::Turn;
use sessionlint_ir::{Body, FunctionItem};
use sessionlint_protocols::ProtocolKind;

impl Analysis<'_> {
    /// Takes out what is told of sessions because others wait for them, where nobody does.
    pub(crate) fn without_waiters(&self, item: ItemRef, function: &FunctionItem, body: &Body, report: &mut Report) {
        let Report { sites, events, .. } = report;
        let site = |event: &Event| &sites[usize::from(event.site.0)];
        let polls = |event: &Event| matches!(event.kind, EventKind::HeldAcross { .. }) && site(event).borrowed;
        if events.iter().any(polls) && self.callers_wait_for_nobody(item) {
            events.retain(|event| !polls(event));
        }
        let is_made = |event: &Event| event.kind == EventKind::MadePerCall { in_loop: false };
        let in_background = |event: &Event| is_made(event) && self.is_for_background(item, body, site(event).span);
        events.retain(|event| !in_background(event));
        let is_beside = |event: &Event| event.kind.is_beside() || is_made(event);
        if events.iter().any(is_beside) && self.is_unused(item) {
            events.retain(|event| !is_beside(event));
        }
        let is_told = |event: &Event| self.is_for_others(item, sites, event);
        if !events.iter().any(|event| event.kind.is_beside())
            || self.index.item(item).is_none_or(|item| item.name != function.name)
        {
            return;
        }
        let runs = |event: &Event, turn| self.runs_in_turn(item, body, event.cause.span, turn);
        events.retain(|event| !is_told(event) || !runs(event, Turn::Alone));
        // What was found out about those who call it belongs to all of them.
        self.index.files_that_name(item.file).into_iter().for_each(|file| self.index.reads_package(file));
        for event in events.iter_mut() {
            let turn = self.turn_of(item, sites, event);
            let is_for_one = turn == Some(Turn::Single) && self.index.is_of_a_screen(item);
            event.in_turn = is_for_one || turn.is_some_and(|turn| runs(event, turn));
        }
    }

    /// How `main` leads to what hardly anybody waits for: the one task that comes there holds one connection, or two. An open transaction
    /// keeps more than its connection, so that is told of a loop.
    fn turn_of(&self, item: ItemRef, sites: &[Site], event: &Event) -> Option<Turn> {
        let site = &sites[usize::from(event.site.0)];
        let protocol = self.index.model.protocol(site.protocol);
        match &event.kind {
            EventKind::HeldAcross { .. } if site.borrowed => None,
            EventKind::HeldAcross { .. } if protocol.kind == ProtocolKind::Connection && !site.raw => {
                Some(Turn::Single)
            }
            EventKind::HeldAcross { .. } => Some(Turn::Once),
            EventKind::SecondCheckout { .. } => {
                let held = sites.iter().filter(|site| self.is_no_guard(site)).count();
                let is_enough = !protocol.is_exclusive() && !self.has_at_most(item.file, site.protocol, held);
                is_enough.then_some(Turn::Single)
            }
            _ => None,
        }
    }

    fn is_no_guard(&self, site: &Site) -> bool {
        self.index.model.protocol(site.protocol).kind != ProtocolKind::Guard
    }

    /// Tells how many connections the pools have of which a second one is taken.
    pub(crate) fn tell_capacities(&self, item: ItemRef, report: &mut Report) {
        let asked = report.events.iter().filter(|event| matches!(event.kind, EventKind::SecondCheckout { .. }));
        let mut sites: Vec<SiteId> = asked.map(|event| event.site).collect();
        sites.sort();
        sites.dedup();
        report.capacities = sites
            .into_iter()
            .filter_map(|site| Some((site, self.capacity(item.file, report.site(site).protocol)?)))
            .collect();
    }

    /// Whether an event is told because others wait for the pool, or for the lock of a file that nobody else has open.
    fn is_for_others(&self, item: ItemRef, sites: &[Site], event: &Event) -> bool {
        let site = &sites[usize::from(event.site.0)];
        let protocol = self.index.model.protocol(site.protocol);
        match &event.kind {
            EventKind::HeldAcross { .. } => {
                (protocol.kind == ProtocolKind::Connection && !site.raw)
                    || self.index.is_on_file(item.file, protocol.library)
            }
            EventKind::SecondCheckout { .. } => {
                let held = sites.iter().filter(|site| self.is_no_guard(site)).count();
                !protocol.is_exclusive() && self.has_more_than(item.file, site.protocol, held)
            }
            _ => false,
        }
    }
}
