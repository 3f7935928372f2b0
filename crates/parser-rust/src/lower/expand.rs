//! What does a `macro_rules!` macro of the workspace stand for? Simple ones are expanded where they are called.
//!
//! Matchers with fragments, literal tokens, groups and repetitions; what does not match, or does not parse as
//! statements afterwards, is left to the rules for macros that nobody understands.

use proc_macro2::{Delimiter, Group, Ident, Punct, Span, TokenStream, TokenTree};
use quote::ToTokens;
use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;
use syn::parse::{ParseStream, Parser, discouraged::Speculative};

/// An expansion with more tokens than this is not looked at.
const MAX_TOKENS: usize = 4_000;
/// The rules of so many macros are kept by one thread.
const MAX_KNOWN: usize = 64;

/// A part of a matcher.
enum Part {
    Token(TokenTree),
    Group(Delimiter, Vec<Part>),
    Fragment(String, String),
    Repeat { parts: Vec<Part>, separator: Option<TokenTree>, operator: char },
}

/// A rule of a macro. Its tokens are kept longer than the places that they came from, which nobody may ask for.
struct Rule {
    /// The first token that it matches.
    first: Option<TokenTree>,
    matcher: TokenStream,
    /// What the matcher says, once somebody has asked.
    parts: OnceCell<Vec<Part>>,
    transcriber: TokenStream,
}

thread_local! {
    /// The rules of the macros that were expanded last, by their texts: most are called again and again.
    static KNOWN: RefCell<HashMap<String, Rc<[Rule]>>> = RefCell::default();
}

/// What a name of a matcher stands for.
#[derive(Clone)]
enum Bound {
    One(TokenStream),
    Many(Vec<Bindings>),
}

type Bindings = BTreeMap<String, Bound>;

/// The statements that a call of the macro stands for. `definition` is the whole text of the macro; everything that
/// comes from it gets the place of the call.
pub(super) fn expand(definition: &str, arguments: &TokenStream, call: Span) -> Option<Vec<syn::Stmt>> {
    let first = arguments.clone().into_iter().next();
    for Rule { first: expected, matcher, parts, transcriber } in rules(definition).iter() {
        if !may_match(expected.as_ref(), first.as_ref()) {
            continue;
        }
        let parts = parts.get_or_init(|| parts_of(matcher.clone()));
        let parser = |input: ParseStream<'_>| {
            let mut bindings = Bindings::new();
            matched(parts, input, &mut bindings)?;
            Ok(bindings)
        };
        if let Ok(bindings) = parser.parse2(arguments.clone()) {
            let mut names = BTreeSet::new();
            identifiers(arguments.clone(), &mut names);
            let mut expanded = TokenStream::new();
            transcribe(transcriber.clone(), &bindings, call, &names, &mut expanded)?;
            if count(&expanded) > MAX_TOKENS {
                return None;
            }
            return syn::Block::parse_within.parse2(expanded).ok();
        }
    }
    None
}

/// Whether a rule may be meant, as far as the first tokens tell: some macros have hundreds of rules, one for each word.
fn may_match(expected: Option<&TokenTree>, first: Option<&TokenTree>) -> bool {
    match (expected, first) {
        (_, Some(TokenTree::Group(group))) if group.delimiter() == Delimiter::None => true,
        (Some(TokenTree::Ident(expected)), Some(TokenTree::Ident(found))) => expected == found,
        (Some(TokenTree::Literal(expected)), Some(TokenTree::Literal(found))) => {
            expected.to_string() == found.to_string()
        }
        (Some(TokenTree::Ident(_) | TokenTree::Literal(_)), _) => false,
        _ => true,
    }
}

/// The rules of a macro, up to one that is not understood.
fn rules(definition: &str) -> Rc<[Rule]> {
    if let Some(known) = KNOWN.with_borrow(|known| known.get(definition).cloned()) {
        return known;
    }
    let made = Rc::from(rules_in(definition));
    KNOWN.with_borrow_mut(|known| {
        if known.len() >= MAX_KNOWN {
            known.clear();
        }
        known.insert(definition.to_owned(), Rc::clone(&made));
    });
    made
}

fn rules_in(definition: &str) -> Vec<Rule> {
    let tokens: TokenStream = definition.parse().unwrap_or_default();
    let body = tokens.into_iter().find_map(|token| match token {
        TokenTree::Group(group) => Some(group.stream()),
        _ => None,
    });
    let tokens: Vec<TokenTree> = body.unwrap_or_default().into_iter().collect();
    let mut rest = tokens.as_slice();
    let mut found = Vec::new();
    while let Some((matcher, transcriber, after)) = rule(rest) {
        rest = after;
        let matcher = matcher.stream();
        let first = matcher.clone().into_iter().next();
        found.push(Rule { first, matcher, parts: OnceCell::new(), transcriber: transcriber.stream() });
    }
    found
}

