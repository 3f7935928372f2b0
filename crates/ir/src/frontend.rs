//! What does the program ask of a language? One trait, which each front end implements.

use crate::body::FunctionItem;
use crate::change::Rewrite;
use crate::glance::Glance;
use crate::item::{Field, ImplHeader, Import, Outline, Signature, TypeRef};
use sessionlint_diagnostics::{FileId, Span};
use std::fmt;
use std::path::Path;

/// A language that files are written in.
pub type Language = &'static dyn Frontend;

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

/// A comment of a file, with its markers.
#[derive(Clone, Debug)]
pub struct Comment {
    /// Where it stands.
    pub span: Span,
    /// Its text without the markers, trimmed.
    pub text: String,
    /// Whether only white space stands before it on its line.
    pub own_line: bool,
    /// Start of the next token that is neither a comment nor white space; `None` at the end.
    pub next_token: Option<u32>,
}

/// A language: what its files are called, what is declared in them, and what each function does.
///
/// What is given as `text` with a `span` is the text of one item, and where that stands; places in the answer are those of the file. A front
/// end keeps nothing between two questions, and fails with what it cannot read only.
pub trait Frontend: Glance + Rewrite + Send + Sync {
    /// What it is called in messages.
    fn name(&self) -> &'static str;

    /// What the names of its files end with, without the dot.
    fn extensions(&self) -> &'static [&'static str];

    /// What begins a comment that ends with its line.
    fn comment_marker(&self) -> &'static str;

    /// The items of a file, found without parsing them: whatever the text is, this gives something.
    fn outline(&self, text: &str, file: FileId) -> Outline;

    /// A function with its body lowered; `macros` gives the text of the macro of the workspace that a path names.
    ///
    /// # Errors
    /// When the text is none of this language.
    fn function(
        &self,
        text: &str,
        span: Span,
        macros: &dyn Fn(&[String]) -> Option<String>,
    ) -> Result<FunctionItem, SyntaxError>;

    /// A function's signature: `text` ends where the body begins.
    ///
    /// # Errors
    /// When the text is none of this language.
    fn signature(&self, text: &str, span: Span) -> Result<Signature, SyntaxError>;

    /// The fields and type parameters of a type; those of a variant are called `Variant.field`.
    ///
    /// # Errors
    /// When the text is none of this language.
    fn fields(&self, text: &str, span: Span) -> Result<(Vec<Field>, Vec<String>), SyntaxError>;

    /// What an alias stands for, and its type parameters.
    ///
    /// # Errors
    /// When the text is none of this language.
    fn alias(&self, text: &str, span: Span) -> Result<(TypeRef, Vec<String>), SyntaxError>;

    /// For what a block of methods is: `text` ends where its body begins.
    ///
    /// # Errors
    /// When the text is none of this language.
    fn impl_header(&self, text: &str, span: Span) -> Result<ImplHeader, SyntaxError>;

    /// The names that an import brings in.
    ///
    /// # Errors
    /// When the text is none of this language.
    fn imports(&self, text: &str, span: Span) -> Result<Vec<Import>, SyntaxError>;

    /// The written type of a constant, and its text when it is a text literal.
    ///
    /// # Errors
    /// When the text is none of this language.
    fn constant(&self, text: &str, span: Span) -> Result<(TypeRef, Option<String>), SyntaxError>;

    /// The comments of a file that are not documentation.
    fn comments(&self, text: &str, file: FileId) -> Vec<Comment>;

    /// What stands in a text beside comments and blanks: its tokens as they are written.
    fn tokens<'t>(&self, text: &'t str) -> Vec<&'t str>;

    /// The next names of a text from byte `from` on, each as its first byte and the one behind it: as many as there are, or as fit into
    /// `found`. Names in comments and texts do not count. Gives how many were found, and the byte to go on from.
    fn next_names(&self, text: &str, from: usize, found: &mut [(usize, usize)]) -> (usize, usize);

    /// The end of the statement or expression that starts at byte `start`.
    fn statement_end(&self, text: &str, start: u32) -> u32;

    /// The start of the innermost statement around byte `at`, as seen from byte `from`, where a body begins.
    fn statement_start(&self, text: &str, from: u32, at: u32) -> Option<u32>;

    /// The module that a file is by its place below the folder of a package's sources.
    fn module(&self, inside: &Path) -> Vec<String>;

    /// Whether each bracket of a text is closed: while somebody types they often are not.
    fn is_balanced(&self, text: &str) -> bool;
}

impl fmt::Debug for dyn Frontend {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl dyn Frontend {
    /// The names in a text, in order, with the bytes where they begin.
    pub fn names<'t>(&'static self, text: &'t str) -> Names<'t> {
        Names { language: self, text, from: 0, found: [(0, 0); AT_ONCE], next: 0, count: 0 }
    }
}

/// So many names are asked for at once: a name costs less than a call through the trait.
const AT_ONCE: usize = 16;

/// The names in a text.
pub struct Names<'t> {
    language: Language,
    text: &'t str,
    from: usize,
    found: [(usize, usize); AT_ONCE],
    next: usize,
    count: usize,
}

impl<'t> Iterator for Names<'t> {
    type Item = (usize, &'t str);

    fn next(&mut self) -> Option<Self::Item> {
        if self.next == self.count {
            if self.from == self.text.len() {
                return None;
            }
            self.next = 0;
            (self.count, self.from) = self.language.next_names(self.text, self.from, &mut self.found);
            if self.count == 0 {
                return None;
            }
        }
        let (start, end) = self.found[self.next];
        self.next += 1;
        Some((start, &self.text[start..end]))
    }
}

/// The languages that a run knows; there is one at least.
#[derive(Clone, Copy, Debug)]
pub struct Languages(pub &'static [Language]);

impl Languages {
    /// The language of a file, by its name.
    pub fn by_name(self, path: &Path) -> Option<Language> {
        let extension = path.extension()?;
        self.0.iter().copied().find(|language| language.extensions().iter().any(|known| extension == *known))
    }

    /// The language that a file is read as: the first one, when its name tells nothing.
    pub fn of(self, path: &Path) -> Language {
        self.by_name(path).unwrap_or(self.0[0])
    }

    /// What the names of their files end with, without the dot.
    pub fn extensions(self) -> impl Iterator<Item = &'static str> {
        self.0.iter().flat_map(|language| language.extensions()).copied()
    }

    /// What they are called: `Rust`, `Rust or Python`.
    pub fn names(self) -> String {
        self.0.iter().map(|language| language.name()).collect::<Vec<_>>().join(" or ")
    }
}
