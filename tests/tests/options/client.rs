//! The client's commands, as far as their options are concerned: its own source, read.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use redis_model_tests::sources::{read, root, rust_files};
use syn::visit::Visit as _;

use crate::choices::Choice;
use crate::mentions::{Mentions, literal, mentions};

/// A place where a user types an option: a builder method or a variant.
struct Place {
    name: String,
    documented: Vec<String>,
    texts: BTreeSet<String>,
}

/// An option type, or what it is made of.
#[derive(Default)]
struct Type {
    /// The module of its documentation, if it is public.
    module: Option<String>,
    mentions: Mentions,
    places: Vec<Place>,
}

struct Method {
    family: String,
    name: String,
    mentions: Mentions,
}

/// The client's commands, as far as their options are concerned.
#[derive(Default)]
pub(crate) struct Client {
    methods: Vec<Method>,
    types: BTreeMap<String, Type>,
    functions: BTreeMap<String, Mentions>,
    macros: BTreeMap<String, Mentions>,
    /// Types that a macro was called with, and what it writes.
    expanded: Vec<(String, Mentions)>,
}

/// The options that docs name after a colon: `Sets the time to live: EX or PX. Replaces ..` is of EX and PX.
fn documented(attrs: &[syn::Attribute]) -> Vec<String> {
    let line = |attr: &syn::Attribute| match &attr.meta {
        syn::Meta::NameValue(doc) => literal(Some(&doc.value)),
        _ => None,
    };
    let docs: String = attrs.iter().filter_map(line).collect::<Vec<_>>().join(" ");
    let named = docs.split(": ").skip(1).filter_map(|rest| rest.split(". ").next());
    let code = named.flat_map(|named| named.split('`').skip(1).step_by(2));
    code.flat_map(|code| code.split_whitespace().map(str::to_owned)).collect()
}

impl Client {
    pub(crate) fn read() -> Self {
        let mut client = Client::default();
        let commands = root().join("client/src/commands");
        for path in rust_files(&commands) {
            let below = path.strip_prefix(&commands).expect("a file below the folder").with_extension("");
            let module = below.iter().next().expect("a file").to_string_lossy().into_owned();
            client.add(&module, &syn::parse_file(&read(&path)).expect("a source file"));
        }
        client.add("", &syn::parse_file(&read(&root().join("client/src/command/mod.rs"))).expect("a source file"));
        client.spread_macros();
        client
    }

    fn add(&mut self, module: &str, file: &syn::File) {
        for item in &file.items {
            match item {
                syn::Item::Trait(item) if item.ident.to_string().ends_with("Commands") => self.add_family(item),
                syn::Item::Fn(item) => {
                    self.function(&item.sig, &item.block);
                }
                syn::Item::Impl(item) => self.add_impl(item),
                syn::Item::Struct(item) => {
                    let found = mentions(|found| found.visit_fields(&item.fields));
                    self.declare(module, &item.ident, &item.vis, &found);
                }
                syn::Item::Enum(item) => {
                    let found = mentions(|found| item.variants.iter().for_each(|variant| found.visit_variant(variant)));
                    let places = item.variants.iter().map(|variant| Place {
                        name: variant.ident.to_string(),
                        documented: documented(&variant.attrs),
                        texts: BTreeSet::from([variant.ident.to_string().to_ascii_uppercase()]),
                    });
                    self.declare(module, &item.ident, &item.vis, &found).places.extend(places);
                }
                syn::Item::Macro(item) => self.add_macro(module, item),
                _ => {}
            }
        }
    }

    fn declare(&mut self, module: &str, name: &syn::Ident, vis: &syn::Visibility, found: &Mentions) -> &mut Type {
        let kind = self.types.entry(name.to_string()).or_default();
        if matches!(vis, syn::Visibility::Public(_)) {
            kind.module = Some(module.to_owned());
        }
        kind.mentions.add(found);
        kind
    }

    fn function(&mut self, sig: &syn::Signature, block: &syn::Block) -> Mentions {
        let found = mentions(|found| {
            sig.inputs.iter().for_each(|input| found.visit_fn_arg(input));
            found.visit_block(block);
        });
        self.functions.entry(sig.ident.to_string()).or_default().add(&found);
        found
    }

    fn add_family(&mut self, family: &syn::ItemTrait) {
        for item in &family.items {
            let syn::TraitItem::Fn(method) = item else { continue };
            let found = mentions(|found| {
                method.sig.inputs.iter().for_each(|input| found.visit_fn_arg(input));
                method.default.iter().for_each(|block| found.visit_block(block));
            });
            let (family, name) = (family.ident.to_string(), method.sig.ident.to_string());
            self.methods.push(Method { family, name, mentions: found });
        }
    }

    fn add_impl(&mut self, item: &syn::ItemImpl) {
        let syn::Type::Path(path) = &*item.self_ty else { return };
        let name = path.path.segments.last().expect("a path").ident.to_string();
        // What a reply looks like is no option.
        if item.trait_.as_ref().is_some_and(|(of, _)| of.segments.iter().any(|part| part.ident == "FromReply")) {
            return;
        }
        let mut all = mentions(|found| item.trait_.iter().for_each(|(of, _)| found.visit_path(of)));
        let mut places = Vec::new();
        for part in &item.items {
            let syn::ImplItem::Fn(method) = part else { continue };
            // The helpers of `Command` are functions, whoever calls them.
            if name == "Command" {
                self.function(&method.sig, &method.block);
                continue;
            }
            let found = mentions(|found| {
                method.sig.inputs.iter().for_each(|input| found.visit_fn_arg(input));
                found.visit_block(&method.block);
            });
            all.add(&found);
            if matches!(method.vis, syn::Visibility::Public(_)) {
                let documented = documented(&method.attrs);
                places.push(Place { name: method.sig.ident.to_string(), documented, texts: found.texts });
            }
        }
        if name != "Command" {
            let kind = self.types.entry(name).or_default();
            kind.mentions.add(&all);
            kind.places.extend(places);
        }
    }

