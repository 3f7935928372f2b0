//! Which methods may a derive or attribute have written for a type of the workspace?

use super::{Index, ItemRef, Package, PackageId};
use sessionlint_diagnostics::FileId;
use sessionlint_protocols::{Derived, Generated};
use std::collections::BTreeSet;

impl Index<'_> {
    /// Whether a method that no file shows is one that a derive or attribute on its type writes, and runs a statement: `true` where
    /// that writes.
    pub(crate) fn derived_method(&self, owner: ItemRef, method: &str) -> Option<bool> {
        let names = self.macros_on(owner);
        if names.is_empty() {
            return None;
        }
        let is_meant = |derived: &&Derived| names.contains(&derived.name) && self.can_name(owner, derived);
        let mut meant = self.model.derives().iter().filter(is_meant);
        if let Some(writes) = meant.find_map(|derived| derived.writes(method)) {
            return Some(writes);
        }
        let package = self.package_of(owner.file);
        let mut own = package.dependencies.values().filter_map(|(_, package)| *package);
        let is_own = own.any(|package| {
            let made = self.own_macros.get(package, || self.macros_made_by(package));
            names.iter().any(|name| made.contains(name))
        });
        is_own.then(|| self.model.learned_words().is_write(method))
    }

    /// The path of the function that does what a derived method does which begins a session.
    pub(crate) fn derived_beginning(&self, owner: ItemRef, method: &str) -> Option<&str> {
        if !self.model.derives().iter().any(|derived| derived.begins.contains_key(method)) {
            return None;
        }
        let names = &self.macros_on(owner);
        let is_meant = |derived: &&Derived| names.contains(&derived.name) && self.can_name(owner, derived);
        let mut meant = self.model.derives().iter().filter(is_meant);
        meant.find_map(|derived| derived.begins.get(method)).map(String::as_str)
    }

    /// Whether a method runs a statement that a build script has written a function for, in a package that uses such code, or one of
    /// the workspace that has it.
    pub(crate) fn runs_generated(&self, file: FileId, method: &str) -> bool {
        let package = self.package_of(file);
        let can_name = |package: &Package, generated: &Generated| {
            generated.crates.iter().any(|name| package.dependencies.contains_key(name))
        };
        let runs = |generated: &&Generated| generated.runs.iter().any(|known| known == method);
        self.model.generated().iter().filter(runs).any(|generated| {
            let mut others = package.dependencies.values().filter_map(|(_, other)| *other);
            can_name(package, generated) || others.any(|other| can_name(self.package(other), generated))
        })
    }

    /// Whether the package of a type can name the crate that a derive comes from.
    fn can_name(&self, owner: ItemRef, derived: &Derived) -> bool {
        let package = self.package_of(owner.file);
        let has = |name: &String| package.dependencies.contains_key(&name.replace('-', "_"));
        derived.crates.is_empty() || derived.crates.iter().any(has)
    }

    /// The derives and attributes that stand on a type, without their paths.
    fn macros_on(&self, owner: ItemRef) -> BTreeSet<String> {
        let Some((text, _)) = self.item_text(owner, |item| item.span) else { return BTreeSet::new() };
        let head = text.split(['{', ';']).next().unwrap_or_default();
        let last = |path: &str| path.trim().rsplit("::").next().unwrap_or_default().to_owned();
        let mut found = BTreeSet::new();
        for attribute in head.split("#[").skip(1) {
            let path = attribute.split(['(', ']', '=', ' ']).next().unwrap_or_default();
            match path {
                "derive" => {
                    let list = attribute.split(['(', ')']).nth(1).unwrap_or_default();
                    found.extend(list.split(',').map(last));
                }
                path => _ = found.insert(last(path)),
            }
        }
        found
    }

    /// The derives and attributes that a package makes. They stand in the root of its library.
    fn macros_made_by(&self, package: PackageId) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for file in self.package(package).modules.get(&[] as &[String]).into_iter().flatten() {
            let Some(data) = self.data(*file) else { continue };
            crate::grounds::read(|| crate::grounds::Read::File(*file));
            let name = |text: &str| {
                let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
                text[..end].to_owned()
            };
            let after = |word: &'static str| data.text.split(word).skip(1).map(str::trim_start);
            found.extend(after("#[proc_macro_derive(").map(name));
            let functions = after("#[proc_macro_attribute]").filter_map(|text| text.split("fn ").nth(1));
            found.extend(functions.map(name));
        }
        found
    }
}
