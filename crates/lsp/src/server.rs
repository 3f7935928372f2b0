//! Who says what, in which order? Reads messages, and answers the editor before it does anything else.

use crate::actions::{self, FIX_ALL};
use crate::client::Client;
use crate::convert::{self, Encoding};
use crate::documents::Documents;
use crate::folder::Folder;
use crate::hover;
use crate::progress::Progress;
use crate::settings::{SECTION, Settings};
use crate::shown::{Asked, Shown};
use crate::transport::{self, Connection, Incoming};
use gen_lsp_types::{
    CodeActionKind, CodeActionOptions, CodeActionParams, CodeActionProvider, DiagnosticOptions, DiagnosticProvider,
    DidChangeWatchedFilesParams, DidCloseTextDocumentParams, DidOpenTextDocumentParams, DidSaveTextDocumentParams,
    HoverParams, HoverProvider, PositionEncodingKind, Save, ServerCapabilities, TextDocumentSyncKind,
    TextDocumentSyncOptions, WorkDoneProgressOptions,
};
use lsp_server::{ErrorCode, Message, Notification, Request, RequestId, Response};
use serde_json::{Value, json};
use sessionlint_engine::{CONFIG_NAMES, Failure, caught};
use sessionlint_languages::ALL;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, TryRecvError};

/// The id of our question for the editor's settings.
const SETTINGS: &str = "settings";

/// Runs until the editor says goodbye. Whether it did so as the protocol asks: `exit` after `shutdown`.
pub fn serve() -> bool {
    let (incoming, connection) = transport::stdio();
    // Who does not listen any more has gone without a word.
    let Ok(Some((id, params))) = greeted(&incoming, &connection) else { return false };
    let client = Client::new(&params);
    let about = json!({"name": "sessionlint", "version": env!("CARGO_PKG_VERSION")});
    let answer = json!({"capabilities": capabilities(client.encoding), "serverInfo": about});
    let served = connection.answer(id, answer).and_then(|()| Server::new(&incoming, &connection, &client).run());
    served.unwrap_or_default()
}

/// Waits for `initialize`, and gives its id and parameters; `None` when that does not come.
fn greeted(incoming: &Receiver<Incoming>, connection: &Connection) -> io::Result<Option<(RequestId, Value)>> {
    while let Ok(one) = incoming.recv() {
        match one {
            Incoming::Malformed(answer) => connection.reject(&answer)?,
            Incoming::Message(Message::Request(request)) if request.method == "initialize" => {
                return Ok(Some((request.id, request.params)));
            }
            Incoming::Message(Message::Request(request)) => {
                let why = "`initialize` comes first".to_owned();
                connection.refuse(request.id, ErrorCode::ServerNotInitialized, why)?;
            }
            Incoming::Message(Message::Notification(notification)) if notification.method == "exit" => break,
            Incoming::Message(_) => {}
        }
    }
    Ok(None)
}

fn capabilities(encoding: Encoding) -> ServerCapabilities {
    let sync = TextDocumentSyncOptions {
        open_close: Some(true),
        change: Some(TextDocumentSyncKind::Incremental),
        save: Some(Save::Bool(true)),
        ..TextDocumentSyncOptions::default()
    };
    let kinds = Some(vec![CodeActionKind::QuickFix, CodeActionKind::Custom(FIX_ALL.into())]);
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
        diagnostic_provider: Some(DiagnosticProvider::DiagnosticOptions(DiagnosticOptions {
            identifier: Some("sessionlint".to_owned()),
            inter_file_dependencies: true,
            workspace_diagnostics: true,
            work_done_progress_options: WorkDoneProgressOptions::default(),
        })),
        ..ServerCapabilities::default()
    }
}

/// Answers one request. A panic costs the answer, not the server.
fn guarded(answer: impl FnOnce() -> Result<Value, Failure>) -> Result<Value, Failure> {
    caught(answer).unwrap_or_else(|what| Err(Failure::Internal(what)))
}

