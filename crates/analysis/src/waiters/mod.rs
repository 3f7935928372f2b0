//! Who else waits for the pool of a connection? Nobody does for the only connection of a pool, for a worker's own, nor while a program
//! does one thing after the other. In: what was found out about a function. Out: the same without what is told because others wait.

mod capacity;
mod own_pool;
mod program;
mod size;
mod starts;
mod worker;

use crate::events::{Event, EventKind, Report, Site, SiteId};
use crate::index::ItemRef;
use crate::summary::Analysis;
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
        let is_told = |event: &Event| self.is_for_others(item, sites, event);
        if !events.iter().any(is_told) || self.index.item(item).is_none_or(|item| item.name != function.name) {
            return;
        }
        events.retain(|event| !is_told(event) || !self.runs_alone(item, body, event.cause.span));
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
                let held = |site: &&Site| self.index.model.protocol(site.protocol).kind != ProtocolKind::Guard;
                !protocol.is_exclusive()
                    && self.has_more_than(item.file, site.protocol, sites.iter().filter(held).count())
            }
            _ => false,
        }
    }
}
