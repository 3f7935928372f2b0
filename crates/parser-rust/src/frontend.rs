//! What does Rust answer to what a language is asked?

use crate::{declarations, module, outline, tokens};
use sessionlint_diagnostics::{FileId, Span};
use sessionlint_ir::{
    Comment, Field, Frontend, FunctionItem, ImplHeader, Import, Outline, Signature, SyntaxError, TypeRef,
};
use std::path::Path;

/// The front end for Rust.
pub struct Rust;

impl Frontend for Rust {
    fn name(&self) -> &'static str {
        "Rust"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["rs"]
    }

    fn comment_marker(&self) -> &'static str {
        "//"
    }

    fn outline(&self, text: &str, file: FileId) -> Outline {
        outline::outline(text, file)
    }

    fn function(
        &self,
        text: &str,
        span: Span,
        macros: &dyn Fn(&[String]) -> Option<String>,
    ) -> Result<FunctionItem, SyntaxError> {
        declarations::function(text, span, macros)
    }

    fn signature(&self, text: &str, span: Span) -> Result<Signature, SyntaxError> {
        declarations::signature(text, span)
    }

    fn fields(&self, text: &str, span: Span) -> Result<(Vec<Field>, Vec<String>), SyntaxError> {
        declarations::struct_fields(text, span)
    }

    fn alias(&self, text: &str, span: Span) -> Result<(TypeRef, Vec<String>), SyntaxError> {
        declarations::alias(text, span)
    }

    fn impl_header(&self, text: &str, span: Span) -> Result<ImplHeader, SyntaxError> {
        declarations::impl_header(text, span)
    }

    fn imports(&self, text: &str, span: Span) -> Result<Vec<Import>, SyntaxError> {
        declarations::imports(text, span)
    }

    fn constant(&self, text: &str, span: Span) -> Result<(TypeRef, Option<String>), SyntaxError> {
        declarations::constant_text(text, span)
    }

    fn comments(&self, text: &str, file: FileId) -> Vec<Comment> {
        tokens::comments(text, file)
    }

    fn tokens<'t>(&self, text: &'t str) -> Vec<&'t str> {
        tokens::written(text)
    }

    fn next_names(&self, text: &str, from: usize, found: &mut [(usize, usize)]) -> (usize, usize) {
        tokens::next_names(text, from, found)
    }

    fn statement_end(&self, text: &str, start: u32) -> u32 {
        tokens::statement_end(text, start)
    }

    fn statement_start(&self, text: &str, from: u32, at: u32) -> Option<u32> {
        tokens::statement_start(text, from, at)
    }

    fn module(&self, inside: &Path) -> Vec<String> {
        module::path(inside)
    }

    fn is_balanced(&self, text: &str) -> bool {
        tokens::is_balanced(text)
    }
}
