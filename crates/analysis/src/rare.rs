//! Does a function that reads something write only where it finds nothing? A setting and its default, say: whoever asks for it again
//! has it made again.

use crate::solver::Solver;
use sessionlint_diagnostics::Span;
use sessionlint_ir::{BlockId, LocalId, Operand, Terminator, Test, TypeRef};

impl Solver<'_> {
    /// Whether all that is written through a session that is lent is written where something that was read through it is not there, and the
    /// function, by its name and by what it gives, is asked for that.
    pub(crate) fn writes_only_what_is_missing(&self, lent: LocalId) -> bool {
        let Some(param) = self.body.params.iter().position(|param| *param == lent) else { return false };
        let writes = |name: &str| self.index.model.learned_words().is_write(name);
        let is_asked = self.gives_something() && !self.function_name().is_none_or(|name| writes(&name));
        let terminators = self.body.blocks.iter().map(|block| &block.terminator);
        let missing: Vec<(BlockId, BlockId)> =
            terminators.filter_map(|terminator| self.where_missing(terminator, param)).collect();
        let leads = |from: BlockId, to: BlockId| from == to || self.body.leads_to(from, to);
        let is_behind = |at: &BlockId| missing.iter().any(|(none, some)| leads(*none, *at) && !leads(*some, *at));
        is_asked && !self.loan.written_at.is_empty() && self.loan.written_at.iter().all(is_behind)
    }

    fn function_name(&self) -> Option<String> {
        Some(self.index.item(self.scope.function?)?.name.clone())
    }

    /// Whether the body gives more than that it worked.
    fn gives_something(&self) -> bool {
        fn is_something(ty: &TypeRef) -> bool {
            match ty {
                TypeRef::Path { segments, args } if segments.last().is_some_and(|name| name.ends_with("Result")) => {
                    args.first().is_some_and(is_something)
                }
                TypeRef::Path { segments, .. } => segments.last().is_none_or(|name| name != "bool"),
                TypeRef::Tuple(parts) => !parts.is_empty(),
                _ => true,
            }
        }
        self.body.output.as_ref().is_some_and(is_something)
    }

    /// Where a test goes on when there is no such thing as what was read through a parameter, and where else.
    fn where_missing(&self, terminator: &Terminator, param: usize) -> Option<(BlockId, BlockId)> {
        let Terminator::Test { test, yes, no, span, .. } = terminator else { return None };
        let (place, none, some) = match test {
            Test::Success(place) => (place, *no, *yes),
            Test::Failure(place) => (place, *yes, *no),
            _ => return None,
        };
        let asked = Operand::Value(place.clone());
        (self.asks_for_something(*span) && self.parameters_behind(std::iter::once(&asked)).contains(&param))
            .then_some((none, some))
    }

    /// Whether somebody wrote a pattern or condition that asks whether there is something: an option, or the result of a call that fails
    /// where it finds none.
    fn asks_for_something(&self, span: Span) -> bool {
        let data = self.index.host.data(span.file);
        let text = data.and_then(|data| data.text.get(span.start as usize..span.end as usize)).unwrap_or_default();
        ["Some", "None", "is_some", "is_none", "Ok", "Err", "is_ok", "is_err"].iter().any(|word| text.contains(word))
    }
}
