//! What does `select!` wait for, and where does control go then?

use super::Lowerer;
use sessionlint_ir::{DropCause, Operand, Place, Race, Rvalue, Terminator, Test, TestRole};
use syn::parse::{Parse, ParseStream};
use syn::{Expr, Macro, Pat, Token};

struct SelectArm {
    pattern: Pat,
    future: Expr,
    body: Expr,
}

struct Select {
    arms: Vec<SelectArm>,
    otherwise: Option<Expr>,
    /// Whether it waits until one of its futures is done.
    waits: bool,
}

impl Parse for Select {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut select = Select { arms: Vec::new(), otherwise: None, waits: true };
        if input.peek(syn::Ident) && input.fork().parse::<syn::Ident>()? == "biased" && input.peek2(Token![;]) {
            input.parse::<syn::Ident>()?;
            input.parse::<Token![;]>()?;
        }
        while !input.is_empty() {
            if input.peek(Token![else]) {
                input.parse::<Token![else]>()?;
                input.parse::<Token![=>]>()?;
                (select.otherwise, select.waits) = (Some(arm_body(input)?), false);
            } else if input.peek(syn::Ident) && input.peek2(Token![=>]) && select.otherwise.is_none() {
                // Those of `futures`: `default` does not wait, `complete` is for when all are done.
                let word: syn::Ident = input.parse()?;
                if word != "default" && word != "complete" {
                    return Err(syn::Error::new(word.span(), "expected `default` or `complete`"));
                }
                input.parse::<Token![=>]>()?;
                (select.otherwise, select.waits) = (Some(arm_body(input)?), word == "complete");
            } else {
                let pattern = Pat::parse_multi_with_leading_vert(input)?;
                input.parse::<Token![=]>()?;
                let future: Expr = input.parse()?;
                if input.peek(Token![,]) && input.peek2(Token![if]) {
                    input.parse::<Token![,]>()?;
                    input.parse::<Token![if]>()?;
                    input.parse::<Expr>()?;
                }
                input.parse::<Token![=>]>()?;
                let body = arm_body(input)?;
                select.arms.push(SelectArm { pattern, future, body });
            }
            if input.peek(Token![,]) {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(select)
    }
}

impl Lowerer<'_> {
    /// One of the futures runs to its end, and its arm goes on; the others are cancelled.
    pub(super) fn select(&mut self, mac: &Macro, dest: &Place) {
        let span = self.span_of(&mac.path);
        let Ok(select) = syn::parse2::<Select>(mac.tokens.clone()) else {
            return self.unknown_macro(mac, dest);
        };
        let futures: Vec<Place> = select
            .arms
            .iter()
            .map(|arm| {
                let future = Place::local(self.temporary(span));
                let operand = self.operand(&arm.future);
                self.assign(&future, Rvalue::Use(operand), span);
                future
            })
            .collect();
        if select.waits {
            let nothing = Place::local(self.frame().local(None, span, None));
            self.assign(&nothing, Rvalue::Select(futures.clone()), span);
        }
        let join = self.new_block();
        for (index, arm) in select.arms.iter().enumerate() {
            let next = self.new_block();
            let raced = self.span_of(&arm.future);
            let around = std::mem::replace(&mut self.frame().role, TestRole::Race(span.start));
            self.frame().test(Test::Opaque, next, raced);
            self.frame().role = around;
            self.frame().push_scope();
            let output = Place::local(self.temporary(span));
            let future = Operand::Value(futures[index].clone());
            self.assign(&output, Rvalue::Await { future, race: Race::FirstDone }, span);
            // What the other futures hold is handed back or dropped by the cancelled futures themselves.
            let cancelled = futures.iter().enumerate().filter(|(other, _)| *other != index);
            let cancelled = cancelled.map(|(_, future)| Operand::Value(future.clone())).collect();
            let nothing = Place::local(self.frame().local(None, span, None));
            self.assign(&nothing, Rvalue::Opaque(cancelled), span);
            self.pattern_as(TestRole::Pattern, &arm.pattern, &output, next);
            self.value_into(&arm.body, dest);
            self.frame().pop_scope(DropCause::ScopeEnd { value: None }, span);
            self.frame().goto(join);
            self.frame().current = next;
        }
        match &select.otherwise {
            Some(body) => {
                self.value_into(body, dest);
                self.frame().goto(join);
            }
            None => self.frame().terminate(Terminator::Diverge),
        }
        self.frame().current = join;
    }
}

/// The body of an arm: behind a block no comma is needed.
fn arm_body(input: ParseStream<'_>) -> syn::Result<Expr> {
    if !input.peek(syn::token::Brace) {
        return input.parse();
    }
    let block: syn::Block = input.parse()?;
    Ok(Expr::Block(syn::ExprBlock { attrs: Vec::new(), label: None, block }))
}
