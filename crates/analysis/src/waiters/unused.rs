//! Does nobody call a function? It says so itself, and its name stands nowhere else: then nobody waits for what it holds.

use super::program::words_at;
use crate::index::ItemRef;
use crate::summary::Analysis;

impl Analysis<'_> {
    /// Whether a function is marked as unused, and no file of a package that can name it has its name beside itself.
    pub(super) fn is_unused(&self, item: ItemRef) -> bool {
        let mut lines = self.index.attributes_of(item).lines();
        if !lines.any(|line| self.index.model.standard().marks_unused(line)) {
            return false;
        }
        let Some(known) = self.index.item(item) else { return false };
        self.index.files_that_name(item.file).into_iter().all(|file| {
            self.index.reads_package(file);
            let Some(data) = self.index.host.data(file) else { return true };
            let is_here =
                |at: usize| file == item.file && (known.span.start as usize..known.span.end as usize).contains(&at);
            words_at(&data.text, &known.name).all(is_here)
        })
    }
}
