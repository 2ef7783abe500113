//! What a piece of source mentions: texts, types, calls, and the command that it starts.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit;
use syn::visit::Visit;

/// What a piece of source mentions.
#[derive(Debug, Default, Clone)]
pub(crate) struct Mentions {
    pub(crate) texts: BTreeSet<String>,
    pub(crate) types: BTreeSet<String>,
    pub(crate) calls: BTreeSet<String>,
    /// The command that it starts, and the argument after its name, if that is a literal.
    pub(crate) command: Option<(String, Option<String>)>,
}

impl Mentions {
    pub(crate) fn add(&mut self, other: &Mentions) {
        self.texts.extend(other.texts.iter().cloned());
        self.types.extend(other.types.iter().cloned());
        self.calls.extend(other.calls.iter().cloned());
    }

    pub(crate) fn tokens(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Literal(literal) => {
                    self.texts
                        .extend(syn::parse_str::<syn::LitStr>(&literal.to_string()).ok().map(|text| text.value()));
                }
                TokenTree::Ident(ident) => {
                    self.types.insert(ident.to_string());
                }
                TokenTree::Punct(_) => {}
            }
        }
    }

    pub(crate) fn is_of(&self, command: &str) -> bool {
        self.command.as_ref().is_some_and(|(name, after)| {
            name == command || after.as_ref().is_some_and(|after| format!("{name} {after}") == command)
        })
    }
}

impl<'ast> Visit<'ast> for Mentions {
    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}

    fn visit_lit_str(&mut self, text: &'ast syn::LitStr) {
        self.texts.insert(text.value());
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        self.tokens(item.tokens.clone());
    }

    fn visit_path_segment(&mut self, segment: &'ast syn::PathSegment) {
        self.types.insert(segment.ident.to_string());
        visit::visit_path_segment(self, segment);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        visit::visit_expr_method_call(self, call);
        self.calls.insert(call.method.to_string());
        if call.method == "arg"
            && matches!(&*call.receiver, syn::Expr::Call(_))
            && let Some((_, after @ None)) = &mut self.command
        {
            *after = literal(call.args.first());
        }
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        visit::visit_expr_call(self, call);
        let syn::Expr::Path(path) = &*call.func else { return };
        let names: Vec<_> = path.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.calls.extend(names.last().cloned());
        if let (None, [.., of, "read" | "write" | "idempotent_write"]) =
            (&self.command, &names.iter().map(String::as_str).collect::<Vec<_>>()[..])
            && *of == "Command"
        {
            self.command = literal(call.args.first()).map(|name| (name, None));
        }
    }
}

pub(crate) fn literal(expr: Option<&syn::Expr>) -> Option<String> {
    match expr {
        Some(syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. })) => Some(text.value()),
        _ => None,
    }
}

pub(crate) fn mentions(visit: impl FnOnce(&mut Mentions)) -> Mentions {
    let mut found = Mentions::default();
    visit(&mut found);
    found
}
