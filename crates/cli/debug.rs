//! The hidden command `debug`: what is known of one function, for those who work on this program.

use crate::arguments::{Check, Facts};
use crate::check::refuse;
use crate::options::options;
use crate::terminal;
use sessionlint_engine::{Engine, View};
use std::process::ExitCode;

/// Prints what is known of the functions with a name; 2 when there is none.
pub fn run(facts: Facts, function: &str, check: &Check) -> ExitCode {
    let view = match facts {
        Facts::Ir => View::Ir,
        Facts::Types => View::Types,
        Facts::Summary => View::Summary,
        Facts::States => View::States,
        Facts::Receivers => View::Receivers,
    };
    let shown = options(check).and_then(|options| {
        let told = |failure| crate::check::told(check, &failure);
        let engine = Engine::new(options, sessionlint_languages::ALL).map_err(told)?;
        engine.show(view, function).map_err(told)
    });
    match shown {
        Ok(Ok(text)) => match terminal::print(&text) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => refuse(&format!("standard output: {error}")),
        },
        Ok(Err(near)) => {
            let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            refuse(&format!("no function is called `{function}` here{near}"))
        }
        Err(message) => refuse(&message),
    }
}
