//! Who says what, in which order? Reads messages, and answers the editor before it does anything else.

use crate::convert::{self, Encoding};
use crate::folder::Folder;
use crate::{actions, hover};
use gen_lsp_types::{
    CodeActionKind, CodeActionOptions, CodeActionParams, CodeActionProvider, Diagnostic, DiagnosticSeverity,
    DidChangeTextDocumentParams, DidChangeWatchedFilesParams, DidCloseTextDocumentParams, DidOpenTextDocumentParams,
    DidSaveTextDocumentParams, HoverParams, HoverProvider, InitializeParams, PositionEncodingKind,
    PublishDiagnosticsParams, Save, ServerCapabilities, TextDocumentContentChangeEvent, TextDocumentSyncKind,
    TextDocumentSyncOptions, Uri, WorkspaceFolders,
};
use lsp_server::{Connection, ErrorCode, Message, Notification, Request, RequestId, Response};
use sessionlint_engine::{CONFIG_NAMES, Failure, Overlay, caught};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Runs until the editor says goodbye.
///
/// # Errors
/// When the other side does not speak the protocol.
pub fn serve() -> Result<(), String> {
    let (connection, threads) = Connection::stdio();
    let run = || -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let (id, params) = connection.initialize_start()?;
        let params: InitializeParams = serde_json::from_value(params)?;
        let encodings = params.capabilities.general.as_ref().and_then(|general| general.position_encodings.clone());
        let encoding = match encodings.is_some_and(|known| known.contains(&PositionEncodingKind::UTF8)) {
            true => Encoding::Utf8,
            false => Encoding::Utf16,
        };
        let answer = serde_json::json!({
            "capabilities": capabilities(encoding),
            "serverInfo": {"name": "sessionlint", "version": env!("CARGO_PKG_VERSION")},
        });
        connection.initialize_finish(id, answer)?;
        let mut server = Server::new(&connection, &params, encoding);
        server.watch_files(&params)?;
        server.run()
    };
    let result = run().map_err(|error| format!("the language server: {error}"));
    // The threads end when their channels do.
    drop(connection);
    threads.join().map_err(|error| format!("the language server: {error}"))?;
    result
}

fn capabilities(encoding: Encoding) -> ServerCapabilities {
    let sync = TextDocumentSyncOptions {
        open_close: Some(true),
        change: Some(TextDocumentSyncKind::Incremental),
        save: Some(Save::Bool(true)),
        ..TextDocumentSyncOptions::default()
    };
    let kinds = Some(vec![CodeActionKind::QuickFix]);
    ServerCapabilities {
        position_encoding: Some(match encoding {
            Encoding::Utf8 => PositionEncodingKind::UTF8,
            Encoding::Utf16 => PositionEncodingKind::UTF16,
        }),
        text_document_sync: Some(sync.into()),
        hover_provider: Some(HoverProvider::Bool(true)),
        code_action_provider: Some(CodeActionProvider::CodeActionOptions(CodeActionOptions {
            code_action_kinds: kinds,
            ..CodeActionOptions::default()
        })),
        ..ServerCapabilities::default()
    }
}

/// Answers one request. A panic costs the answer, not the server.
fn guarded(answer: impl FnOnce() -> Result<serde_json::Value, Failure>) -> Result<serde_json::Value, Failure> {
    caught(answer).unwrap_or_else(|what| Err(Failure::Internal(what)))
}

type Failed = Box<dyn std::error::Error + Send + Sync>;

struct Server<'c> {
    connection: &'c Connection,
    encoding: Encoding,
    folders: Vec<Folder>,
    /// The texts of open files, with their versions.
    open: BTreeMap<PathBuf, (String, i32)>,
    overlay: Overlay,
    /// Open files that changed since they were checked.
    changed: bool,
    /// Configuration files that a mistake was shown in.
    mistaken: BTreeSet<PathBuf>,
}