    /// A macro by which several types are declared: what its calls say belongs to each type that they name.
    fn add_macro(&mut self, module: &str, item: &syn::ItemMacro) {
        let found = mentions(|found| found.tokens(item.mac.tokens.clone()));
        if let Some(name) = &item.ident {
            self.macros.entry(name.to_string()).or_default().add(&found);
            return;
        }
        for (of, variants) in enums(item.mac.tokens.clone()) {
            self.types.entry(of).or_default().places.extend(variants);
        }
        let name = item.mac.path.segments.last().expect("a path").ident.to_string();
        let template = self.macros.get(&name).cloned().unwrap_or_default();
        let named = item.mac.tokens.clone().into_iter().filter_map(|token| match token {
            TokenTree::Ident(name) => Some(name.to_string()),
            _ => None,
        });
        for of in named {
            let kind = self.types.entry(of.clone()).or_default();
            kind.mentions.add(&found);
            kind.mentions.add(&template);
            kind.module.get_or_insert_with(|| module.to_owned());
            self.expanded.push((of, template.clone()));
        }
    }

    /// What a macro writes for a type can belong to another type: `impl From<TextField> for IndexField`.
    fn spread_macros(&mut self) {
        for (of, template) in std::mem::take(&mut self.expanded) {
            for other in template.types.iter().filter(|other| **other != of) {
                if let Some(kind) = self.types.get_mut(other) {
                    kind.mentions.types.insert(of.clone());
                }
            }
        }
    }

    /// The texts that a piece of source mentions, and the functions that it calls.
    fn texts_of(&self, start: &Mentions) -> BTreeSet<String> {
        let (mut texts, mut next, mut done) = (start.texts.clone(), start.calls.clone(), BTreeSet::new());
        while let Some(call) = next.pop_first() {
            if done.insert(call.clone())
                && let Some(found) = self.functions.get(&call)
            {
                texts.extend(found.texts.iter().cloned());
                next.extend(found.calls.iter().cloned());
            }
        }
        texts
    }

    /// The types that a piece of source reaches: those that it names, and those that these are made of.
    fn types_of(&self, start: &Mentions) -> BTreeMap<&str, &Type> {
        let (mut next, mut found) = (start.types.clone(), BTreeMap::new());
        for call in &start.calls {
            next.extend(self.functions.get(call).into_iter().flat_map(|function| function.types.iter().cloned()));
        }
        while let Some(name) = next.pop_first() {
            if let Some((name, kind)) = self.types.get_key_value(&name)
                && found.insert(name.as_str(), kind).is_none()
            {
                next.extend(kind.mentions.types.iter().cloned());
            }
        }
        found
    }

    /// Links to where a user types an option.
    pub(crate) fn places(&self, choice: &Choice) -> Vec<String> {
        let is_it = |text: &String| text.eq_ignore_ascii_case(&choice.token);
        let mut links = Vec::new();
        for method in self.methods.iter().filter(|method| method.mentions.is_of(&choice.command)) {
            let types = self.types_of(&method.mentions);
            let mut all = [&method.mentions].into_iter().chain(types.values().map(|kind| &kind.mentions));
            if !all.any(|mentions| self.texts_of(mentions).iter().any(is_it)) {
                continue;
            }
            let mut found = Vec::new();
            for (name, kind) in &types {
                let Some(module) = &kind.module else { continue };
                let here = |place: &&Place| place.documented.iter().chain(&place.texts).any(is_it);
                found.extend(
                    kind.places
                        .iter()
                        .filter(here)
                        .map(|place| format!("[`{name}::{0}`](crate::commands::{module}::{name}::{0})", place.name)),
                );
            }
            if found.is_empty() {
                found.push(format!("[`{1}`](crate::{0}::{1})", method.family, method.name));
            }
            for link in found {
                if !links.contains(&link) {
                    links.push(link);
                }
            }
        }
        links
    }
}

/// The enums that a macro's call declares, if it does, and their variants: `Name { Variant = "WORD", .. }`.
fn enums(tokens: TokenStream) -> Vec<(String, Vec<Place>)> {
    let tokens: Vec<_> = tokens.into_iter().collect();
    let declared = tokens.windows(2).filter_map(|window| match window {
        [TokenTree::Ident(name), TokenTree::Group(body)] => Some((name.to_string(), variants(body.stream()))),
        _ => None,
    });
    declared.collect()
}

fn variants(tokens: TokenStream) -> Vec<Place> {
    let tokens: Vec<_> = tokens.into_iter().collect();
    let variants = tokens.windows(3).filter_map(|window| match window {
        [TokenTree::Ident(name), TokenTree::Punct(_), TokenTree::Literal(word)] => {
            let word = syn::parse_str::<syn::LitStr>(&word.to_string()).ok()?.value();
            Some(Place { name: name.to_string(), documented: Vec::new(), texts: BTreeSet::from([word]) })
        }
        _ => None,
    });
    variants.collect()
}
