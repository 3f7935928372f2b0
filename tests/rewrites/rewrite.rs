//! What can be written in another way? Each rewrite keeps what the code does.

use super::kind::Rewrite;
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use std::collections::BTreeMap;
use syn::visit_mut::{self, VisitMut};
use syn::{Block, Expr, File, Ident, Item, ReturnType, Stmt, UseTree, parse_quote};

/// Names of variables that hold sessions, in the fixtures and in most code.
const SESSIONS: &[&str] =
    &["tx", "transaction", "conn", "connection", "client", "txn", "session", "driver", "writer", "unit"];

/// Rewrites files.
pub struct Rewriter {
    pub(super) rewrite: Rewrite,
    /// How often something was rewritten.
    pub count: usize,
    /// Whether `?` may be written as a `return Err`.
    pub(super) fallible: bool,
    imports: BTreeMap<String, TokenStream>,
    numbers: usize,
}

impl Rewriter {
    /// One for one file.
    pub fn new(rewrite: Rewrite) -> Self {
        Self { rewrite, count: 0, fallible: false, imports: BTreeMap::new(), numbers: 0 }
    }

    /// The text of a file after it.
    pub fn rewritten(&mut self, mut file: File) -> String {
        match self.rewrite {
            Rewrite::UsedAs | Rewrite::FullPaths => self.collect_imports(&mut file),
            Rewrite::InnerModule => self.inner_module(&mut file),
            _ => {}
        }
        self.visit_file_mut(&mut file);
        let tokens = file.into_token_stream();
        if self.rewrite == Rewrite::Comments {
            let mut text = String::new();
            self.with_comments(tokens, &mut text);
            return text;
        }
        // As people write paths.
        tokens.to_string().replace(" :: ", "::").replace(":: ", "::")
    }

