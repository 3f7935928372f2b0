//! What can the editor do, and what does it want at the start? Read leniently: what is not understood is not there.

use crate::convert::{self, Encoding};
use gen_lsp_types::Uri;
use serde_json::Value;
use std::path::PathBuf;

/// What the editor said when it began.
#[derive(Debug)]
pub struct Client {
    pub encoding: Encoding,
    /// The folders that are open.
    pub roots: Vec<PathBuf>,
    /// Its `initializationOptions`.
    pub options: Value,
    /// It tells of files that change, when it is asked to.
    pub watches: bool,
    /// It shows how far something is.
    pub shows_progress: bool,
    /// It asks for the findings of the files that it shows, and shows twice what it is told besides.
    pub pulls: bool,
    /// It asks again when it is told to.
    pub refreshes: bool,
    /// It can be asked for settings.
    pub has_settings: bool,
    /// It tells when settings change, when it is asked to.
    pub tells_settings: bool,
}

impl Client {
    /// Reads the parameters of `initialize`.
    pub fn new(params: &Value) -> Self {
        let said = |path: &str| params.pointer(&format!("/capabilities/{path}"));
        let can = |path: &str| said(path).and_then(Value::as_bool) == Some(true);
        let encodings = said("general/positionEncodings").and_then(Value::as_array);
        let is_utf8 = encodings.is_some_and(|known| known.iter().any(|one| one == "utf-8"));
        let path = |uri: &Value| convert::path(&Uri(uri.as_str()?.to_owned()));
        let folders = params["workspaceFolders"].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut roots: Vec<PathBuf> = folders.iter().filter_map(|folder| path(&folder["uri"])).collect();
        if roots.is_empty() {
            let named = path(&params["rootUri"]).or_else(|| params["rootPath"].as_str().map(PathBuf::from));
            roots.extend(named.or_else(|| std::env::current_dir().ok()));
        }
        Self {
            encoding: if is_utf8 { Encoding::Utf8 } else { Encoding::Utf16 },
            roots,
            options: params["initializationOptions"].clone(),
            watches: can("workspace/didChangeWatchedFiles/dynamicRegistration"),
            shows_progress: can("window/workDoneProgress"),
            pulls: said("textDocument/diagnostic").is_some_and(Value::is_object),
            refreshes: can("workspace/diagnostics/refreshSupport"),
            has_settings: can("workspace/configuration"),
            tells_settings: can("workspace/didChangeConfiguration/dynamicRegistration"),
        }
    }
}
