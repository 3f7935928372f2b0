//! What does this Rust text do? Outlines of files, and single items lowered to the IR.
//!
//! The only room that knows syn, proc-macro2 and the Rust lexer. The syntax tree never leaves it.

mod declarations;
mod imports;
mod lower;
mod outline;
mod signature;
mod texts;
mod tokens;
mod types;

pub use declarations::{alias, constant_text, function, impl_header, imports, signature, struct_fields};
pub use outline::outline;
pub use tokens::{Comment, comments, identifiers, is_balanced, statement_end, statement_start, written};

use sessionlint_diagnostics::Span;

/// The text of an item could not be parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// What the parser expected, or which bound the item exceeds.
    pub message: String,
    /// Where.
    pub span: Span,
    /// Whether the text was not even tried, because it exceeds a bound.
    pub is_limit: bool,
}

/// Parses the text of one item and hands the tree to `read`, unless the text is nested or chained
/// so deeply that a recursive parser could run out of stack.
pub(crate) fn parse<T: syn::parse::Parse, R>(
    text: &str,
    span: Span,
    read: impl FnOnce(&T) -> R,
) -> Result<R, SyntaxError> {
    if let Some(message) = tokens::too_deep(text) {
        return Err(SyntaxError { message: message.to_owned(), span, is_limit: true });
    }
    let of_macro = || syn::parse_str::<T>(&tokens::without_fragments(text)?).ok();
    let result = match syn::parse_str::<T>(text).or_else(|error| of_macro().ok_or(error)) {
        Ok(tree) => Ok(read(&tree)),
        Err(error) => {
            let range = error.span().byte_range();
            let at = span.start + range.start.min(text.len()) as u32;
            Err(SyntaxError { message: error.to_string(), span: Span::new(span.file, at, at), is_limit: false })
        }
    };
    // Without this every parsed text stays in a thread-local source map for ever.
    proc_macro2::extra::invalidate_current_thread_spans();
    result
}
