//! For which versions of a library does a fact hold?

use semver::{Comparator, Op, Version, VersionReq};

/// The versions of a package that may be in use: one from a Cargo.lock, or what a Cargo.toml allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InUse {
    low: Version,
    high: Version,
}

impl InUse {
    /// Exactly this version, as a Cargo.lock names it; `None` when it is not one.
    pub fn locked(version: &str) -> Option<Self> {
        let version = Version::parse(version).ok()?;
        Some(Self { low: version.clone(), high: version })
    }

    /// What a requirement of a Cargo.toml (`0.8`, `=0.8.6`) allows; `None` when that has no upper end.
    pub fn required(requirement: &str) -> Option<Self> {
        let requirement = VersionReq::parse(requirement).ok()?;
        let [one] = requirement.comparators.as_slice() else { return None };
        let low = Version::new(one.major, one.minor.unwrap_or(0), one.patch.unwrap_or(0));
        let high = match one.op {
            Op::Exact => highest(one, true),
            Op::Tilde => highest(&Comparator { patch: None, ..one.clone() }, true),
            Op::Caret => highest(one, false),
            _ => return None,
        };
        Some(Self { low, high })
    }

    /// The version, when there is only one.
    pub fn exact(&self) -> Option<String> {
        (self.low == self.high).then(|| self.low.to_string())
    }
}

/// Whether a requirement of a Cargo.toml allows a version.
pub fn allows(requirement: &str, version: &str) -> bool {
    match (VersionReq::parse(requirement), Version::parse(version)) {
        (Ok(requirement), Ok(version)) => requirement.matches(&version),
        _ => false,
    }
}

/// The newest of some versions. What is no version does not count.
pub fn newest<'v>(versions: impl Iterator<Item = &'v str>) -> Option<&'v str> {
    versions.filter_map(|text| Some((Version::parse(text).ok()?, text))).max().map(|(_, text)| text)
}

/// The last version that has the same leading numbers; `all` when every given number counts.
fn highest(one: &Comparator, all: bool) -> Version {
    let open = u64::MAX;
    match (one.major, one.minor, one.patch) {
        (major, Some(minor), Some(patch)) if all || (major == 0 && minor == 0) => Version::new(major, minor, patch),
        (major, Some(minor), _) if all || major == 0 => Version::new(major, minor, open),
        (major, _, _) => Version::new(major, open, open),
    }
}

/// A range of versions in which a fact holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versions(VersionReq);

impl Versions {
    /// Reads a range as Cargo writes them: `>=0.8.4, <=0.9.0`.
    ///
    /// # Errors
    /// When it is not one.
    pub fn parse(text: &str) -> Result<Self, String> {
        VersionReq::parse(text).map(Self).map_err(|error| error.to_string())
    }

    /// Whether the fact holds for all versions that may be in use. A fact about the newest versions holds when
    /// nothing is known about which one is in use.
    pub fn hold(&self, in_use: Option<&InUse>) -> bool {
        match in_use {
            Some(in_use) => self.0.matches(&in_use.low) && self.0.matches(&in_use.high),
            None => self.0.matches(&Version::new(u64::MAX, 0, 0)),
        }
    }
}

impl std::fmt::Display for Versions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_holds_when_every_possible_version_has_it() {
        let unsafe_begin = Versions::parse(">=0.8.4, <=0.9.0").unwrap();
        for (requirement, holds) in
            [("0.8.6", true), ("0.8.4", true), ("0.8", false), ("=0.9.0", true), ("0.9", false), (">=0.8", false)]
        {
            assert_eq!(
                InUse::required(requirement).is_some_and(|used| unsafe_begin.hold(Some(&used))),
                holds,
                "{requirement}"
            );
        }
        for (version, holds) in [("0.8.3", false), ("0.8.6", true), ("0.9.0", true), ("0.9.1", false)] {
            assert_eq!(unsafe_begin.hold(InUse::locked(version).as_ref()), holds, "{version}");
        }
        assert!(!unsafe_begin.hold(None));
        assert!(Versions::parse(">=0.35").unwrap().hold(None));
        assert!(!Versions::parse("<0.35").unwrap().hold(None));
        assert!(Versions::parse(">=1").unwrap().hold(InUse::required("1.2").as_ref()));
        assert!(Versions::parse("~1.2.3").is_ok() && Versions::parse("new").is_err());
    }
}
