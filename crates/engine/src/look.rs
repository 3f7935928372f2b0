//! Which files say something else than the last time? Those are read, and the others are remembered.

use crate::heads::Read;
use crate::host::{Files, Overlay};
use crate::memory::{Look, Memory, Stamp};
use crate::run::{Engine, Progress, Stage};
use rayon::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

impl Engine {
    /// The first look at all files, from before where they say the same.
    pub(crate) fn look_at(
        &self,
        files: &Files<'_>,
        overlay: &Overlay,
        memory: &mut Memory,
        progress: Progress<'_>,
    ) -> Vec<Read> {
        let done = AtomicUsize::new(0);
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
                let data = files.data[file.0 as usize].get().cloned().flatten();
                Some(Look { number: 0, stamp, read: read.unwrap_or_default(), data })
            })
            .collect();
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