/// What is known between two messages.
pub struct Server<'c> {
    incoming: &'c Receiver<Incoming>,
    pub connection: &'c Connection,
    pub client: &'c Client,
    pub folders: Vec<Folder>,
    pub documents: Documents,
    /// Open files changed since they were checked.
    pub changed: bool,
    /// What the editor was shown without being asked.
    pub shown: Shown,
    /// Questions for all findings, which are answered when all files are checked.
    pub asked: Vec<Asked>,
    pub progress: Progress<'c>,
    is_started: bool,
    is_shut_down: bool,
}

impl<'c> Server<'c> {
    fn new(incoming: &'c Receiver<Incoming>, connection: &'c Connection, client: &'c Client) -> Self {
        Self {
            incoming,
            connection,
            client,
            folders: Vec::new(),
            documents: Documents::default(),
            changed: false,
            shown: Shown::default(),
            asked: Vec::new(),
            progress: Progress::new(connection, client.shows_progress),
            is_started: false,
            is_shut_down: false,
        }
    }

    /// Whether the editor said goodbye in the right order.
    fn run(&mut self) -> io::Result<bool> {
        loop {
            // All that was said counts before anything is checked.
            let busy = self.changed || self.folders.iter().any(Folder::has_pending);
            let incoming = match busy {
                true => match self.incoming.try_recv() {
                    Ok(incoming) => Some(incoming),
                    Err(TryRecvError::Empty) => None,
                    Err(TryRecvError::Disconnected) => return Ok(false),
                },
                false => match self.incoming.recv() {
                    Ok(incoming) => Some(incoming),
                    Err(_) => return Ok(false),
                },
            };
            match incoming {
                Some(Incoming::Malformed(answer)) => self.connection.reject(&answer)?,
                Some(Incoming::Message(Message::Notification(one))) if one.method == "exit" => {
                    return Ok(self.is_shut_down);
                }
                Some(Incoming::Message(message)) => {
                    self.start()?;
                    match message {
                        Message::Request(request) => self.answer(request)?,
                        Message::Notification(notification) => self.note(notification)?,
                        Message::Response(response) => self.take(response)?,
                    }
                }
                None if self.changed => self.check_open()?,
                None => self.check_some()?,
            }
            self.settle()?;
        }
    }

