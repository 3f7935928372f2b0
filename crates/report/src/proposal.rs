//! Which rules.toml fits a workspace? A commented one, for the libraries that it depends on.

use sessionlint_protocols::{Model, Profile, RuleSet};
use std::fmt::Write as _;

/// A rules.toml with every setting that has a default in comments. `libraries` are names of known libraries.
pub fn proposal(model: &Model, libraries: &[String]) -> String {
    let mut text = String::from(
        "# Settings of sessionlint. Everything in comments shows what holds without it.\n\
         # For completion in editors: `sessionlint schema rules > rules.schema.json`, and as the first line of this file\n\
         # `#:schema ./rules.schema.json`.\n\n",
    );
    if libraries.is_empty() {
        text.push_str(
            "# This workspace depends on no library that sessionlint knows; `sessionlint libraries` lists those.\n\n",
        );
    } else {
        text.push_str("# The libraries of this workspace that sessionlint knows, and their types\n");
        text.push_str("# (`sessionlint libraries NAME` shows more):\n");
        for (id, library) in model.libraries().filter(|(_, library)| libraries.contains(&library.name)) {
            let sessions = model.protocols().filter(|(_, protocol)| protocol.library == id && protocol.is_session());
            let mut names: Vec<&str> = sessions.map(|(_, protocol)| protocol.type_name()).collect();
            names.retain(|name| !name.is_empty());
            names.dedup();
            let _ = writeln!(text, "#   {}: {}", library.name, names.join(", "));
        }
        text.push('\n');
    }
    text.push_str(
        "# \"strict\" also asks for an explicit rollback on every error path, and for the limits of pools.\nprofile = \
         \"default\"\n\n# Globs of files that are not checked, relative to this file.\n# exclude = [\"generated/**\"]\n\n# \"include\" \
         also reports test code.\n# tests = \"skip\"\n\n# Levels: allow, note, warn, deny.\n[rules]\n",
    );
    for rule in RuleSet::built_in().iter() {
        let _ = writeln!(text, "# {}\n# {} = \"{}\"", rule.summary, rule.id, rule.level(Profile::Default));
    }
    text.push_str(
        "\n# Slow functions of your own, for `session-held-across-await`:\n# session-held-across-await = { level = \
         \"warn\", also = [\"Mailer::send\"] }\n\n# Other levels below some paths:\n# [[override]]\n# paths = \
         [\"tools/**\"]\n# rules = { unguarded-session = \"allow\" }\n\n# A session type of your own:\n# [[protocol]]\n# id = \
         \"mycrate.unit\"\n# kind = \"transaction\"\n# class = \"A\"\n# paths = [\"mycrate::Unit\"]\n# open = [{ assoc = \
         \"mycrate.unit\", call = \"begin\", async = true }]\n# end = [{ call = \"save\", as = \"commit\", async = true }]\n# \
         writes = [\"insert\"]\n",
    );
    text
}
