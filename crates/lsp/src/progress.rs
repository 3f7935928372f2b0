//! How far is it? What an editor shows while the files of its folders are read and checked.

use crate::transport::Connection;
use serde_json::{Value, json};
use sessionlint_engine::Stage;
use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Reading takes so many of a hundred parts of the time, about.
const READING: usize = 50;

/// What is shown by now. Works on any thread.
pub struct Progress<'c> {
    connection: &'c Connection,
    /// Whether the editor shows it.
    is_shown: bool,
    /// The number in the name of what is shown; even ones are over.
    number: AtomicU64,
    percent: AtomicUsize,
    /// The hundredths that the functions which are analysed now stand for: the first, and the last.
    window: (AtomicUsize, AtomicUsize),
}

impl<'c> Progress<'c> {
    pub fn new(connection: &'c Connection, is_shown: bool) -> Self {
        Self {
            connection,
            is_shown,
            number: AtomicU64::new(0),
            percent: AtomicUsize::new(0),
            window: Default::default(),
        }
    }

    fn is_running(&self) -> bool {
        self.number.load(Ordering::Relaxed) % 2 == 1
    }

    fn token(&self) -> String {
        format!("sessionlint-{}", self.number.load(Ordering::Relaxed))
    }

    fn tell(&self, value: Value) -> io::Result<()> {
        self.connection.notify("$/progress", json!({"token": self.token(), "value": value}))
    }

    /// Begins, unless it has.
    pub fn begin(&self) -> io::Result<()> {
        if !self.is_shown || self.is_running() {
            return Ok(());
        }
        self.number.fetch_add(1, Ordering::Relaxed);
        self.percent.store(0, Ordering::Relaxed);
        let token = self.token();
        self.connection.ask(&token, "window/workDoneProgress/create", json!({"token": token}))?;
        self.tell(json!({"kind": "begin", "title": "sessionlint", "message": "looking for files", "percentage": 0}))
    }

    /// What the engine tells while it works. A word for each hundredth is enough.
    pub fn works(&self, stage: Stage, done: usize, all: usize) {
        // A reader that is gone is met again when an answer is written.
        let _ = match stage {
            Stage::Reading => self.tell_part(READING * done / all.max(1), || format!("reading file {done} of {all}")),
            Stage::Analysing => {
                let (from, to) = (self.window.0.load(Ordering::Relaxed), self.window.1.load(Ordering::Relaxed));
                let percent = from + to.saturating_sub(from) * done / all.max(1);
                self.tell_part(percent, || format!("analysing function {done} of {all}"))
            }
        };
    }

    /// So many files of all are checked, and so many more are checked next.
    pub fn checks(&self, (done, all): (usize, usize), next: usize) -> io::Result<()> {
        let part = |done: usize| READING + (100 - READING) * done.min(all) / all.max(1);
        self.window.0.store(part(done), Ordering::Relaxed);
        self.window.1.store(part(done + next), Ordering::Relaxed);
        match done {
            0 => Ok(()),
            _ => self.tell_part(part(done), || format!("checked {done} of {all} files")),
        }
    }

    fn tell_part(&self, percent: usize, message: impl Fn() -> String) -> io::Result<()> {
        if !self.is_running() || self.percent.fetch_max(percent, Ordering::Relaxed) >= percent {
            return Ok(());
        }
        self.tell(json!({"kind": "report", "message": message(), "percentage": percent}))
    }

    /// Ends, when it has begun.
    pub fn end(&self) -> io::Result<()> {
        if !self.is_running() {
            return Ok(());
        }
        self.tell(json!({"kind": "end"}))?;
        self.number.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}
