//! What do the words of a text say before anybody parses it? Names choose what is looked at, and never what is reported.

use std::collections::BTreeSet;

/// For what a text has blocks of methods, and the macros that it defines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blocks {
    /// The names of the traits that are implemented.
    pub traits: BTreeSet<String>,
    /// The names of the types that get methods.
    pub types: BTreeSet<String>,
    /// The names of the macros that are defined.
    pub macros: BTreeSet<String>,
}

/// What the words of a text say in a language.
///
/// Each answer may be wrong to the side of looking: what is looked at for nothing costs time, what is not looked at costs findings. So
/// what a language does not answer has the answer here that looks. A signature is what stands before a body; `before` and `after` are
/// the texts around a name.
pub trait Glance {
    /// What a file that is not parsed has blocks for.
    fn blocks(&self, _bytes: &[u8]) -> Blocks {
        Blocks::default()
    }

    /// Whether a text may declare a function whose name begins so.
    fn may_declare(&self, bytes: &[u8], _name: &str) -> bool {
        !bytes.is_empty()
    }

    /// Whether a text may declare a trait.
    fn may_declare_traits(&self, bytes: &[u8]) -> bool {
        !bytes.is_empty()
    }

    /// The names that an import gives anew: each old one with the new one.
    fn renamed<'t>(&self, _import: &'t str) -> Vec<(&'t str, &'t str)> {
        Vec::new()
    }

    /// The trait that the header of a block implements, and the text of what it is for.
    fn implemented<'t>(&self, _header: &'t str) -> Option<(&'t str, &'t str)> {
        None
    }

    /// The type whose end the header of a block says something of.
    fn dropped<'t>(&self, _header: &'t str) -> Option<&'t str> {
        None
    }

    /// The traits of which a text has values whose type only a run tells.
    fn dynamic<'t>(&self, _text: &'t str) -> Vec<&'t str> {
        Vec::new()
    }

    /// The words before a trait where a value is meant that implements it.
    fn implementing(&self) -> &'static [&'static str] {
        &[]
    }

    /// The names of types whose content has other owners.
    fn sharing(&self) -> &'static [&'static str] {
        &[]
    }

    /// What a signature says of what the function gives.
    fn output<'t>(&self, signature: &'t str) -> Option<&'t str> {
        Some(signature)
    }

    /// Whether a function is run later, by whoever waits for it.
    fn is_async(&self, _signature: &str) -> bool {
        true
    }

    /// Whether a function takes its receiver for good.
    fn takes_itself(&self, _signature: &str) -> bool {
        true
    }

    /// Whether a function takes another one.
    fn takes_closure(&self, _signature: &str) -> bool {
        true
    }

    /// Whether a parameter whose type begins behind this part of a signature is only lent.
    fn is_borrowed(&self, _before: &str) -> bool {
        false
    }

    /// Whether a body waits for something.
    fn waits(&self, _body: &str) -> bool {
        true
    }

    /// Whether a function may be lent something.
    fn may_lend(&self, _signature: &str) -> bool {
        true
    }

    /// Whether a body may look again and again, and wait in between.
    fn polls(&self, _body: &str) -> bool {
        true
    }

    /// Whether a body may take something out of what it is lent.
    fn takes_out(&self, _body: &str) -> bool {
        true
    }

    /// Whether a method may put something else into its receiver.
    fn replaces(&self, _signature: &str, _body: &str) -> bool {
        true
    }

    /// Whether a name is that of a function or macro.
    fn is_function(&self, _before: &str, _after: &str) -> bool {
        true
    }

    /// Whether a name is that of a method or function that is called.
    fn is_call(&self, _before: &str, _after: &str) -> bool {
        true
    }

    /// Whether a call of a name that everything has may be the one of a function that hands out a session: it has no arguments, which those
    /// of collections have, or is waited for right where it stands.
    fn is_bare(&self, _after: &str) -> bool {
        true
    }

    /// Whether something of what a name stands for is meant: a function of a type.
    fn leads_on(&self, _after: &str) -> bool {
        true
    }

    /// The function of a type that is called where its name stands, behind its type arguments.
    fn function_of<'t>(&self, _after: &'t str) -> Option<&'t str> {
        None
    }

    /// Whether a function is written among the arguments of a call.
    fn is_given_closure(&self, _after: &str) -> bool {
        true
    }

    /// Whether a call is neither waited for nor looked at right where it stands.
    fn is_not_awaited(&self, _after: &str) -> bool {
        true
    }

    /// Whether what a call gives is thrown away.
    fn is_thrown_away(&self, _before: &str, _after: &str) -> bool {
        true
    }
}
