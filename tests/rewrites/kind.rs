//! Which ways are there to write the same?

/// A way to write the same in another way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rewrite {
    /// Without comments, all on one line.
    Printed,
    /// Comments between all statements, with code in them.
    Comments,
    /// `(e)?`, `(e).await`, `let x = (e);`
    Parentheses,
    /// `let x = { e };`
    Blocks,
    /// `match e { Ok(value) => value, Err(error) => return Err(error.into()) }` for `e?`.
    QuestionAsMatch,
    /// `if let Err(error) = e { return Err(error.into()); }` for the statement `e?;`.
    QuestionAsIfLet,
    /// `let outcome = e; outcome?;` for the statement `e?;`.
    QuestionLater,
    /// `e.map_err(|error| error)?`
    MapErr,
    /// `match e { P => {..} _ => {..} }` for `if let P = e {..} else {..}`.
    IfLetAsMatch,
    /// The other way round, for two arms.
    MatchAsIfLet,
    /// `let x = match e { P(x) => x, _ => .. };` for `let P(x) = e else {..};`.
    LetElseAsMatch,
    /// `if !(c) { B } else { A }`
    Negated,
    /// `match c { true => A, false => B }`
    IfAsMatch,
    /// `if a { if b { .. } }` for `if a && b { .. }`.
    NestedIf,
    /// `loop { if !(c) { break; } .. }` for `while c { .. }`.
    WhileAsLoop,
    /// `loop { match e { P => .., _ => break } }` for `while let P = e { .. }`.
    WhileLetAsLoop,
    /// `let future = e; future.await?;` for `e.await?;`.
    FutureFirst,
    /// Session variables with other names.
    Renamed,
    /// `let mut tx = e; let mut tx = tx;`
    Shadowed,
    /// `use a::B as C;`
    UsedAs,
    /// Names of imports written in full.
    FullPaths,
    /// A block around the body.
    BodyInBlock,
    /// `async move { .. }.await` around the body.
    BodyInAsync,
    /// `(move || { .. })()` around the body.
    BodyInClosure,
    /// `return e;` for a last expression `e`.
    ReturnedTail,
    /// All in an inner module, re-exported.
    InnerModule,
    /// Statements that do nothing between the others.
    Unrelated,
    /// `std::mem::drop(x)` for `drop(x)`, `Result::Ok(x)` for `Ok(x)`.
    LongNames,
    /// Labels on loops.
    Labels,
    /// `if true { return e; }` for `return e;`, `else { unreachable!() }`.
    IfTrue,
}

impl Rewrite {
    /// All of them but the first, which the others start from.
    pub const ALL: [Self; 29] = [
        Self::Comments,
        Self::Parentheses,
        Self::Blocks,
        Self::QuestionAsMatch,
        Self::QuestionAsIfLet,
        Self::QuestionLater,
        Self::MapErr,
        Self::IfLetAsMatch,
        Self::MatchAsIfLet,
        Self::LetElseAsMatch,
        Self::Negated,
        Self::IfAsMatch,
        Self::NestedIf,
        Self::WhileAsLoop,
        Self::WhileLetAsLoop,
        Self::FutureFirst,
        Self::Renamed,
        Self::Shadowed,
        Self::UsedAs,
        Self::FullPaths,
        Self::BodyInBlock,
        Self::BodyInAsync,
        Self::BodyInClosure,
        Self::ReturnedTail,
        Self::InnerModule,
        Self::Unrelated,
        Self::LongNames,
        Self::Labels,
        Self::IfTrue,
    ];
}
