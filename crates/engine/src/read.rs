//! What does the first look at a file say: is it text, does it matter, what does it silence?

use crate::heads::{Read, aliases, lending, pooling, renamed, said};
use crate::host::{self, Files};
use crate::memory::{Known, Memory};
use crate::outcome::Skipped;
use crate::packages::Packages;
use crate::run::Engine;
use crate::{panics, paths, placed, suppress};
use rayon::prelude::*;
use sessionlint_diagnostics::FileId;
use std::sync::Arc;

impl Engine {
    /// The first look at a file: is it text, does it matter, what does it silence?
    pub(crate) fn read(&self, files: &Files<'_>, file: FileId, packages: &Packages) -> Read {
        let path = &files.paths[file.0 as usize];
        let words = &packages.about[packages.files[file.0 as usize].0.0 as usize].2;
        let language = files.language(file);
        let mut read = Read::default();
        panics::provoked("reading", || paths::shown(&self.options.directory, path));
        let bytes = files.bytes(file);
        let skip = |reason: String| {
            let path = paths::shown(&self.options.directory, path);
            Some(Skipped { path, reason, line: None, internal: false })
        };
        let bytes = match bytes {
            Ok(bytes) => bytes,
            Err(error) => {
                read.skipped = skip(format!("cannot be read: {error}"));
                return read;
            }
        };
        if u32::try_from(bytes.len()).is_err() {
            read.skipped = skip("larger than 4 GiB".to_owned());
            return read;
        }
        read.hot = words.wants_file(&bytes);
        if !read.hot {
            read.blocks = language.blocks(&bytes);
        }
        let silences = memchr::memmem::find(&bytes, b"sessionlint:").is_some();
        read.commits = self.may_commit(language, &bytes);
        read.names_files = placed::may_name_files(&bytes);
        if !read.hot && !silences && !read.commits {
            // What is not looked at must still be text, or nobody would know that it was left out.
            if std::str::from_utf8(&bytes).is_err() {
                read.skipped = skip("not UTF-8".to_owned());
            }
            return read;
        }
        let Some(text) = host::decode(bytes) else {
            read.skipped = skip("not UTF-8".to_owned());
            (read.hot, read.names_files) = (false, false);
            return read;
        };
        let data = host::outlined(language, text, file);
        if silences {
            read.suppressions = suppress::find(language, &data.text, file, &data.outline);
        }
        if read.hot {
            read.resets = self.model.resetting_words().any(|word| names(&data.text, word));
            read.aliases = aliases(&data, words);
            read.plain = renamed(&data, &words.plain);
            read.pools = pooling(&data, words);
            read.handed = lending(&data, words, &read.plain);
            read.said = said(&data, &read);
        }
        let _ = files.data[file.0 as usize].set(Some(Arc::new(data)));
        read
    }
}

/// Whether a text names something that begins with these words: not `test_before_acquire` for `before_acquire`.
fn names(text: &str, words: &str) -> bool {
    let begins = |at: usize| !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
    memchr::memmem::find_iter(text.as_bytes(), words.as_bytes()).any(begins)
}

impl Engine {
    /// A second look at the files that name no library: they may use what the package puts around one. Whether there are any.
    pub(crate) fn read_again(
        &self,
        files: &Files<'_>,
        reads: &mut [Read],
        known: &Known,
        memory: &mut Memory,
        round: usize,
    ) -> bool {
        let cold: Vec<FileId> = files.ids().filter(|file| !reads[file.0 as usize].hot).collect();
        let has_one = |file: &FileId| {
            let Some(words) = &known.words[self.packages.files[file.0 as usize].0.0 as usize] else { return false };
            let slot = &files.data[file.0 as usize];
            if let Some(known) = slot.get() {
                return known.as_ref().is_some_and(|data| words.is_match(&data.text));
            }
            let Ok(bytes) = files.bytes(*file) else { return false };
            if !words.is_match(&bytes) {
                return false;
            }
            let data = host::decode(bytes).map(|text| Arc::new(host::outlined(files.language(*file), text, *file)));
            let is_text = data.is_some();
            let _ = slot.set(data);
            is_text
        };
        let before = &*memory;
        let find = |file: FileId| before.named(round, file).or_else(|| files.guarded(file, || has_one(&file)));
        let found: Vec<(FileId, Option<bool>)> = cold.into_par_iter().map(|file| (file, find(file))).collect();
        let mut any = false;
        for (file, has_one) in found {
            let Some(has_one) = has_one else { continue };
            memory.set_named(round, file, has_one);
            reads[file.0 as usize].hot |= has_one;
            any |= has_one;
        }
        any
    }
}
