//! How does a change look as a patch?

use similar::TextDiff;

/// A unified diff that `git apply` and `patch -p1` take; empty when nothing changes.
pub fn patch(path: &str, before: &str, after: &str) -> String {
    if before == after {
        return String::new();
    }
    let (old, new) = (format!("a/{path}"), format!("b/{path}"));
    TextDiff::from_lines(before, after).unified_diff().context_radius(3).header(&old, &new).to_string()
}
