//! Which findings does the editor get, and when? It is told, or it asks; never both for one file.
//!
//! Who asks for the findings of open files is told those of the others, until it asks for all of them.

use crate::convert;
use crate::folder::{BATCH, Folder};
use crate::server::Server;
use crate::shown::Asked;
use gen_lsp_types::{
    Diagnostic, DiagnosticSeverity, DocumentDiagnosticParams, PublishDiagnosticsParams, WorkspaceDiagnosticParams,
};
use lsp_server::{ErrorCode, RequestId};
use serde_json::{Value, json};
use sessionlint_engine::Failure;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};

impl Server<'_> {
    /// Checks the open files, which somebody looks at.
    pub fn check_open(&mut self) -> io::Result<()> {
        if !std::mem::take(&mut self.changed) {
            return Ok(());
        }
        for index in 0..self.folders.len() {
            let here = self.documents.paths().filter(|path| self.place(path) == Some(index));
            let paths: Vec<PathBuf> = here.cloned().collect();
            let progress = &self.progress;
            let told = |stage, done, all| progress.works(stage, done, all);
            let new = self.folders[index].check(&paths, &self.documents.overlay, &told);
            self.publish(index, &new)?;
        }
        Ok(())
    }

    /// Checks some of the files that nobody looks at.
    pub fn check_some(&mut self) -> io::Result<()> {
        let Some(index) = self.folders.iter().position(Folder::has_pending) else { return Ok(()) };
        let progress = &self.progress;
        let told = |stage, done, all| progress.works(stage, done, all);
        let folder = &mut self.folders[index];
        progress.checks(folder.done(), BATCH)?;
        let new = folder.check_some(&self.documents.overlay, &told);
        progress.checks(folder.done(), 0)?;
        self.publish(index, &new)?;
        // What is asked for may be another answer by now.
        match self.client.refreshes && !self.folders.iter().any(Folder::has_pending) {
            true => self.connection.ask("refresh", "workspace/diagnostic/refresh", Value::Null),
            false => Ok(()),
        }
    }

    /// What is due after each step: progress that begins or ends, and answers that waited for the last file.
    pub fn settle(&mut self) -> io::Result<()> {
        if self.folders.iter().any(|folder| folder.is_new && folder.has_pending()) {
            return self.progress.begin();
        }
        if self.folders.iter().any(Folder::has_pending) {
            return Ok(());
        }
        self.folders.iter_mut().for_each(|folder| folder.is_new = false);
        self.progress.end()?;
        if self.changed {
            return Ok(());
        }
        for asked in std::mem::take(&mut self.asked) {
            let items = self.all_findings(&asked.known);
            self.connection.answer(asked.id, json!({"items": items}))?;
        }
        Ok(())
    }

    fn publish(&mut self, index: usize, paths: &[PathBuf]) -> io::Result<()> {
        for path in paths {
            let is_asked_for = self.client.pulls && (self.shown.pulls_all || self.documents.is_open(path));
            if is_asked_for {
                continue;
            }
            let diagnostics = self.folders[index].diagnostics(path, self.client.encoding);
            if self.client.pulls {
                match diagnostics.is_empty() {
                    true => self.shown.pushed.remove(path),
                    false => self.shown.pushed.insert(path.clone()),
                };
            }
            self.send(path, diagnostics)?;
        }
        self.tell_troubles(index)
    }

    fn send(&self, path: &Path, diagnostics: Vec<Diagnostic>) -> io::Result<()> {
        let version = self.documents.version(path);
        let params = PublishDiagnosticsParams { uri: convert::uri(path), version, diagnostics };
        self.connection.notify("textDocument/publishDiagnostics", serde_json::to_value(params)?)
    }

    /// The editor asks for the findings of a file from now on: what it was told is not shown beside them.
    pub fn take_back(&mut self, path: &Path) -> io::Result<()> {
        match self.shown.pushed.remove(path) {
            true => self.send(path, Vec::new()),
            false => Ok(()),
        }
    }

    /// The findings of a file, or that they are the same as before.
    pub fn findings_of(&mut self, params: &DocumentDiagnosticParams) -> Value {
        let path = convert::path(&params.text_document.uri);
        let diagnostics = path.and_then(|path| {
            let (index, overlay) = (self.place(&path)?, &self.documents.overlay);
            self.folders[index].look_at(&path, overlay);
            Some(self.folders[index].diagnostics(&path, self.client.encoding))
        });
        report(diagnostics.unwrap_or_default(), params.previous_result_id.as_deref())
    }

    /// Takes a question for all findings.
    pub fn ask_all(&mut self, id: RequestId, params: WorkspaceDiagnosticParams) -> io::Result<()> {
        if self.client.pulls && !self.shown.pulls_all {
            self.shown.pulls_all = true;
            for path in std::mem::take(&mut self.shown.pushed) {
                self.send(&path, Vec::new())?;
            }
        }
        let known = params.previous_result_ids.into_iter();
        let known = known.filter_map(|one| Some((convert::path(&one.uri)?, one.value))).collect();
        self.asked.push(Asked { id, known });
        Ok(())
    }

    /// A question is taken back: one for all findings may still wait.
    pub fn forget(&mut self, id: &Value) -> io::Result<()> {
        let id: Option<RequestId> = serde_json::from_value(id.clone()).ok();
        let place = self.asked.iter().position(|asked| Some(&asked.id) == id.as_ref());
        match place.map(|place| self.asked.remove(place)) {
            Some(asked) => self.connection.refuse(asked.id, ErrorCode::RequestCanceled, "taken back".to_owned()),
            None => Ok(()),
        }
    }

    /// A report for each file that has findings, or had some when the editor asked the last time.
    fn all_findings(&self, known: &BTreeMap<PathBuf, String>) -> Vec<Value> {
        let mut reports = Vec::new();
        for (index, folder) in self.folders.iter().enumerate() {
            let here = |path: &&PathBuf| self.place(path) == Some(index);
            let paths: BTreeSet<&PathBuf> = folder.answers.keys().chain(known.keys()).filter(here).collect();
            for path in paths {
                let diagnostics = folder.diagnostics(path, self.client.encoding);
                let before = known.get(path).map(String::as_str);
                if diagnostics.is_empty() && before.is_none() {
                    continue;
                }
                let mut report = report(diagnostics, before);
                report["uri"] = json!(convert::uri(path));
                report["version"] = json!(self.documents.version(path));
                reports.push(report);
            }
        }
        reports
    }

    /// Shows what is wrong with this program itself, each thing once.
    pub fn tell_troubles(&mut self, index: usize) -> io::Result<()> {
        let connection = self.connection;
        for (trouble, told) in self.folders[index].troubles.iter_mut().filter(|(_, told)| !**told) {
            *told = true;
            let params = json!({"type": 1, "message": format!("sessionlint: {trouble}")});
            connection.notify("window/showMessage", params)?;
        }
        Ok(())
    }

    /// Shows mistakes of configuration files in them, and takes back those that were mended. What stands in no file, like the
    /// settings of the editor, is told.
    pub fn show_mistakes(&mut self) -> io::Result<()> {
        let mistaken = std::mem::take(&mut self.shown.mistaken);
        let mut now: BTreeMap<PathBuf, Vec<Diagnostic>> = mistaken.into_iter().map(|path| (path, Vec::new())).collect();
        let mut told = BTreeMap::new();
        for (index, folder) in self.folders.iter().enumerate() {
            let Some(failure) = &folder.failure else { continue };
            match failure {
                Failure::Config(error) if folder.root.join(&error.name).is_file() => {
                    let place = |offset: usize| self.client.encoding.position(&error.text, offset as u32);
                    let range = gen_lsp_types::Range { start: place(error.span.start), end: place(error.span.end) };
                    let help = error.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
                    let path = folder.root.join(&error.name);
                    now.entry(path.clone()).or_default().push(Diagnostic {
                        range,
                        severity: Some(DiagnosticSeverity::Error),
                        source: Some("sessionlint".to_owned()),
                        message: format!("{}{help}", error.message).into(),
                        ..Diagnostic::default()
                    });
                    self.shown.mistaken.insert(path);
                }
                Failure::Config(error) => {
                    let help = error.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
                    told.insert(index, format!("the settings of the editor: {}{help}", error.message));
                }
                other => {
                    told.insert(index, other.to_string());
                }
            }
        }
        for (index, what) in &told {
            if self.shown.told.get(index) != Some(what) {
                let params = json!({"type": 1, "message": format!("sessionlint: {what}")});
                self.connection.notify("window/showMessage", params)?;
            }
        }
        self.shown.told = told;
        for (path, diagnostics) in now {
            self.send(&path, diagnostics)?;
        }
        Ok(())
    }
}

/// Findings as the answer to a question for them; the same ones as before need not be said again.
fn report(diagnostics: Vec<Diagnostic>, before: Option<&str>) -> Value {
    let items = serde_json::to_value(diagnostics).unwrap_or_default();
    let mut hasher = DefaultHasher::new();
    items.to_string().hash(&mut hasher);
    let id = format!("{:016x}", hasher.finish());
    match before == Some(id.as_str()) {
        true => json!({"kind": "unchanged", "resultId": id}),
        false => json!({"kind": "full", "resultId": id, "items": items}),
    }
}
