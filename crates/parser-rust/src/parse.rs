//! Is this text an item? The one place where a syntax tree is made, and from which none leaves.

use crate::tokens;
use sessionlint_diagnostics::Span;
use sessionlint_ir::SyntaxError;

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