/// The first rule of a macro, and the tokens after it.
fn rule(tokens: &[TokenTree]) -> Option<(&Group, &Group, &[TokenTree])> {
    let [TokenTree::Group(matcher), TokenTree::Punct(_), TokenTree::Punct(_), TokenTree::Group(transcriber), rest @ ..] =
        tokens
    else {
        return None;
    };
    let rest = match rest {
        [TokenTree::Punct(semicolon), after @ ..] if semicolon.as_char() == ';' => after,
        rest => rest,
    };
    Some((matcher, transcriber, rest))
}

fn parts_of(matcher: TokenStream) -> Vec<Part> {
    let mut found = Vec::new();
    let mut tokens = matcher.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(dollar) if dollar.as_char() == '$' => match tokens.next() {
                Some(TokenTree::Ident(name)) => {
                    let _colon = tokens.next();
                    let kind = tokens.next().map(|kind| kind.to_string()).unwrap_or_default();
                    found.push(Part::Fragment(name.to_string(), kind));
                }
                Some(TokenTree::Group(group)) => {
                    let mut separator = None;
                    let mut operator = tokens.next();
                    if !is_operator(operator.as_ref()) {
                        separator = operator;
                        operator = tokens.next();
                    }
                    let operator = operator.and_then(|token| token.to_string().chars().next()).unwrap_or('*');
                    found.push(Part::Repeat { parts: parts_of(group.stream()), separator, operator });
                }
                _ => {}
            },
            TokenTree::Group(group) => found.push(Part::Group(group.delimiter(), parts_of(group.stream()))),
            token => found.push(Part::Token(token)),
        }
    }
    found
}

fn is_operator(token: Option<&TokenTree>) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if matches!(punct.as_char(), '*' | '+' | '?'))
}

/// Matches all of `parts` against the input.
fn matched(parts: &[Part], input: ParseStream<'_>, bindings: &mut Bindings) -> syn::Result<()> {
    for part in parts {
        match part {
            Part::Token(expected) => {
                let found: TokenTree = input.parse()?;
                if found.to_string() != expected.to_string() {
                    return Err(input.error("another token"));
                }
            }
            Part::Group(delimiter, inner) => match input.parse()? {
                TokenTree::Group(group) if group.delimiter() == *delimiter => {
                    let parser = |input: ParseStream<'_>| {
                        let mut inside = Bindings::new();
                        matched(inner, input, &mut inside)?;
                        Ok(inside)
                    };
                    bindings.append(&mut parser.parse2(group.stream())?);
                }
                _ => return Err(input.error("a group")),
            },
            Part::Fragment(name, kind) => {
                bindings.insert(name.clone(), Bound::One(fragment(kind, input)?));
            }
            Part::Repeat { parts, separator, operator } => {
                let mut rounds = Vec::new();
                while !input.is_empty() {
                    let ahead = input.fork();
                    if let Some(separator) = separator.as_ref().filter(|_| !rounds.is_empty()) {
                        let next: TokenTree = ahead.parse()?;
                        if next.to_string() != separator.to_string() {
                            break;
                        }
                    }
                    let mut round = Bindings::new();
                    if matched(parts, &ahead, &mut round).is_err() {
                        break;
                    }
                    input.advance_to(&ahead);
                    rounds.push(round);
                    if *operator == '?' {
                        break;
                    }
                }
                if *operator == '+' && rounds.is_empty() {
                    return Err(input.error("at least one"));
                }
                for name in names(parts) {
                    bindings.insert(name, Bound::Many(rounds.clone()));
                }
            }
        }
    }
    Ok(())
}

fn names(parts: &[Part]) -> Vec<String> {
    let mut found = Vec::new();
    for part in parts {
        match part {
            Part::Fragment(name, _) => found.push(name.clone()),
            Part::Group(_, inner) | Part::Repeat { parts: inner, .. } => found.extend(names(inner)),
            Part::Token(_) => {}
        }
    }
    found
}

fn fragment(kind: &str, input: ParseStream<'_>) -> syn::Result<TokenStream> {
    fn one<T: syn::parse::Parse + ToTokens>(input: ParseStream<'_>) -> syn::Result<TokenStream> {
        Ok(input.parse::<T>()?.to_token_stream())
    }
    match kind {
        "expr" | "expr_2021" => {
            let tokens = one::<syn::Expr>(input)?;
            // As the compiler does, so that `$a * 2` is what it looks like; one word needs nothing around it.
            let single = tokens.clone().into_iter().nth(1).is_none();
            Ok(if single { tokens } else { TokenTree::Group(Group::new(Delimiter::None, tokens)).into() })
        }
        "ident" => one::<Ident>(input),
        "ty" => one::<syn::Type>(input),
        "path" => one::<syn::Path>(input),
        "block" => one::<syn::Block>(input),
        "literal" => one::<syn::Lit>(input),
        "lifetime" => one::<syn::Lifetime>(input),
        "vis" => one::<syn::Visibility>(input),
        "stmt" => one::<syn::Stmt>(input),
        "pat" => Ok(syn::Pat::parse_multi_with_leading_vert(input)?.to_token_stream()),
        "pat_param" => Ok(syn::Pat::parse_single(input)?.to_token_stream()),
        "tt" => one::<TokenTree>(input),
        _ => Err(input.error("a fragment that is not understood")),
    }
}

