//! What is set in the editor? The keys of rules.toml, and `config`: the path of a file to read instead of the one that is found.

use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// The name of our section among an editor's settings.
pub const SECTION: &str = "sessionlint";

/// What is set in the editor, over what the files say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// A configuration file; relative to the folder.
    config: Option<PathBuf>,
    /// Settings as in rules.toml.
    keys: Map<String, Value>,
}

impl Settings {
    /// Reads what an editor sends: our section, or something that has it.
    pub fn new(value: &Value) -> Self {
        let within = [SECTION, "settings"].iter().find_map(|key| value.get(key).filter(|inner| inner.is_object()));
        if let Some(inner) = within {
            return Self::new(inner);
        }
        let mut keys = value.as_object().cloned().unwrap_or_default();
        // Clients keep their own settings of the connection here.
        keys.remove("trace");
        keys.retain(|_, value| !value.is_null());
        let config = keys.remove("config").and_then(|path| Some(PathBuf::from(path.as_str()?)));
        Self { config, keys }
    }

    pub fn is_empty(&self) -> bool {
        self.config.is_none() && self.keys.is_empty()
    }

    /// The configuration file for a folder.
    pub fn config(&self, root: &Path) -> Option<PathBuf> {
        self.config.as_ref().map(|path| root.join(path))
    }

    /// The settings as the engine takes them, a text in TOML.
    pub fn inline(&self) -> Vec<String> {
        let lines = self.keys.iter().map(|(key, value)| format!("{} = {}\n", quoted(key), toml(value)));
        if self.keys.is_empty() { Vec::new() } else { vec![lines.collect()] }
    }
}

/// A value as TOML has it on one line.
fn toml(value: &Value) -> String {
    match value {
        Value::Object(keys) => {
            let there = keys.iter().filter(|(_, value)| !value.is_null());
            let pairs: Vec<String> = there.map(|(key, value)| format!("{} = {}", quoted(key), toml(value))).collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        Value::Array(values) => format!("[{}]", values.iter().map(toml).collect::<Vec<_>>().join(", ")),
        Value::String(text) => quoted(text),
        other => other.to_string(),
    }
}

/// A text in quotes; TOML escapes as JSON does.
fn quoted(text: &str) -> String {
    Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn our_section_is_found_wherever_an_editor_puts_it() {
        let plain = json!({"profile": "strict", "config": "ci/rules.toml"});
        let known = Settings::new(&plain);
        assert_eq!(known.config(Path::new("/a")), Some(PathBuf::from("/a/ci/rules.toml")));
        assert_eq!(known.inline(), ["\"profile\" = \"strict\"\n"]);
        for around in
            [json!({"sessionlint": plain}), json!({"settings": plain}), json!({"settings": {"sessionlint": plain}})]
        {
            assert_eq!(Settings::new(&around), known);
        }
        for nothing in
            [json!(null), json!([]), json!({}), json!({"sessionlint": {}}), json!({"trace": {"server": "off"}})]
        {
            assert!(Settings::new(&nothing).is_empty(), "{nothing}");
            assert!(Settings::new(&nothing).inline().is_empty());
        }
    }

    #[test]
    fn values_are_written_as_toml() {
        let rules = json!({"rules": {"a-b": "warn", "c": {"level": "deny", "also": ["x::\"y\"", "é\n"]}, "d": null}, "n": 1, "t": true});
        let [text] = &Settings::new(&rules).inline()[..] else { panic!() };
        assert_eq!(
            text,
            "\"n\" = 1\n\"rules\" = { \"a-b\" = \"warn\", \"c\" = { \"also\" = [\"x::\\\"y\\\"\", \"é\\n\"], \"level\" = \"deny\" } }\n\"t\" = true\n"
        );
    }
}
