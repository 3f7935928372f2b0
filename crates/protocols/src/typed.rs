//! Which functions give what their type argument names? Reads `outside/typed.toml` into the [`Model`].

use crate::model::Model;
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

impl Model {
    /// Adds what is built in.
    ///
    /// # Panics
    /// When the built-in data file is wrong, which a test rules out.
    pub(crate) fn add_built_in_typed(&mut self) {
        let raw: Raw = toml::from_str(TYPED).unwrap_or_else(|error| panic!("outside/typed.toml: {error}"));
        self.typed = raw.gives;
    }

    /// What the function with this full path gives of its type argument. The crate and the last name decide.
    pub fn typed_function(&self, path: &[String]) -> Option<&Typed> {
        let ((krate, _), name) = (path.split_first()?, path.last()?);
        let is_it = |full: &String| {
            full.split_once("::").is_some_and(|(first, rest)| first == krate && rest.rsplit("::").next() == Some(name))
        };
        self.typed.iter().find(|typed| typed.functions.iter().any(is_it))
    }

    /// The methods of this name that give what their type argument names.
    pub fn typed_methods<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Typed> + 'a {
        self.typed.iter().filter(move |typed| typed.methods.iter().any(|method| method == name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
