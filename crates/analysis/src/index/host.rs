//! What do the front end of a language and the engine provide?

use sessionlint_diagnostics::{FileId, Span};
use sessionlint_ir::{Field, FunctionItem, ImplHeader, Import, ItemId, Language, Outline, Signature, TypeRef};
use std::sync::OnceLock;

/// A file's text and outline.
#[derive(Debug)]
pub struct FileData {
    /// What it is written in.
    pub language: Language,
    /// The text.
    pub text: String,
    /// Its items.
    pub outline: Outline,
    /// What the headers of its `impl` blocks say, read when somebody asks; it stays true as long as the text does.
    pub(super) headers: Vec<OnceLock<Option<ImplHeader>>>,
    /// The methods in it, by the name of the type or trait that they belong to.
    pub(super) methods: OnceLock<Vec<(String, Vec<ItemId>)>>,
    /// What stands for the text.
    pub(super) says: OnceLock<u128>,
    /// What stands for the text of each function that somebody read.
    pub(super) functions: OnceLock<Vec<OnceLock<u128>>>,
}

impl FileData {
    /// A text with its items.
    pub fn new(language: Language, text: String, outline: Outline) -> Self {
        let headers = outline.items.iter().map(|_| OnceLock::new()).collect();
        let (methods, says, functions) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        Self { language, text, outline, headers, methods, says, functions }
    }
}

/// What the front end of a language and the engine provide.
pub trait Host: Sync {
    /// The text and outline of a file; `None` when it cannot be read.
    fn data(&self, file: FileId) -> Option<&FileData>;
    /// The fields and type parameters of a struct, union or enum.
    fn fields(&self, text: &str, span: Span) -> Option<(Vec<Field>, Vec<String>)>;
    /// What an alias stands for, and its type parameters.
    fn alias(&self, text: &str, span: Span) -> Option<(TypeRef, Vec<String>)>;
    /// The header of an `impl` block.
    fn impl_header(&self, text: &str, span: Span) -> Option<ImplHeader>;
    /// The names that an import brings in.
    fn imports(&self, text: &str, span: Span) -> Option<Vec<Import>>;
    /// The type of a constant, and its text when it is a text literal.
    fn constant(&self, text: &str, span: Span) -> Option<(TypeRef, Option<String>)>;
    /// The text of a file that source code includes: its path from the including file, or from that one's package.
    fn included(&self, file: FileId, path: &str, from_package: bool) -> Option<String>;
    /// A function's signature.
    fn signature(&self, text: &str, span: Span) -> Option<Signature>;
    /// A function with its body lowered; `macros` gives the text of the workspace's own macros by path.
    fn function(&self, text: &str, span: Span, macros: &dyn Fn(&[String]) -> Option<String>) -> Option<FunctionItem>;
}
