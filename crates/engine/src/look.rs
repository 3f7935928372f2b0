//! Which files say something else than the last time? Those are read, and the others are remembered.

use crate::heads::Read;
use crate::host::{Files, Overlay};
use crate::memory::{Look, Memory, Stamp};
use crate::run::{Engine, Progress, Stage};
use rayon::prelude::*;
use sessionlint_analysis::{FileData, Host};
use sessionlint_diagnostics::FileId;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

impl Engine {
    /// The first look at all files, from before where they say the same.
    pub(crate) fn look_at(
        &self,
        files: &Files<'_>,
        overlay: &Overlay,
        memory: &mut Memory,
        progress: Progress<'_>,
    ) -> Vec<Read> {
        let (done, is_other) = (AtomicUsize::new(0), AtomicBool::new(false));
        memory.looks.resize_with(files.paths.len(), || None);
        let looks: Vec<Option<Look>> = files
            .ids()
            .collect::<Vec<_>>()
            .into_par_iter()
            .zip(memory.looks.par_iter())
            .map(|(file, before)| {
                let stamp = Stamp::of(&files.paths[file.0 as usize], overlay);
                if let Some(before) = before.as_ref().filter(|before| before.stamp == stamp) {
                    if let Some(data) = &before.data {
                        let _ = files.data[file.0 as usize].set(Some(Arc::clone(data)));
                    }
                    return None;
                }
                let read = files.guarded(file, || self.read(files, file, &self.packages));
                // What went wrong is tried again, and told again.
                let stamp = if read.is_some() { stamp } else { Stamp::Broken };
                progress(Stage::Reading, done.fetch_add(1, Ordering::Relaxed) + 1, files.paths.len());
                let read = read.unwrap_or_default();
                let before = before.as_ref().filter(|_| self.options.keep);
                let shape = before.and_then(|before| match &before.data {
                    Some(data) => Some(shapes(before.shape, data, files, file)),
                    None => {
                        // Of what nobody read it matters what it may be asked for.
                        is_other.fetch_or(before.read.blocks != read.blocks, Ordering::Relaxed);
                        before.shape
                    }
                });
                let data = files.data[file.0 as usize].get().cloned().flatten();
                Some(Look { number: 0, stamp, read, data, shape })
            })
            .collect();
        memory.unread += u64::from(is_other.into_inner());
        memory.read = looks.iter().flatten().count();
        for (place, look) in looks.into_iter().enumerate() {
            if let Some(look) = look {
                let number = memory.number();
                memory.looks[place] = Some(Look { number, ..look });
            }
        }
        memory.looks.iter().map(|look| look.as_ref().map(|look| look.read.clone()).unwrap_or_default()).collect()
    }
}

/// What stood for a file without the bodies of functions at first, and what does now. What cannot be read stands for itself.
fn shapes(known: Option<(u128, u128)>, before: &FileData, files: &Files<'_>, file: FileId) -> (u128, u128) {
    let shape = |data: &FileData| files.guarded(file, || data.shape(files)).unwrap_or_default();
    let first = known.map_or_else(|| shape(before), |(first, _)| first);
    (first, files.data(file).map_or(0, shape))
}
