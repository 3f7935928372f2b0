//! Which functions give what their type argument names? Reads `outside/typed.toml` into the [`Model`](crate::Model).

use serde::Deserialize;

const TYPED: &str = include_str!("../outside/typed.toml");

/// Functions and methods that give what their type argument names.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Typed {
    /// The packages that bring them in.
    pub crates: Vec<String>,
    /// Functions, by full path.
    #[serde(default)]
    pub functions: Vec<String>,
    /// Methods, of whatever they are called on.
    #[serde(default)]
    pub methods: Vec<String>,
    /// Whether they make a future.
    #[serde(default, rename = "async")]
    pub is_async: bool,
    /// What stands around the type.
    pub gives: Around,
}

/// What stands around a type argument in what a function gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Around {
    /// Nothing.
    #[serde(rename = "T")]
    Nothing,
    /// A reference.
    #[serde(rename = "&T")]
    Reference,
    /// `Option` or `Result`.
    #[serde(rename = "Option<T>", alias = "Result<T>")]
    Fallible,
    /// The same around a reference.
    #[serde(rename = "Option<&T>", alias = "Result<&T>")]
    FallibleReference,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    gives: Vec<Typed>,
}

/// What is built in.
///
/// # Panics
/// When the built-in data file is wrong, which a test rules out.
pub(crate) fn built_in() -> Vec<Typed> {
    let raw: Raw = toml::from_str(TYPED).unwrap_or_else(|error| panic!("outside/typed.toml: {error}"));
    raw.gives
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Model;

    #[test]
    fn functions_are_found_behind_any_module() {
        let model = Model::built_in();
        let found = |path: &str| {
            let path: Vec<String> = path.split("::").map(str::to_owned).collect();
            model.typed_function(&path).map(|typed| typed.gives)
        };
        assert_eq!(found("leptos::prelude::use_context"), Some(Around::Fallible));
        assert_eq!(found("leptos::expect_context"), Some(Around::Nothing));
        assert_eq!(found("mine::use_context"), None);
        assert!(model.typed_methods("app_data").any(|typed| typed.gives == Around::FallibleReference));
        assert!(model.typed_methods("clone").next().is_none());
    }
}
