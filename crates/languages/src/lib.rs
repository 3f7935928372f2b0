//! Which languages are there? One list, and the only place that names a front end.

use sessionlint_ir::Languages;
use sessionlint_parser_rust::Rust;

/// All of them. A file whose name tells nothing is read as the first one.
pub const ALL: Languages = Languages(&[&Rust]);

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    #[test]
    fn each_file_has_one_language() {
        let extensions: Vec<&str> = ALL.extensions().collect();
        assert_eq!(extensions.iter().collect::<BTreeSet<_>>().len(), extensions.len(), "{extensions:?}");
        let names: BTreeSet<&str> = ALL.0.iter().map(|language| language.name()).collect();
        assert_eq!(names.len(), ALL.0.len(), "{names:?}");
        assert_eq!(ALL.of(Path::new("a/b.rs")).name(), "Rust");
        assert_eq!(ALL.of(Path::new("a/b")).name(), ALL.0[0].name());
    }
}