    fn with_comments(&mut self, tokens: TokenStream, out: &mut String) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => {
                    let (open, close) = match group.delimiter() {
                        Delimiter::Brace => ("{", "}"),
                        Delimiter::Parenthesis => ("(", ")"),
                        Delimiter::Bracket => ("[", "]"),
                        Delimiter::None => ("", ""),
                    };
                    out.push_str(open);
                    self.with_comments(group.stream(), out);
                    out.push_str(close);
                    out.push(' ');
                }
                TokenTree::Punct(punct) => {
                    if out.ends_with(' ') && punct.as_char() == ':' {
                        out.pop();
                    }
                    out.push(punct.as_char());
                    if punct.spacing() == proc_macro2::Spacing::Alone && !out.ends_with("::") {
                        out.push(' ');
                    }
                    if punct.as_char() == ';' {
                        self.count += 1;
                        out.push_str("// tx.commit().await?; } /* \"\n/* drop(tx); { */ ");
                    }
                }
                other => {
                    out.push_str(&other.to_string());
                    out.push(' ');
                }
            }
        }
    }

    /// What is imported by name at the top of a file.
    fn collect_imports(&mut self, file: &mut File) {
        fn leaves(tree: &UseTree, before: &TokenStream, found: &mut BTreeMap<String, TokenStream>) {
            match tree {
                UseTree::Path(path) => {
                    let ident = &path.ident;
                    leaves(&path.tree, &quote!(#before #ident ::), found);
                }
                UseTree::Name(name) if name.ident != "self" => {
                    let ident = &name.ident;
                    found.insert(ident.to_string(), quote!(#before #ident));
                }
                UseTree::Group(group) => group.items.iter().for_each(|item| leaves(item, before, found)),
                _ => {}
            }
        }
        let mut found = BTreeMap::new();
        for item in &file.items {
            if let Item::Use(used) = item
                && matches!(used.vis, syn::Visibility::Inherited)
            {
                leaves(&used.tree, &TokenStream::new(), &mut found);
            }
        }
        // What macros name is not rewritten; types of the file hide imports.
        // `Future` is known by that name only.
        found.retain(|name, _| name.starts_with(char::is_uppercase) && name != "Future");
        self.imports = found;
        if self.rewrite == Rewrite::UsedAs {
            let more: Vec<Item> = self
                .imports
                .iter()
                .map(|(name, path)| {
                    let renamed = format_ident!("{name}Renamed");
                    parse_quote!(use #path as #renamed;)
                })
                .collect();
            let at = file.items.iter().position(|item| matches!(item, Item::Use(_))).unwrap_or(0);
            file.items.splice(at..at, more);
        }
    }

    fn inner_module(&mut self, file: &mut File) {
        let text = file.to_token_stream().to_string();
        let modules = file.items.iter().any(|item| matches!(item, Item::Mod(_) | Item::Macro(_)));
        if modules || text.contains("super ::") || text.contains("include_str") || !file.attrs.is_empty() {
            return;
        }
        self.count += file.items.len();
        let items = std::mem::take(&mut file.items);
        file.items = vec![
            parse_quote!(
                mod inner {
                    #(#items)*
                }
            ),
            parse_quote!(
                pub use inner::*;
            ),
        ];
    }

    fn rename(&mut self, ident: &mut Ident) {
        if self.rewrite == Rewrite::Renamed && SESSIONS.contains(&ident.to_string().as_str()) {
            *ident = format_ident!("{ident}_renamed");
            self.count += 1;
        }
    }

    /// The same in what a macro gets, fields and methods left out.
    fn renamed_in(&mut self, tokens: TokenStream) -> TokenStream {
        let mut after_dot = false;
        let mut renamed = Vec::new();
        for token in tokens {
            let dot = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '.');
            renamed.push(match token {
                TokenTree::Ident(mut ident) if !after_dot => {
                    self.rename(&mut ident);
                    TokenTree::Ident(ident)
                }
                TokenTree::Group(group) => {
                    let inner = self.renamed_in(group.stream());
                    TokenTree::Group(proc_macro2::Group::new(group.delimiter(), inner))
                }
                other => other,
            });
            after_dot = dot;
        }
        renamed.into_iter().collect()
    }

    pub(super) fn number(&mut self, word: &str) -> Ident {
        self.numbers += 1;
        format_ident!("{word}_{}", self.numbers)
    }

    fn body(&mut self, signature: &syn::Signature, block: &mut Block) {
        let is_async = signature.asyncness.is_some();
        let is_plain = block.stmts.iter().all(|statement| !matches!(statement, Stmt::Item(_)));
        let lent = signature.inputs.iter().any(|input| matches!(input, syn::FnArg::Receiver(_)));
        match self.rewrite {
            Rewrite::BodyInBlock => {
                let inner = block.clone();
                *block = parse_quote!({ #inner });
                self.count += 1;
            }
            Rewrite::BodyInAsync if is_async && is_plain => {
                let inner = &block.stmts;
                *block = parse_quote!({ async move { #(#inner)* }.await });
                self.count += 1;
            }
            Rewrite::BodyInClosure if !is_async && is_plain && !lent => {
                let inner = &block.stmts;
                let output = &signature.output;
                *block = match output {
                    ReturnType::Default => parse_quote!({ (move || { #(#inner)* })() }),
                    _ => parse_quote!({ (move || #output { #(#inner)* })() }),
                };
                self.count += 1;
            }
            Rewrite::ReturnedTail if !matches!(signature.output, ReturnType::Default) => {
                if let Some(Stmt::Expr(tail, None)) = block.stmts.last_mut()
                    && matches!(tail, Expr::Call(_) | Expr::Await(_) | Expr::Path(_))
                {
                    let value = tail.clone();
                    *tail = parse_quote!(return #value);
                    let last = block.stmts.pop();
                    if let Some(Stmt::Expr(tail, None)) = last {
                        block.stmts.push(Stmt::Expr(tail, Some(Default::default())));
                    }
                    self.count += 1;
                }
            }
            _ => {}
        }
    }
}

/// Whether a function gives a `Result`, as far as its text tells.
fn gives_result(output: &ReturnType) -> bool {
    match output {
        ReturnType::Default => false,
        ReturnType::Type(_, ty) => {
            let text = ty.to_token_stream().to_string();
            text.contains("Result") && !text.starts_with("Option")
        }
    }
}

impl VisitMut for Rewriter {
    fn visit_item_fn_mut(&mut self, function: &mut syn::ItemFn) {
        let around = std::mem::replace(&mut self.fallible, gives_result(&function.sig.output));
        let imports = self.imports.clone();
        if function.block.stmts.iter().any(|statement| matches!(statement, Stmt::Item(Item::Use(_)))) {
            self.imports.clear();
        }
        visit_mut::visit_item_fn_mut(self, function);
        self.imports = imports;
        self.fallible = around;
        let signature = function.sig.clone();
        self.body(&signature, &mut function.block);
    }

    fn visit_impl_item_fn_mut(&mut self, function: &mut syn::ImplItemFn) {
        let around = std::mem::replace(&mut self.fallible, gives_result(&function.sig.output));
        visit_mut::visit_impl_item_fn_mut(self, function);
        self.fallible = around;
        let signature = function.sig.clone();
        self.body(&signature, &mut function.block);
    }

    fn visit_expr_closure_mut(&mut self, closure: &mut syn::ExprClosure) {
        let around = std::mem::replace(&mut self.fallible, gives_result(&closure.output));
        visit_mut::visit_expr_closure_mut(self, closure);
        self.fallible = around;
    }

    fn visit_block_mut(&mut self, block: &mut Block) {
        visit_mut::visit_block_mut(self, block);
        self.statements(block);
    }

    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        visit_mut::visit_expr_mut(self, expr);
        self.expression(expr);
    }

    fn visit_local_mut(&mut self, local: &mut syn::Local) {
        visit_mut::visit_local_mut(self, local);
        let Some(init) = &mut local.init else { return };
        let simple = matches!(*init.expr, Expr::Try(_) | Expr::Await(_) | Expr::Call(_) | Expr::MethodCall(_));
        let value = &init.expr;
        let rewritten: Expr = match self.rewrite {
            Rewrite::Parentheses => parse_quote!((#value)),
            // A block ends the life of temporaries: only what borrows from none is put into one.
            Rewrite::Blocks if simple && !value.to_token_stream().to_string().contains('&') => parse_quote!({ #value }),
            _ => return,
        };
        *init.expr = rewritten;
        self.count += 1;
    }

    fn visit_pat_ident_mut(&mut self, bound: &mut syn::PatIdent) {
        visit_mut::visit_pat_ident_mut(self, bound);
        self.rename(&mut bound.ident);
    }

    fn visit_expr_path_mut(&mut self, path: &mut syn::ExprPath) {
        visit_mut::visit_expr_path_mut(self, path);
        if path.path.get_ident().is_some() {
            self.rename(&mut path.path.segments[0].ident);
        }
    }

    fn visit_field_value_mut(&mut self, field: &mut syn::FieldValue) {
        field.colon_token.get_or_insert_with(Default::default);
        visit_mut::visit_field_value_mut(self, field);
    }

    fn visit_field_pat_mut(&mut self, field: &mut syn::FieldPat) {
        field.colon_token.get_or_insert_with(Default::default);
        visit_mut::visit_field_pat_mut(self, field);
    }

    fn visit_path_mut(&mut self, path: &mut syn::Path) {
        visit_mut::visit_path_mut(self, path);
        let first = &mut path.segments[0];
        let Some(full) = self.imports.get(&first.ident.to_string()).filter(|_| path.leading_colon.is_none()) else {
            return;
        };
        match self.rewrite {
            Rewrite::UsedAs => first.ident = format_ident!("{}Renamed", first.ident),
            Rewrite::FullPaths => {
                let mut whole: syn::Path = parse_quote!(#full);
                if let Some(last) = whole.segments.last_mut() {
                    last.arguments = first.arguments.clone();
                }
                whole.segments.extend(path.segments.iter().skip(1).cloned());
                *path = whole;
            }
            _ => return,
        }
        self.count += 1;
    }

    fn visit_item_use_mut(&mut self, _: &mut syn::ItemUse) {}

    fn visit_item_mod_mut(&mut self, module: &mut syn::ItemMod) {
        // It has imports of its own.
        let imports = std::mem::take(&mut self.imports);
        visit_mut::visit_item_mod_mut(self, module);
        self.imports = imports;
    }

    fn visit_macro_mut(&mut self, called: &mut syn::Macro) {
        called.tokens = self.renamed_in(std::mem::take(&mut called.tokens));
    }
}
