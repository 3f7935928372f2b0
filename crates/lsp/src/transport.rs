//! How do messages come in and go out? Each is JSON behind a header with its length, on standard input and output.
//!
//! What is no message is told apart from one, so that it can be answered; nothing that comes in ends the server.

use lsp_server::{ErrorCode, Message, Notification, Request, RequestId, Response};
use serde_json::{Value, json};
use std::io::{self, BufRead, Read, Write};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, PoisonError};

/// What came in.
pub enum Incoming {
    /// A message.
    Message(Message),
    /// Something else: the answer that it gets.
    Malformed(Value),
}

/// The way out. Works on any thread.
pub struct Connection {
    out: Mutex<Box<dyn Write + Send>>,
}

/// Standard input, which a thread reads, and standard output.
pub fn stdio() -> (Receiver<Incoming>, Connection) {
    let (sender, incoming) = channel();
    // It ends with the input, or with this program.
    std::thread::spawn(move || {
        let mut input = io::stdin().lock();
        while let Ok(Some(one)) = read(&mut input) {
            if sender.send(one).is_err() {
                return;
            }
        }
    });
    (incoming, Connection { out: Mutex::new(Box::new(io::stdout())) })
}

impl Connection {
    fn write(&self, message: &Value) -> io::Result<()> {
        let text = message.to_string();
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        write!(out, "Content-Length: {}\r\n\r\n{text}", text.len())?;
        out.flush()
    }

    fn send(&self, message: Message) -> io::Result<()> {
        let mut value = serde_json::to_value(message)?;
        value["jsonrpc"] = json!("2.0");
        self.write(&value)
    }

    /// Says something that needs no answer.
    pub fn notify(&self, method: &str, params: Value) -> io::Result<()> {
        self.send(Message::Notification(Notification::new(method.to_owned(), params)))
    }

    /// Asks the editor something.
    pub fn ask(&self, id: &str, method: &str, params: Value) -> io::Result<()> {
        self.send(Message::Request(Request::new(RequestId::from(id.to_owned()), method.to_owned(), params)))
    }

    /// Answers a request.
    pub fn answer(&self, id: RequestId, result: Value) -> io::Result<()> {
        self.send(Message::Response(Response::new_ok(id, result)))
    }

    /// Answers a request that cannot be fulfilled.
    pub fn refuse(&self, id: RequestId, code: ErrorCode, why: String) -> io::Result<()> {
        self.send(Message::Response(Response::new_err(id, code as i32, why)))
    }

    /// Answers what is no message.
    pub fn reject(&self, answer: &Value) -> io::Result<()> {
        self.write(answer)
    }
}

/// Reads what comes next; `None` at the end of the input.
fn read(input: &mut dyn BufRead) -> io::Result<Option<Incoming>> {
    let mut length = None;
    loop {
        let mut line = Vec::new();
        if input.read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end();
        if line.is_empty() {
            match length {
                Some(_) => break,
                None => continue,
            }
        }
        let header = line.split_once(':').filter(|(name, _)| !name.contains(' '));
        let Some((name, value)) = header else {
            return Ok(Some(malformed(Value::Null, ErrorCode::ParseError, "this is no header")));
        };
        if name.eq_ignore_ascii_case("Content-Length") {
            match value.trim().parse::<u64>() {
                Ok(known) => length = Some(known),
                Err(_) => {
                    return Ok(Some(malformed(Value::Null, ErrorCode::ParseError, "Content-Length is no number")));
                }
            }
        }
    }
    let mut body = Vec::new();
    let length = length.unwrap_or_default();
    // The space is taken as it is filled: the number may be wrong.
    if input.take(length).read_to_end(&mut body)? as u64 != length {
        return Ok(None);
    }
    Ok(Some(parsed(&body)))
}

/// What a body says.
fn parsed(body: &[u8]) -> Incoming {
    let value: Value = match serde_json::from_slice(body) {
        Ok(value) => value,
        Err(error) => return malformed(Value::Null, ErrorCode::ParseError, &format!("this is no JSON: {error}")),
    };
    let id = value.get("id").cloned().unwrap_or_default();
    // A request whose id is none would pass for a notification, and never be answered.
    let has_id = value.get("id").is_none() || serde_json::from_value::<RequestId>(id.clone()).is_ok();
    match serde_json::from_value(value) {
        Ok(message) if has_id => Incoming::Message(message),
        _ => malformed(id, ErrorCode::InvalidRequest, "this is no request, answer or notification"),
    }
}

fn malformed(id: Value, code: ErrorCode, why: &str) -> Incoming {
    let id = if id.is_number() || id.is_string() { id } else { Value::Null };
    Incoming::Malformed(json!({"jsonrpc": "2.0", "id": id, "error": {"code": code as i32, "message": why}}))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is read, in a word each: the method of a message, or the id and code of an answer to what is none.
    fn all(mut input: &[u8]) -> Vec<String> {
        let mut seen = Vec::new();
        while let Some(one) = read(&mut input).unwrap() {
            seen.push(match one {
                Incoming::Message(Message::Request(request)) => request.method,
                Incoming::Message(Message::Notification(notification)) => notification.method,
                Incoming::Message(Message::Response(response)) => format!("response {}", response.id),
                Incoming::Malformed(answer) => format!("{} {}", answer["id"], answer["error"]["code"]),
            });
        }
        seen
    }

    fn framed(body: &str) -> String {
        format!("Content-Length: {}\r\n\r\n{body}", body.len())
    }

    #[test]
    fn messages_follow_each_other_whatever_stands_between_them() {
        let good = framed("{\"id\":1,\"method\":\"a\"}");
        let cases: &[(String, &str)] = &[
            (framed("{\"id\":"), "null -32700"),
            (framed(""), "null -32700"),
            (framed("\u{fffd}"), "null -32700"),
            (framed(&"[".repeat(100_000)), "null -32700"),
            (framed("[]"), "null -32600"),
            (framed("{\"id\":5}"), "5 -32600"),
            (framed("{\"id\":\"x\",\"method\":7}"), "\"x\" -32600"),
            (framed("{\"id\":1.5,\"method\":\"a\"}"), "1.5 -32600"),
            (framed("{\"id\":[],\"method\":\"a\"}"), "null -32600"),
            ("Content-Length: many\r\n".to_owned(), "null -32700"),
            ("hello, server\r\n".to_owned(), "null -32700"),
        ];
        for (wrong, answer) in cases {
            assert_eq!(all(format!("{good}{wrong}{good}").as_bytes()), ["a", answer, "a"], "{wrong:?}");
        }
    }

    #[test]
    fn headers_are_read_as_others_write_them() {
        let body = "{\"method\":\"a\"}";
        let length = body.len();
        for head in [
            format!("content-length:{length}\n\n"),
            format!("Content-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-Length:  {length} \r\n\r\n"),
            format!("\r\nContent-Length: {length}\r\n\r\n"),
        ] {
            assert_eq!(all(format!("{head}{body}").as_bytes()), ["a"], "{head:?}");
        }
        // An end in the middle is an end, whatever length was told.
        assert_eq!(all(format!("Content-Length: {}\r\n\r\n{body}", u64::MAX).as_bytes()), [""; 0]);
    }
}
