//! Is a stream of rows read to its end? Then its connection is back in its pool, though the stream itself is there until it is dropped.

use crate::solver::Solver;
use crate::value::SiteId;
use crate::world::{Phase, World};
use sessionlint_ir::{Call, Callee, LocalId, Operand, Place, Projection, Rvalue, StatementKind};

/// How many steps back from a test it is looked where its value comes from.
const MAX_STEPS: usize = 8;

impl Solver<'_> {
    /// An option is none: where a stream gave it that holds a connection while it gives rows, there are no more.
    pub(crate) fn read_to_its_end(&self, world: &mut World, option: &Place) {
        let Some(stream) = self.asked_for_next(option) else { return };
        let value = world.get(self.index, &Place::local(stream));
        if let Some(id) = self.session_of(world, &value)
            && self.is_stream(id.site)
        {
            world.set_phase(id, Phase::Gone);
        }
    }

    /// Whether a session is a stream of rows, by the call that opens it.
    fn is_stream(&self, site: SiteId) -> bool {
        let model = self.index.model;
        let site = &self.sites[usize::from(site.0)];
        let streams = &model.library(model.protocol(site.protocol).library).streams;
        !streams.is_empty()
            && self.body.assignments().any(|(_, value)| match value {
                Rvalue::Call(Call { callee: Callee::Method { name, .. }, name_span, .. }) => {
                    *name_span == site.span && streams.contains(name)
                }
                _ => false,
            })
    }

    /// The stream whose next item an option is: `rows.next().await`, `rows.try_next().await?`.
    fn asked_for_next(&self, option: &Place) -> Option<LocalId> {
        let standard = self.index.model.standard();
        let mut at = option.local;
        let mut inside_of = results_around(option)?;
        for _ in 0..MAX_STEPS {
            let mut values = self.body.statements().filter_map(|statement| match &statement.kind {
                StatementKind::Assign(to, value) if *to == Place::local(at) => Some(value),
                _ => None,
            });
            let (Some(value), None) = (values.next(), values.next()) else { return None };
            let from = match value {
                Rvalue::Use(Operand::Value(from)) | Rvalue::Await { future: Operand::Value(from), .. } => from,
                Rvalue::Call(Call { callee: Callee::Method { receiver, name }, args, .. }) => {
                    if args.is_empty() && standard.reads_on(name) == Some(inside_of) {
                        return receiver.local();
                    }
                    match receiver {
                        Operand::Value(from) if standard.adapts(name) => from,
                        _ => return None,
                    }
                }
                _ => return None,
            };
            inside_of += results_around(from)?;
            at = from.local;
        }
        None
    }
}

/// In how many results a place stands; `None` where it is a part of something else.
fn results_around(place: &Place) -> Option<usize> {
    place.projection.iter().all(|step| *step == Projection::Success).then_some(place.projection.len())
}