/// Writes the right side of a rule. A variable of the macro's own that shares its name with one of the call gets
/// another name: the compiler keeps them apart.
fn transcribe(
    tokens: TokenStream,
    bindings: &Bindings,
    call: Span,
    taken: &BTreeSet<String>,
    out: &mut TokenStream,
) -> Option<()> {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(dollar) if dollar.as_char() == '$' => match tokens.next()? {
                TokenTree::Ident(name) if name == "crate" => out.extend([TokenTree::Ident(Ident::new("crate", call))]),
                TokenTree::Ident(name) => match bindings.get(&name.to_string()) {
                    Some(Bound::One(bound)) => out.extend(bound.clone()),
                    _ => return None,
                },
                TokenTree::Group(group) => {
                    let mut separator = None;
                    let mut operator = tokens.next();
                    if !is_operator(operator.as_ref()) {
                        separator = operator.take();
                        tokens.next()?;
                    }
                    let mut used = BTreeSet::new();
                    identifiers(group.stream(), &mut used);
                    let rounds = bindings.iter().find_map(|(name, bound)| match bound {
                        Bound::Many(rounds) if used.contains(name) => Some(rounds),
                        _ => None,
                    })?;
                    for (index, round) in rounds.iter().enumerate() {
                        if index > 0 {
                            out.extend(separator.clone().map(|token| placed(token, call)));
                        }
                        let mut all = bindings.clone();
                        all.extend(round.clone());
                        transcribe(group.stream(), &all, call, taken, out)?;
                    }
                }
                _ => return None,
            },
            TokenTree::Group(group) => {
                let mut inner = TokenStream::new();
                transcribe(group.stream(), bindings, call, taken, &mut inner)?;
                let mut group = Group::new(group.delimiter(), inner);
                group.set_span(call);
                out.extend([TokenTree::Group(group)]);
            }
            TokenTree::Ident(name) if taken.contains(&name.to_string()) && is_variable(&name) => {
                out.extend([TokenTree::Ident(Ident::new(&format!("{name}_of_macro"), call))]);
            }
            token => out.extend([placed(token, call)]),
        }
    }
    Some(())
}

/// Whether a word can be a variable: macros that use a function or method of the same name as a variable of the
/// call are too rare to matter.
fn is_variable(name: &Ident) -> bool {
    let text = name.to_string();
    syn::parse_str::<Ident>(&text).is_ok() && text.starts_with(|c: char| c.is_lowercase()) && text != "self"
}

fn placed(mut token: TokenTree, call: Span) -> TokenTree {
    if let TokenTree::Punct(punct) = &token {
        let mut same = Punct::new(punct.as_char(), punct.spacing());
        same.set_span(call);
        return TokenTree::Punct(same);
    }
    token.set_span(call);
    token
}

fn identifiers(tokens: TokenStream, found: &mut BTreeSet<String>) {
    for token in tokens {
        match token {
            TokenTree::Ident(name) => {
                found.insert(name.to_string());
            }
            TokenTree::Group(group) => identifiers(group.stream(), found),
            _ => {}
        }
    }
}

fn count(tokens: &TokenStream) -> usize {
    tokens
        .clone()
        .into_iter()
        .map(|token| match token {
            TokenTree::Group(group) => 1 + count(&group.stream()),
            _ => 1,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(definition: &str, arguments: &str) -> Option<String> {
        let arguments: TokenStream = arguments.parse().unwrap();
        let statements = expand(definition, &arguments, Span::call_site())?;
        Some(statements.iter().map(|stmt| stmt.to_token_stream().to_string()).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn fragments_are_put_in() {
        let definition = "macro_rules! m { ($a:ident, $b:expr) => { let mut $a = $b.begin().await?; }; }";
        assert_eq!(expanded(definition, "tx, pool").unwrap(), "let mut tx = pool . begin () . await ? ;");
        assert_eq!(expanded(definition, "1, 2"), None);
    }

    #[test]
    fn the_rule_that_matches_is_taken() {
        let definition = "macro_rules! m { (read $a:expr) => { f($a) }; (write $a:expr) => { g($a) }; }";
        assert_eq!(expanded(definition, "write x").unwrap(), "g (x)");
    }

    #[test]
    fn repetitions_are_repeated() {
        let definition = "macro_rules! m { ($($a:expr),* $(,)?) => { $( f($a); )* }; }";
        assert_eq!(expanded(definition, "1, 2, 3").unwrap(), "f (1) ; f (2) ; f (3) ;");
        assert_eq!(expanded(definition, "").unwrap(), "");
    }

    #[test]
    fn variables_of_the_macro_are_its_own() {
        let definition = "macro_rules! m { ($a:expr) => { { let tx = 1; f(tx, $a) } }; }";
        let text = expanded(definition, "tx").unwrap();
        assert_eq!(text, "{ let tx_of_macro = 1 ; f (tx_of_macro , tx) }");
    }
}