impl<'c> Server<'c> {
    fn new(connection: &'c Connection, params: &InitializeParams, encoding: Encoding) -> Self {
        let folders = match &params.workspace_folders_initialize_params.workspace_folders {
            Some(WorkspaceFolders::WorkspaceFolderList(folders)) => folders.as_slice(),
            _ => &[],
        };
        let mut roots: Vec<PathBuf> = folders.iter().filter_map(|folder| convert::path(&folder.uri)).collect();
        if roots.is_empty() {
            #[allow(deprecated)]
            let root = params.root_uri.as_ref().and_then(convert::path);
            roots.extend(root.or_else(|| std::env::current_dir().ok()));
        }
        let folders = roots.into_iter().map(Folder::new).collect();
        Self {
            connection,
            encoding,
            folders,
            open: BTreeMap::new(),
            overlay: Overlay::new(),
            changed: false,
            mistaken: BTreeSet::new(),
        }
    }

    /// Asks to be told when files change that are not open.
    fn watch_files(&self, params: &InitializeParams) -> Result<(), Failed> {
        let workspace = params.capabilities.workspace.as_ref();
        let watched = workspace.and_then(|workspace| workspace.did_change_watched_files.as_ref());
        if watched.and_then(|watched| watched.dynamic_registration) != Some(true) {
            return Ok(());
        }
        let names = ["*.rs", "Cargo.lock", "sessionlint-baseline.json"].into_iter().chain(CONFIG_NAMES);
        let watchers: Vec<_> = names.map(|name| serde_json::json!({"globPattern": format!("**/{name}")})).collect();
        let registration = serde_json::json!({"registrations": [{
            "id": "files", "method": "workspace/didChangeWatchedFiles", "registerOptions": {"watchers": watchers},
        }]});
        let id = RequestId::from("register-files".to_owned());
        self.connection.sender.send(Message::Request(Request::new(
            id,
            "client/registerCapability".to_owned(),
            registration,
        )))?;
        Ok(())
    }

    fn run(&mut self) -> Result<(), Failed> {
        self.show_mistakes()?;
        for index in 0..self.folders.len() {
            self.tell_troubles(index)?;
        }
        loop {
            // All that was said counts before anything is checked.
            let busy = self.changed || self.folders.iter().any(Folder::has_pending);
            let message = match busy {
                true => match self.connection.receiver.try_recv() {
                    Ok(message) => Some(message),
                    Err(error) if error.is_empty() => None,
                    Err(_) => return Ok(()),
                },
                false => match self.connection.receiver.recv() {
                    Ok(message) => Some(message),
                    Err(_) => return Ok(()),
                },
            };
            match message {
                Some(Message::Request(request)) => {
                    if self.connection.handle_shutdown(&request)? {
                        return Ok(());
                    }
                    // The answer is about what was typed last.
                    self.check_open()?;
                    self.answer(request)?;
                }
                Some(Message::Notification(notification)) => self.note(notification)?,
                Some(Message::Response(_)) => {}
                None if self.changed => self.check_open()?,
                None => self.check_some()?,
            }
        }
    }

    fn answer(&mut self, request: Request) -> Result<(), Failed> {
        let Request { id, method, params, .. } = request;
        let result = match method.as_str() {
            "textDocument/hover" => serde_json::from_value(params).map(|params| guarded(|| Ok(self.hover(&params)))),
            "textDocument/codeAction" => serde_json::from_value(params).map(|params| guarded(|| self.actions(&params))),
            _ => {
                let error = format!("`{method}` is not known here");
                let response = Response::new_err(id, ErrorCode::MethodNotFound as i32, error);
                return Ok(self.connection.sender.send(Message::Response(response))?);
            }
        };
        let response = match result {
            Ok(Ok(value)) => Response::new_ok(id, value),
            Ok(Err(failure)) => Response::new_err(id, ErrorCode::InternalError as i32, failure.to_string()),
            Err(error) => Response::new_err(id, ErrorCode::InvalidParams as i32, error.to_string()),
        };
        Ok(self.connection.sender.send(Message::Response(response))?)
    }

