//! Which module is a file, by its place below the sources of its package?

use std::path::Path;

/// The path of the module; empty for the root of a crate.
pub(crate) fn path(inside: &Path) -> Vec<String> {
    let mut parts: Vec<String> =
        inside.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    let is_mod = parts.pop_if(|last| last == "mod").is_some();
    let words: Vec<&str> = parts.iter().map(String::as_str).collect();
    let inside = match words.as_slice() {
        ["lib" | "main"] | ["bin", _] | ["bin", _, "main"] if !is_mod => &[],
        // `bin/x/mod.rs` is a module of the binaries beside `x`.
        ["bin", name] => std::slice::from_ref(name),
        ["bin", _, inside @ ..] => inside,
        all => all,
    };
    inside.iter().map(|part| (*part).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_a_module_by_its_place() {
        for (inside, module) in [
            ("lib.rs", ""),
            ("main.rs", ""),
            ("mod.rs", ""),
            ("a.rs", "a"),
            ("a/mod.rs", "a"),
            ("a/b.rs", "a::b"),
            ("a/b/mod.rs", "a::b"),
            ("a/lib.rs", "a::lib"),
            ("a/main.rs", "a::main"),
            ("a/bin.rs", "a::bin"),
            ("bin.rs", "bin"),
            ("bin/mod.rs", "bin"),
            ("bin/x.rs", ""),
            ("bin/main.rs", ""),
            ("bin/lib.rs", ""),
            ("bin/x/main.rs", ""),
            ("bin/x/mod.rs", "x"),
            ("bin/x/a.rs", "a"),
            ("bin/x/a/b.rs", "a::b"),
            ("bin/x/a/mod.rs", "a"),
            ("bin/x/main/mod.rs", "main"),
        ] {
            assert_eq!(path(Path::new(inside)).join("::"), module, "{inside}");
        }
    }
}