    /// Reads the folders, once: with the first message after the greeting, which is to be `initialized`.
    fn start(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.is_started, true) {
            return Ok(());
        }
        self.register()?;
        self.ask_settings()?;
        self.progress.begin()?;
        let settings = Settings::new(&self.client.options);
        self.folders = self.client.roots.iter().map(|root| Folder::new(root.clone(), settings.clone())).collect();
        self.show_mistakes()?;
        (0..self.folders.len()).try_for_each(|index| self.tell_troubles(index))
    }

    /// Asks to be told when files change that are not open, and when settings do.
    fn register(&self) -> io::Result<()> {
        let mut wanted = Vec::new();
        if self.client.watches {
            let names = ["Cargo.lock", "sessionlint-baseline.json"].into_iter().chain(CONFIG_NAMES).map(str::to_owned);
            let names = ALL.extensions().map(|extension| format!("*.{extension}")).chain(names);
            let watchers: Vec<Value> = names.map(|name| json!({"globPattern": format!("**/{name}")})).collect();
            let method = "workspace/didChangeWatchedFiles";
            wanted.push(json!({"id": "files", "method": method, "registerOptions": {"watchers": watchers}}));
        }
        if self.client.tells_settings {
            let method = "workspace/didChangeConfiguration";
            wanted.push(json!({"id": "settings", "method": method, "registerOptions": {"section": SECTION}}));
        }
        match wanted.is_empty() {
            true => Ok(()),
            false => self.connection.ask("register", "client/registerCapability", json!({"registrations": wanted})),
        }
    }

    fn ask_settings(&self) -> io::Result<()> {
        match self.client.has_settings {
            true => self.connection.ask(SETTINGS, "workspace/configuration", json!({"items": [{"section": SECTION}]})),
            false => Ok(()),
        }
    }

    /// The editor answers what we asked.
    fn take(&mut self, response: Response) -> io::Result<()> {
        match response.response_result {
            Ok(Value::Array(found)) if response.id == RequestId::from(SETTINGS.to_owned()) => {
                self.set(&Settings::new(found.first().unwrap_or(&Value::Null)))
            }
            _ => Ok(()),
        }
    }

    /// Sets what is set in the editor; what it said at the start holds where that is nothing.
    fn set(&mut self, settings: &Settings) -> io::Result<()> {
        let first = Settings::new(&self.client.options);
        let settings = if settings.is_empty() { &first } else { settings };
        let mut any = false;
        for folder in &mut self.folders {
            any |= folder.set(settings);
        }
        if any {
            self.changed = true;
            self.show_mistakes()?;
        }
        Ok(())
    }

    fn answer(&mut self, request: Request) -> io::Result<()> {
        let Request { id, method, params, .. } = request;
        if self.is_shut_down {
            return self.connection.refuse(
                id,
                ErrorCode::InvalidRequest,
                "only `exit` comes after `shutdown`".to_owned(),
            );
        }
        // The answer is about what was typed last.
        self.check_open()?;
        let result = match method.as_str() {
            "shutdown" => {
                self.is_shut_down = true;
                return self.connection.answer(id, Value::Null);
            }
            "initialize" => {
                return self.connection.refuse(id, ErrorCode::InvalidRequest, "`initialize` comes once".to_owned());
            }
            "textDocument/hover" => serde_json::from_value(params).map(|params| guarded(|| Ok(self.hover(&params)))),
            "textDocument/codeAction" => serde_json::from_value(params).map(|params| guarded(|| self.actions(&params))),
            "textDocument/diagnostic" => {
                serde_json::from_value(params).map(|params| guarded(|| Ok(self.findings_of(&params))))
            }
            "workspace/diagnostic" => match serde_json::from_value(params) {
                Ok(params) => return self.ask_all(id, params),
                Err(error) => Err(error),
            },
            _ => {
                let why = format!("`{method}` is not known here");
                return self.connection.refuse(id, ErrorCode::MethodNotFound, why);
            }
        };
        match result {
            Ok(Ok(value)) => self.connection.answer(id, value),
            Ok(Err(failure)) => self.connection.refuse(id, ErrorCode::InternalError, failure.to_string()),
            Err(error) => self.connection.refuse(id, ErrorCode::InvalidParams, error.to_string()),
        }
    }

    fn hover(&self, params: &HoverParams) -> Value {
        let at = &params.text_document_position_params;
        let found = convert::path(&at.text_document.uri).and_then(|path| {
            let text = self.documents.text(&path)?;
            hover::hover(self.folder(&path)?, &path, text, at.position, self.client.encoding)
        });
        serde_json::to_value(found).unwrap_or_default()
    }

    fn actions(&self, params: &CodeActionParams) -> Result<Value, Failure> {
        let only = params.context.only.as_deref();
        let found = convert::path(&params.text_document.uri).and_then(|path| {
            let (folder, encoding) = (self.folder(&path)?, self.client.encoding);
            Some(actions::actions(folder, &path, params.range, only, &self.documents.overlay, encoding))
        });
        Ok(serde_json::to_value(found.transpose()?.unwrap_or_default()).unwrap_or_default())
    }

    /// Takes what the editor tells. What cannot be understood is told back, and changes nothing.
    fn note(&mut self, notification: Notification) -> io::Result<()> {
        let method = notification.method.clone();
        let why = match caught(|| self.told(notification)) {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) if error.is_io() => return Err(error.into()),
            Ok(Err(error)) => format!("`{method}`: {error}"),
            Err(what) => Failure::Internal(what).to_string(),
        };
        self.connection.notify("window/logMessage", json!({"type": 1, "message": format!("sessionlint: {why}")}))
    }

    fn told(&mut self, notification: Notification) -> serde_json::Result<()> {
        let Notification { method, params, .. } = notification;
        let done = match method.as_str() {
            "textDocument/didOpen" => {
                let params: DidOpenTextDocumentParams = serde_json::from_value(params)?;
                let document = params.text_document;
                let language = String::from(document.language_id);
                let is_named = ALL.0.iter().any(|known| known.name().to_lowercase() == language);
                let is_known = |path: &PathBuf| is_named || ALL.by_name(path).is_some();
                match convert::path(&document.uri).filter(is_known) {
                    Some(path) => self.open(path, document.text, document.version),
                    None => Ok(()),
                }
            }
            "textDocument/didChange" => {
                self.documents.change(serde_json::from_value(params)?, self.client.encoding);
                self.changed = true;
                Ok(())
            }
            "textDocument/didClose" => {
                let params: DidCloseTextDocumentParams = serde_json::from_value(params)?;
                if let Some(path) = convert::path(&params.text_document.uri).filter(|path| self.documents.is_open(path))
                {
                    self.documents.close(&path);
                    if let Some(folder) = self.folder_mut(&path) {
                        folder.close(&path);
                    }
                }
                Ok(())
            }
            "textDocument/didSave" => {
                let params: DidSaveTextDocumentParams = serde_json::from_value(params)?;
                convert::path(&params.text_document.uri).map_or(Ok(()), |path| self.files_changed(&[path]))
            }
            "workspace/didChangeWatchedFiles" => {
                let params: DidChangeWatchedFilesParams = serde_json::from_value(params)?;
                let paths: Vec<PathBuf> = params.changes.iter().filter_map(|event| convert::path(&event.uri)).collect();
                self.files_changed(&paths)
            }
            "workspace/didChangeConfiguration" => {
                let told = params.get("settings").unwrap_or(&Value::Null);
                // Who can be asked sends nothing, or all of its settings.
                match self.client.has_settings && told.get(SECTION).is_none() {
                    true => self.ask_settings(),
                    false => self.set(&Settings::new(told)),
                }
            }
            "$/cancelRequest" => self.forget(&params["id"]),
            _ => Ok(()),
        };
        done.map_err(serde_json::Error::io)
    }

    fn open(&mut self, path: PathBuf, text: String, version: i32) -> io::Result<()> {
        self.documents.set(path.clone(), text, version);
        self.changed = true;
        if let Some(folder) = self.folder_mut(&path) {
            folder.open(&path);
        }
        self.take_back(&path)
    }

    /// Files that were saved, made, changed or deleted.
    fn files_changed(&mut self, paths: &[PathBuf]) -> io::Result<()> {
        let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        for folder in &mut self.folders {
            let here: Vec<&PathBuf> = paths.iter().filter(|path| path.starts_with(&folder.root)).collect();
            let decides = |path: &&&PathBuf| {
                let known = folder.engine().is_some_and(|engine| engine.knows(path));
                let name = name(path);
                let is_source = ALL.by_name(path).is_some();
                name == "Cargo.lock" || CONFIG_NAMES.contains(&name.as_str()) || is_source && known != path.is_file()
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

    /// The folder that a file belongs to: the innermost one, or the first.
    pub fn place(&self, path: &Path) -> Option<usize> {
        let around = (0..self.folders.len()).filter(|index| path.starts_with(&self.folders[*index].root));
        let innermost = around.max_by_key(|index| self.folders[*index].root.as_os_str().len());
        innermost.or((!self.folders.is_empty()).then_some(0))
    }

    fn folder(&self, path: &Path) -> Option<&Folder> {
        self.place(path).map(|index| &self.folders[index])
    }

    pub fn folder_mut(&mut self, path: &Path) -> Option<&mut Folder> {
        self.place(path).map(|index| &mut self.folders[index])
    }
}