    fn hover(&self, params: &HoverParams) -> serde_json::Value {
        let at = &params.text_document_position_params;
        let found = convert::path(&at.text_document.uri).and_then(|path| {
            let (text, _) = self.open.get(&path)?;
            hover::hover(self.folder(&path)?, &path, text, at.position, self.encoding)
        });
        serde_json::to_value(found).unwrap_or_default()
    }

    fn actions(&self, params: &CodeActionParams) -> Result<serde_json::Value, Failure> {
        let found = convert::path(&params.text_document.uri).and_then(|path| {
            Some(actions::actions(self.folder(&path)?, &path, params.range, &self.overlay, self.encoding))
        });
        Ok(serde_json::to_value(found.transpose()?.unwrap_or_default()).unwrap_or_default())
    }

    fn note(&mut self, notification: Notification) -> Result<(), Failed> {
        let Notification { method, params, .. } = notification;
        match method.as_str() {
            "textDocument/didOpen" => {
                let params: DidOpenTextDocumentParams = serde_json::from_value(params)?;
                let document = params.text_document;
                if let Some(path) = convert::path(&document.uri) {
                    self.set_text(path.clone(), document.text, document.version);
                    if let Some(folder) = self.folder_mut(&path) {
                        folder.open(&path);
                    }
                }
            }
            "textDocument/didChange" => self.change(serde_json::from_value(params)?),
            "textDocument/didClose" => {
                let params: DidCloseTextDocumentParams = serde_json::from_value(params)?;
                if let Some(path) = convert::path(&params.text_document.uri) {
                    self.open.remove(&path);
                    self.overlay.remove(&path);
                    self.check_all(&path);
                }
            }
            "textDocument/didSave" => {
                let params: DidSaveTextDocumentParams = serde_json::from_value(params)?;
                if let Some(path) = convert::path(&params.text_document.uri) {
                    self.files_changed(&[path])?;
                }
            }
            "workspace/didChangeWatchedFiles" => {
                let params: DidChangeWatchedFilesParams = serde_json::from_value(params)?;
                let paths: Vec<PathBuf> = params.changes.iter().filter_map(|event| convert::path(&event.uri)).collect();
                self.files_changed(&paths)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn change(&mut self, params: DidChangeTextDocumentParams) {
        let Some(path) = convert::path(&params.text_document.text_document_identifier.uri) else { return };
        let Some((mut text, _)) = self.open.remove(&path) else { return };
        for change in params.content_changes {
            match change {
                TextDocumentContentChangeEvent::TextDocumentContentChangePartial(part) => {
                    let start = self.encoding.offset(&text, part.range.start);
                    let end = self.encoding.offset(&text, part.range.end).max(start);
                    text.replace_range(start..end, &part.text);
                }
                TextDocumentContentChangeEvent::TextDocumentContentChangeWholeDocument(whole) => text = whole.text,
            }
        }
        self.set_text(path, text, params.text_document.version);
    }

    fn set_text(&mut self, path: PathBuf, text: String, version: i32) {
        self.overlay.insert(path.clone(), text.clone().into_bytes());
        self.open.insert(path, (text, version));
        self.changed = true;
    }

    /// Files that were saved, made, changed or deleted.
    fn files_changed(&mut self, paths: &[PathBuf]) -> Result<(), Failed> {
        let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        for folder in &mut self.folders {
            let here: Vec<&PathBuf> = paths.iter().filter(|path| path.starts_with(&folder.root)).collect();
            let decides = |path: &&&PathBuf| {
                let known = folder.engine().is_some_and(|engine| engine.knows(path));
                let name = name(path);
                name == "Cargo.lock" || CONFIG_NAMES.contains(&name.as_str()) || known != path.is_file()
            };
            if here.iter().any(|path| decides(&path)) {
                folder.load();
            } else if !here.is_empty() {
                folder.check_all();
            }
        }
        self.changed = true;
        self.show_mistakes()
    }

    fn check_all(&mut self, path: &Path) {
        if let Some(folder) = self.folder_mut(path) {
            folder.check_all();
        }
    }

    /// Checks the open files, which somebody looks at.
    fn check_open(&mut self) -> Result<(), Failed> {
        if !std::mem::take(&mut self.changed) {
            return Ok(());
        }
        for index in 0..self.folders.len() {
            let paths: Vec<PathBuf> =
                self.open.keys().filter(|path| self.place(path) == Some(index)).cloned().collect();
            let new = self.folders[index].check(&paths, &self.overlay);
            self.publish(index, &new)?;
        }
        Ok(())
    }

    fn check_some(&mut self) -> Result<(), Failed> {
        for index in 0..self.folders.len() {
            if self.folders[index].has_pending() {
                let new = self.folders[index].check_some(&self.overlay);
                return self.publish(index, &new);
            }
        }
        Ok(())
    }

    fn publish(&mut self, index: usize, paths: &[PathBuf]) -> Result<(), Failed> {
        for path in paths {
            let diagnostics = self.folders[index].diagnostics(path, self.encoding);
            let version = self.open.get(path).map(|(_, version)| *version);
            self.send(convert::uri(path), version, diagnostics)?;
        }
        self.tell_troubles(index)
    }

    /// Shows what is wrong with this program itself, each thing once.
    fn tell_troubles(&mut self, index: usize) -> Result<(), Failed> {
        for (trouble, told) in self.folders[index].troubles.iter_mut().filter(|(_, told)| !**told) {
            *told = true;
            let params = serde_json::json!({"type": 1, "message": format!("sessionlint: {trouble}")});
            let notification = Notification::new("window/showMessage".to_owned(), params);
            self.connection.sender.send(Message::Notification(notification))?;
        }
        Ok(())
    }

    fn send(&self, uri: Uri, version: Option<i32>, diagnostics: Vec<Diagnostic>) -> Result<(), Failed> {
        let params = PublishDiagnosticsParams { uri, version, diagnostics };
        let notification = Notification::new("textDocument/publishDiagnostics".to_owned(), params);
        Ok(self.connection.sender.send(Message::Notification(notification))?)
    }

    /// Shows mistakes of configuration files in them, and takes back those that were mended.
    fn show_mistakes(&mut self) -> Result<(), Failed> {
        let mut now: BTreeMap<PathBuf, Vec<Diagnostic>> =
            std::mem::take(&mut self.mistaken).into_iter().map(|path| (path, Vec::new())).collect();
        for folder in &self.folders {
            let Some(failure) = &folder.failure else { continue };
            let (path, diagnostic) = match failure {
                Failure::Config(error) => {
                    let place = |offset: usize| self.encoding.position(&error.text, offset as u32);
                    let range = gen_lsp_types::Range { start: place(error.span.start), end: place(error.span.end) };
                    let help = error.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
                    (folder.root.join(&error.name), (range, format!("{}{help}", error.message)))
                }
                other => (folder.root.join("rules.toml"), (gen_lsp_types::Range::default(), other.to_string())),
            };
            now.entry(path.clone()).or_default().push(Diagnostic {
                range: diagnostic.0,
                severity: Some(DiagnosticSeverity::Error),
                source: Some("sessionlint".to_owned()),
                message: diagnostic.1.into(),
                ..Diagnostic::default()
            });
            self.mistaken.insert(path);
        }
        for (path, diagnostics) in now {
            self.send(convert::uri(&path), None, diagnostics)?;
        }
        Ok(())
    }

    /// The folder that a file belongs to: the innermost one, or the first.
    fn place(&self, path: &Path) -> Option<usize> {
        let around = (0..self.folders.len()).filter(|index| path.starts_with(&self.folders[*index].root));
        let innermost = around.max_by_key(|index| self.folders[*index].root.as_os_str().len());
        innermost.or((!self.folders.is_empty()).then_some(0))
    }

    fn folder(&self, path: &Path) -> Option<&Folder> {
        self.place(path).map(|index| &self.folders[index])
    }

    fn folder_mut(&mut self, path: &Path) -> Option<&mut Folder> {
        self.place(path).map(|index| &mut self.folders[index])
    }
}
