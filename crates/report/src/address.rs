//! Where does the project stand? Its public address, and those of its pages.

/// The address of a rule's page; `None` while the project has no public address.
pub fn rule_url(rule: &str) -> Option<String> {
    address().map(|address| format!("{address}/blob/main/docs/rules/{rule}.md"))
}

/// The project's public address, as its manifest has it; `None` while it has none.
pub(crate) fn address() -> Option<&'static str> {
    address_in(include_str!("../../../Cargo.toml"))
}

/// The address that the manifest of the program names, whichever of its tables has it.
fn address_in(manifest: &str) -> Option<&str> {
    let values =
        manifest.lines().filter_map(|line| line.trim().strip_prefix("repository")?.trim_start().strip_prefix('='));
    let addresses = values.filter_map(|value| value.trim().strip_prefix('"')?.split('"').next());
    addresses.map(|address| address.trim_end_matches('/')).find(|address| !address.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_names_the_address() {
        for manifest in [
            "[package]\nname = \"a\"\nrepository = \"https://example.org/a\"\n",
            "[workspace.package]\nrepository=\"https://example.org/a/\" # why\n",
            "[package]\nrepository.workspace = true\n[workspace.package]\n  repository = \"https://example.org/a\"\n",
        ] {
            assert_eq!(address_in(manifest), Some("https://example.org/a"), "{manifest}");
        }
        for manifest in ["", "[package]\n# repository = \"https://example.org\"\n", "repository = \"\"\n"] {
            assert_eq!(address_in(manifest), None);
        }
    }
}
